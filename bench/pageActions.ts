import type { Page } from "playwright-core";
import { percentiles } from "./load.js";

/** What somebody does in a page, measured within it, so that the way to the browser does not count. */

/** Clicks on the last link of the pager; gives the milliseconds until other rows are drawn. */
const turn = `new Promise((resolve, reject) => {
  const first = () => document.querySelector("tbody a")?.textContent;
  const before = first();
  const begun = performance.now();
  const look = () => {
    if (performance.now() - begun > 60_000) reject(new Error("no other page"));
    else if (first() === before || document.querySelector('table[aria-busy="true"]')) requestAnimationFrame(look);
    // One frame later they are on the screen.
    else requestAnimationFrame(() => resolve(performance.now() - begun));
  };
  [...document.querySelectorAll("nav a")].at(-1).click();
  requestAnimationFrame(look);
})`;

export async function turnPages(page: Page, turns: number): Promise<number[]> {
  await page.locator("tbody a").first().waitFor();
  const times: number[] = [];
  // The first one compiles code.
  await page.evaluate(turn);
  for (let n = 0; n < turns; n += 1) {
    await page.waitForLoadState("networkidle");
    times.push(await page.evaluate<number>(turn));
  }
  return times;
}

export interface Frames {
  /** Milliseconds. */
  p95: number;
  longest: number;
  /** Share of the frames that took longer than 50 ms. */
  slow: number;
  /** The most rows that were in the document at once. */
  rows: number;
  seconds: number;
}

const record = `window.seen = { frames: [], rows: 0, box: document.querySelector('[role="table"]') };
{
  let last = performance.now();
  const next = (now) => {
    seen.frames.push(now - last);
    last = now;
    seen.rows = Math.max(seen.rows, seen.box.querySelectorAll('[role="row"], tr').length);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}`;

/** Scrolls a list with the wheel of a mouse until its last row is in view. @param last text of that row */
export async function scroll(page: Page, last: string): Promise<Frames> {
  const table = page.getByRole("table").first();
  await table.getByText("file-").first().waitFor();
  await table.hover();
  await page.evaluate(record);
  const begun = performance.now();
  const end = page.getByText(last, { exact: true });
  for (;;) {
    for (let n = 0; n < 20; n += 1) await page.mouse.wheel(0, 400);
    const atEnd = "seen.box.scrollTop + seen.box.clientHeight > seen.box.scrollHeight - 5";
    if ((await page.evaluate<boolean>(atEnd)) && (await end.count()) > 0) break;
    if (performance.now() - begun > 600_000) throw new Error(`${last} did not come into view`);
  }
  const { frames, rows } = await page.evaluate<{ frames: number[]; rows: number }>(
    "({ frames: seen.frames, rows: seen.rows })",
  );
  const slow = frames.filter((each) => each > 50).length / frames.length;
  const seconds = (performance.now() - begun) / 1000;
  return { p95: percentiles(frames).p95, longest: Math.max(...frames), slow, rows, seconds };
}
