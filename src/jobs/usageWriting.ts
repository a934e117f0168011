import type { Deps } from "../core/deps.js";

/** What a process that dies loses. */
const everyMs = 1_000;

/** Writes down what was used, every second. @returns a function that stops it, and writes the rest */
export function startUsageWriting({ usage }: Pick<Deps, "usage">): () => Promise<void> {
  const timer = setInterval(() => {
    void usage.flush();
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await usage.flush();
  };
}
