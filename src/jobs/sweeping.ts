import type { Deps } from "../core/deps.js";
import { passOnLeft } from "../core/access/rotatedKeys.js";
import * as sessions from "../core/access/sessions.js";
import { sweepUsage } from "../core/access/usage.js";
import { sweepFiles } from "../core/files/files.js";
import { sweepUploads } from "../core/files/uploads.js";
import { removeLeft } from "../core/stores/leftChunks.js";
import { sweepLeaving } from "../core/stores/removal.js";
import { sweepExpired } from "../core/stores/expire.js";

const everyMs = 10 * 60 * 1000;

interface Sweeping {
  /** Begins a sweep once the current one has ended. */
  wake: () => void;
  /** Waits for the current sweep, which ends after the portion of chunks that it removes. */
  stop: () => Promise<void>;
}

/**
 * Removes long expired stores, expired files and sessions, and what belongs to nothing, and gives what rotated keys
 * still own to the keys in their place, every ten minutes and when it is woken.
 */
export function startSweeping(deps: Deps): Sweeping {
  let running: Promise<void> = Promise.resolve();
  const sweep = async () => {
    try {
      await removeLeft(deps, {}, () => !deps.stopping.aborted);
      await sweepLeaving(deps);
      const swept = await sweepExpired(deps);
      if (swept > 0) deps.log.info({ swept }, "removed expired vector stores");
      const files = (await sweepUploads(deps)) + (await sweepFiles(deps));
      if (files > 0) deps.log.info({ files }, "removed expired files and uploads");
      await passOnLeft(deps);
      await deps.payers.sweep();
      await sessions.sweep(deps);
      await sweepUsage(deps, deps.config.access.usageDays);
    } catch (error) {
      deps.log.warn({ err: error }, "the sweep of expired stores and files failed; it will be tried again");
    }
  };
  const wake = () => {
    running = running.then(sweep);
  };
  const timer = setInterval(wake, everyMs);
  timer.unref();
  return {
    wake,
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
