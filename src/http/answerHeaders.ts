import type { Response } from "express";

/** How long database and models took of a request that came in at `startedAt`, as `Server-Timing` has it, in milliseconds. */
export function setTimes(res: Response, spent: { database: number; model: number }, startedAt: number): void {
  const total = performance.now() - startedAt;
  res.set(
    "server-timing",
    `db;dur=${spent.database.toFixed(2)}, model;dur=${spent.model.toFixed(2)}, total;dur=${total.toFixed(2)}`,
  );
}

/** What was left undone. A header has room for letters of Latin-1 only, and one line. */
export function setWarnings(res: Response, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const text = warnings.join("; ").replace(/[^\x20-\x7e]+/g, "?");
  res.set("x-vector-store-warning", text.slice(0, 1000));
}

/** OpenAI's SDKs poll again after this many milliseconds; without the header, after five seconds. */
const pollAfterMs = 300;

export function setPollAfter(res: Response, status: string): void {
  if (status === "in_progress") res.set("openai-poll-after-ms", String(pollAfterMs));
}
