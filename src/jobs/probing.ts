import type { Deps } from "../core/deps.js";

/** After the start, when indexes have been checked and pools are warm. */
const firstMs = 60_000;

/**
 * Has the engine measure the recall of its indexes every RECALL_PROBE_MINUTES.
 * @returns a function that stops it and waits for the current measurement
 */
export function startProbing({
  config,
  engine,
  log,
  stopping,
}: Pick<Deps, "config" | "engine" | "log" | "stopping">): () => Promise<void> {
  const { probeMs } = config.indexing;
  if (probeMs === null || engine.probe === undefined) return () => Promise.resolve();
  const probe = engine.probe.bind(engine);
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const wait = (milliseconds: number) => {
    timer = setTimeout(() => {
      running = probe({ signal: stopping })
        .catch((error: unknown) => {
          if (!stopping.aborted)
            log.warn({ err: error }, "the recall of indexes could not be measured; it will be tried again");
        })
        .then(() => {
          if (!stopping.aborted) wait(probeMs);
        });
    }, milliseconds).unref();
  };
  wait(Math.min(firstMs, probeMs));
  return async () => {
    clearTimeout(timer);
    await running;
  };
}
