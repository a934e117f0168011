import type { Deps } from "../core/deps.js";

/** Often, so that each time takes little: requests of the embedded database wait for it. */
const everyMs = 5_000;

/**
 * Has the embedded database give back the space of what was deleted.
 * @returns a function that stops it and waits for the current round
 */
export function startGivingBack({ db, log, stopping }: Pick<Deps, "db" | "log" | "stopping">): () => Promise<void> {
  if (db.kind !== "pglite") return () => Promise.resolve();
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(() => (stopping.aborted ? 0 : db.giveBack()))
      .catch((error: unknown) => {
        log.warn({ err: error }, "the space of deleted rows could not be given back; it will be tried again");
      });
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
