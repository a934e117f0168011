import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser } from "../test/support/chromium.js";
import { insertStores } from "./accessTimes.js";
import { startBarePages } from "./barePage.js";
import { atEnd, cleanUp } from "./cleanup.js";
import { type Target, createTarget } from "./database.js";
import { percentiles } from "./load.js";
import { type Frames, scroll, turnPages } from "./pageActions.js";
import { type Report, atMost, makeTable } from "./results.js";
import { type Service, startService } from "./service.js";
import { multipart } from "./uploads.js";

export interface PageOptions {
  databaseUrl: string;
  settings: Record<string, string>;
  stores: number;
  files: number;
  largeMb: number;
  /** Pages of the list that are turned. */
  turns: number;
}

/** Ours, and what the browser takes for the same without us. */
interface Both<Figure> {
  ours: Figure;
  bare: Figure;
}

/** The web page in Chromium with very many vector stores and files, and a large upload. */
export async function benchPage(options: PageOptions): Promise<Report> {
  const target = await createTarget(options.databaseUrl);
  if (target.kind === "pglite") throw new Error("the page is measured on a PostgreSQL server");
  const settings = { MAX_FILE_MB: "1024", ...options.settings };
  const service = await startService(target, { dimensions: 256, settings });
  const storeId = await createFiles(service, options.files);
  await insertStores(target, options.stores, { user: "user-0", count: 0 });
  const stores = await service.http.get("/v1/me/vector_stores?limit=20&sort=created_at&order=desc");
  const bareUrl = await startBarePages({ stores, rows: options.files, directory: target.directory });
  const [ours, bare] = [await openPage(), await openPage()];
  await signIn(ours, service);
  const lists = await compareLists({ ours, bare }, { service, bareUrl, turns: options.turns });
  const scrolled = await compareScrolling({ ours, bare }, { service, bareUrl, storeId, files: options.files });
  const sent = await compareUploads({ ours, bare }, { service, bareUrl, target, megabytes: options.largeMb });
  const { version, database } = service;
  await cleanUp();
  return report(options, { version, database }, { lists, scrolled, sent });
}

