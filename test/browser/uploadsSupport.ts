import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import type { Browser, Page, Route } from "playwright-core";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";
import { testDimensions } from "../support/settings.js";
import { type SlowModel, startSlowModel } from "../support/slowModel.js";
import { type Visit, visitEach } from "./browser.js";

/** The files of a vector store in the page, on a server of the suite's own, so that it can be stopped. */

export const master = "sk-master-of-the-embedded-one";
/** As `ui/src/api/uploads/transfer.ts` has it. */
export const partBytes = 8 * 1024 * 1024;

export interface Scene {
  browser: Browser;
  server: ServerProcess;
  root: string;
  current: Visit;
  page: Page;
  /** What embeds, and can be held, so that files stay unread. */
  model: SlowModel;
  /** Where a suite may keep files. */
  folder: string;
  /** Starts the server that was stopped, at the same address. */
  startAgain: () => Promise<void>;
}

/** Opens the browser and starts the server for all tests of a suite, and the page for each. */
export function useScene(): Scene {
  const scene = {} as Scene;
  let program: Program;
  const browser = visitEach(
    () => scene.root,
    (visited) => {
      scene.current = visited;
      scene.page = visited.page;
    },
  );
  beforeAll(async () => {
    scene.browser = browser();
    program = await compileProgram();
    scene.model = await startSlowModel();
    scene.folder = mkdtempSync(join(tmpdir(), "vector-store-uploads-"));
    const settings = {
      LITELLM_MASTER_KEY: master,
      LITELLM_PROXY_URL: scene.model.url,
      EMBEDDING__MODEL: "slow",
      EMBEDDING__DIMENSIONS: String(testDimensions),
      FILES_DIR: join(scene.folder, "kept"),
    };
    const started = await program.start(settings);
    [scene.server, scene.root] = [started, started.url];
    scene.startAgain = async () => {
      scene.server = await program.start({ ...settings, PORT: new URL(scene.root).port });
    };
  });
  afterAll(async () => {
    await program.remove();
    await scene.model[Symbol.asyncDispose]();
    rmSync(scene.folder, { recursive: true });
  });
  return scene;
}

/** Chromium writes each request that fails into the console. */
export function forgiveNetwork({ current }: Scene): void {
  current.faults = current.faults.filter((fault) => !fault.startsWith("Failed to load resource"));
}

export async function ask<T>({ root }: Scene, path: string, init: RequestInit = {}): Promise<T> {
  const headers = { authorization: `Bearer ${master}`, "content-type": "application/json" };
  const answer = await fetch(`${root}/v1${path}`, { ...init, headers });
  expect(answer.ok).toBe(true);
  return (await answer.json()) as T;
}

interface Listed {
  data: { id: string; filename: string; bytes?: number; content_sha256?: string; status: string }[];
}

/** @returns its id, and the path of its files in the page */
export async function newStore(scene: Scene, name: string): Promise<{ id: string; files: string }> {
  const { id } = await ask<{ id: string }>(scene, "/vector_stores", { method: "POST", body: JSON.stringify({ name }) });
  return { id, files: `/vector-stores/${id}/files` };
}

export const filesOf = async (scene: Scene, id: string) =>
  (await ask<Listed>(scene, `/vector_stores/${id}/files?limit=100`)).data;
export const named = async (scene: Scene, filename: string) =>
  (await ask<Listed>(scene, "/files")).data.filter((file) => file.filename === filename);

export interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const text = (name: string, content = `The text of ${name}.`): Given => ({
  name,
  mimeType: "text/plain",
  buffer: Buffer.from(content),
});

/** A file of no known kind: it is stored whole, and then not read. */
export function large({ folder }: Scene, name: string, megabytes: number): { path: string; sha256: string } {
  const bytes = randomBytes(megabytes * 1024 * 1024);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}

export async function choose({ page }: Scene, files: string | Given[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload files" }).first().click();
  await (await chooser).setFiles(files);
}

/** What the page says of an upload. */
export const upload = ({ page }: Scene, name: string) =>
  page.getByRole("list", { name: "Uploads" }).getByRole("listitem").filter({ hasText: name });
export const row = ({ page }: Scene, name: string) => page.getByRole("row").filter({ hasText: name });
export const button = ({ page }: Scene, name: string | RegExp) => page.getByRole("button", { name }).first();

/** What happens to the requests of one kind, one after the other; then nothing. */
export async function meet({ page }: Scene, pattern: RegExp, ...fates: ((route: Route) => Promise<unknown>)[]) {
  let count = 0;
  const waiting: { count: number; go: () => void }[] = [];
  await page.route(pattern, async (route) => {
    count += 1;
    for (const each of waiting) if (each.count <= count) each.go();
    await (fates[count - 1] ?? through)(route);
  });
  const came = (wanted: number) =>
    new Promise<void>((go) => {
      if (count >= wanted) go();
      else waiting.push({ count: wanted, go });
    });
  return { count: () => count, came };
}
export const through = (route: Route) => route.continue();

/** Tells `note` each value that the bar of progress has had. */
export const watchProgress = `new MutationObserver(() => {
  const bar = document.querySelector("progress");
  if (bar) note(bar.value);
}).observe(document.querySelector("main"), { subtree: true, childList: true, attributes: true })`;

/** Drops files on the heading, which takes none itself. @returns whether the browser would open them */
export const drop = ({ page }: Scene, files: { name: string; content: string }[]): Promise<boolean> =>
  page.evaluate<boolean>(`(() => {
    const dataTransfer = new DataTransfer();
    for (const { name, content } of ${JSON.stringify(files)}) dataTransfer.items.add(new File([content], name));
    const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
    return document.querySelector("h1").dispatchEvent(event);
  })()`);

/** What a browser gives for a folder that it may not read. */
export const lockedFolder = `{
  const reader = { readEntries: (_, fail) => fail(new DOMException("", "NotReadableError")) };
  const folder = { isFile: false, isDirectory: true, name: "locked", createReader: () => reader };
  const real = DataTransferItem.prototype.webkitGetAsEntry;
  DataTransferItem.prototype.webkitGetAsEntry = function () {
    DataTransferItem.prototype.webkitGetAsEntry = real;
    return folder;
  };
}`;
