import { sweepExpired } from "../core/vectorStores.js";
import type { Deps } from "../core/deps.js";

const everyMs = 10 * 60 * 1000;

/** Removes long expired stores every ten minutes. @returns a function that stops it and waits for the sweep at hand. */
export function startSweeping(deps: Deps): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const sweep = async () => {
    try {
      const swept = await sweepExpired(deps);
      if (swept > 0) deps.log.info({ swept }, "removed expired vector stores");
    } catch (error) {
      deps.log.warn({ err: error }, "the sweep of expired vector stores failed; it is tried again");
    }
  };
  const timer = setInterval(() => {
    running = running.then(sweep);
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
