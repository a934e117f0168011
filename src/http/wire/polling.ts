import type { Response } from "express";

/** OpenAI's SDKs ask again after so many milliseconds; without the header after five seconds. */
const pollAfterMs = 300;

export function setPollAfter(res: Response, status: string): void {
  if (status === "in_progress") res.set("openai-poll-after-ms", String(pollAfterMs));
}