async function openPage(): Promise<Page> {
  const browser = await openBrowser();
  atEnd(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(120_000);
  return page;
}

async function signIn(page: Page, { url, key }: Service): Promise<void> {
  await page.goto(`${url}/admin/vector-stores`);
  await page.locator("input[type=password]").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("tbody a").first().waitFor();
}

/** @returns the store that has them */
async function createFiles(service: Service, count: number): Promise<string> {
  const storeId = await service.createStore({ name: "many files" });
  let next = 0;
  const send = async () => {
    while (next < count) {
      const n = (next += 1);
      const { body, contentType } = multipart(`file-${n}.txt`, Buffer.from(`The text of file ${n}.`));
      await service.http.post(`/v1/vector_stores/${storeId}/upload`, body, { contentType });
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: 4 }, send));
  console.error(`${count} files in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return storeId;
}

type Lists = Record<"created_at" | "name" | "rows" | "bare", number[]>;

/** Milliseconds from the click on "next page" until its rows are drawn. */
async function compareLists(
  { ours, bare }: Both<Page>,
  { service, bareUrl, turns }: { service: Service; bareUrl: string; turns: number },
): Promise<Lists> {
  const times: Lists = { created_at: [], name: [], rows: [], bare: [] };
  for (const sort of ["created_at", "name", "rows"] as const) {
    await ours.goto(`${service.url}/admin/vector-stores?sort=${sort}&order=desc`);
    times[sort] = await turnPages(ours, turns);
  }
  await bare.goto(`${bareUrl}/list`);
  times.bare = await turnPages(bare, turns);
  return times;
}

async function compareScrolling(
  { ours, bare }: Both<Page>,
  at: { service: Service; bareUrl: string; storeId: string; files: number },
): Promise<Both<Frames>> {
  await ours.goto(`${at.service.url}/admin/vector-stores/${at.storeId}/files`);
  // Counts down from the newest, so the last row is the first file.
  const whole = await scroll(ours, "file-1.txt");
  await bare.goto(`${at.bareUrl}/rows`);
  return { ours: whole, bare: await scroll(bare, `file-${at.files - 1}.txt`) };
}

/** Seconds from choosing a file until all of it has arrived. */
async function compareUploads(
  { ours, bare }: Both<Page>,
  at: { service: Service; bareUrl: string; target: Target; megabytes: number },
): Promise<Both<number>> {
  const path = join(at.target.directory, "large.bin");
  const file = await open(path, "w");
  await file.truncate(at.megabytes * 2 ** 20);
  await file.close();
  const storeId = await at.service.createStore({ name: "uploads" });
  await ours.goto(`${at.service.url}/admin/vector-stores/${storeId}/files`);
  const completed = ours.waitForResponse((answer) => answer.url().endsWith("/complete"));
  const oursBegun = performance.now();
  await ours.locator("input[type=file]").setInputFiles(path);
  const status = (await completed).status();
  const oursSeconds = (performance.now() - oursBegun) / 1000;
  if (status !== 200) throw new Error(`the upload was answered ${status}`);
  await bare.goto(`${at.bareUrl}/upload`);
  const bareBegun = performance.now();
  await bare.locator("input[type=file]").setInputFiles(path);
  await bare.waitForFunction("document.title === 'sent'");
  return { ours: oursSeconds, bare: (performance.now() - bareBegun) / 1000 };
}

function report(
  options: PageOptions,
  about: { version: string; database: string },
  { lists, scrolled, sent }: { lists: Lists; scrolled: Both<Frames>; sent: Both<number> },
): Report {
  const [stores, files] = [options.stores.toLocaleString("en"), options.files.toLocaleString("en")];
  const turn = (what: string, times: number[]) => {
    const { p50, p95 } = percentiles(times);
    return [what, p50, p95, p50 / percentiles(lists.bare).p50];
  };
  const frames = (what: string, of: Frames) => [what, of.p95, of.longest, of.slow, of.rows, of.seconds];
  const pages = [...lists.created_at, ...lists.name, ...lists.rows];
  return {
    kind: "page",
    title: "The web page",
    ...about,
    notes: [
      "In Debian's Chromium without a graphics card, 1,440 × 900 pixels. Bare: a page without a library, from a server " +
        "without a database; what the browser itself takes here.",
    ],
    tables: [
      makeTable(
        `From the click to the next 20 of ${stores} vector stores:`,
        ["", "p50 ms:whole", "p95 ms:whole", "relative to bare:fraction"],
        [
          turn("newest first", lists.created_at),
          turn("by name", lists.name),
          turn("by rows", lists.rows),
          turn("bare", lists.bare),
        ],
      ),
      makeTable(
        `Scrolling through ${files} files:`,
        ["", "p95 of frames, ms:whole", "longest, ms:whole", "over 50 ms:percent", "rows drawn:whole", "seconds:whole"],
        [frames("the page", scrolled.ours), frames("bare, all rows at once", scrolled.bare)],
      ),
      makeTable(
        `A file of ${options.largeMb} MB:`,
        ["", "seconds:fraction", "relative to bare:fraction"],
        [
          ["the page, in parts", sent.ours, sent.ours / sent.bare],
          ["bare, in one request", sent.bare, 1],
        ],
      ),
    ],
    goals: [
      atMost(`a page of ${stores} stores, ms at p95`, 300, percentiles(pages).p95, "whole"),
      atMost(`${files} files: frames longer than 50 ms while scrolling`, 0.05, scrolled.ours.slow, "percent"),
      atMost(`${files} files: rows drawn at once`, 100, scrolled.ours.rows, "whole"),
      atMost(`${options.largeMb} MB, relative to one bare request`, 4, sent.ours / sent.bare, "fraction"),
    ],
  };
}
