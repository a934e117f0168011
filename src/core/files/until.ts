import type { StoreFile, StoreFileKey } from "../../words/file.js";
import type { Deps } from "../deps.js";
import { throwUnknownFile } from "./files.js";

/** Waiting for the ingestion of files. */

/** How long an answer waits for ingestion: small files are searchable by then, so their senders need not poll. */
export const briefMs = 2000;

/**
 * Waits until a file's ingestion has ended, or waits itself for what does not pass without a correction. It polls, at
 * growing intervals, because another replica may be ingesting the file.
 * @param waitMs at most this long, in milliseconds
 * @param signal ends the waiting
 * @returns the file as it is then, ended or not
 * @throws ApiError 404
 */
export async function untilEnded(
  deps: Deps,
  key: StoreFileKey,
  waitMs: number,
  signal?: AbortSignal,
): Promise<StoreFile> {
  const deadline = performance.now() + waitMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const file = (await deps.lookAtFile(key)) ?? throwUnknownFile(key.fileId);
    const left = deadline - performance.now();
    if (file.status !== "in_progress" || file.errorCode !== null || left <= 0 || signal?.aborted === true) return file;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
}

/** Waits up to 2 s in all for files to be ingested. @throws ApiError 404 if one was deleted meanwhile */
export async function briefly(deps: Deps, files: readonly StoreFileKey[]): Promise<void> {
  const deadline = performance.now() + briefMs;
  for (const key of files) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    await untilEnded(deps, key, left);
  }
}
