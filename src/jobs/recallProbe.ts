import type { Deps } from "../core/deps.js";
import { type Probed, probeNext } from "../core/upkeep/recallProbe.js";

/** After the start, when indexes have been checked and pools are warm. */
const firstMs = 60_000;

/** Probes the recall of indexes every RECALL_PROBE_MINUTES. @returns a function that stops it and waits for the probe at hand. */
export function startProbing(deps: Deps): () => Promise<void> {
  const { probeMs } = deps.config.indexing;
  if (probeMs === null) return () => Promise.resolve();
  const probed: Probed = new Map();
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const wait = (milliseconds: number) => {
    timer = setTimeout(() => {
      running = probeNext(deps, probed)
        .catch((error: unknown) => {
          deps.log.warn({ err: error }, "the recall of indexes could not be probed; it is tried again");
        })
        .then(() => {
          if (!deps.stopping.aborted) wait(probeMs);
        });
    }, milliseconds).unref();
  };
  wait(Math.min(firstMs, probeMs));
  return async () => {
    clearTimeout(timer);
    await running;
  };
}
