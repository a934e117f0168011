import type { Response } from "express";

/**
 * Sets `Server-Timing`: the milliseconds that a request took in the database, in models and in total, from `startedAt`
 * (performance.now()) on.
 */
export function setTimes(res: Response, spent: { database: number; model: number }, startedAt: number): void {
  const total = performance.now() - startedAt;
  res.set(
    "server-timing",
    `db;dur=${spent.database.toFixed(2)}, model;dur=${spent.model.toFixed(2)}, total;dur=${total.toFixed(2)}`,
  );
}

/** OpenAI's SDKs poll again after this many milliseconds; without the header, after five seconds. */
const pollAfterMs = 300;

/** Tells OpenAI's SDKs when to poll again, while `status` is `in_progress`. */
export function setPollAfter(res: Response, status: string): void {
  if (status === "in_progress") res.set("openai-poll-after-ms", String(pollAfterMs));
}
