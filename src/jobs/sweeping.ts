import type { Deps } from "../core/deps.js";
import { sweepFiles } from "../core/files/files.js";
import { sweepUploads } from "../core/files/uploads.js";
import { removeLeft } from "../core/files/leaving.js";
import { sweepLeaving } from "../core/stores/removal.js";
import { sweepExpired } from "../core/stores/expire.js";

const everyMs = 10 * 60 * 1000;

/**
 * Removes long expired stores, expired files, and bytes that belong to nothing, every ten minutes.
 * @returns a function that stops it and waits for the current sweep
 */
export function startSweeping(deps: Deps): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const sweep = async () => {
    try {
      await removeLeft(deps, {});
      await sweepLeaving(deps);
      const swept = await sweepExpired(deps);
      if (swept > 0) deps.log.info({ swept }, "removed expired vector stores");
      const files = (await sweepUploads(deps)) + (await sweepFiles(deps));
      if (files > 0) deps.log.info({ files }, "removed expired files and uploads");
    } catch (error) {
      deps.log.warn({ err: error }, "the sweep of expired stores and files failed; it will be tried again");
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
