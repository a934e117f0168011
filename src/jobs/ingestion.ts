import { randomUUID } from "node:crypto";
import type { Deps } from "../core/deps.js";
import { ingestNext, takeUpInterrupted } from "../core/files/ingest.js";

/** Pause between looks into an empty queue: another replica may have queued files, or a postponed file may be due. */
const restMs = 2000;

export interface Ingestion {
  /** Looks into the queue at once. */
  wake: () => void;
  /**
   * Gives files under way back to the queue; the next process continues them. Model calls that are under way may end
   * first, so that what they cost is not lost.
   * @param graceMs how long they may take
   */
  stop: (graceMs?: number) => Promise<void>;
}

/** Ingests files, INGEST_CONCURRENCY at a time; with 0, other processes do. */
export function startIngestion(deps: Deps): Ingestion {
  if (deps.config.files.concurrency === 0) return { wake: () => undefined, stop: () => Promise.resolve() };
  const stopping = new AbortController();
  const { signal } = stopping;
  const ending = new AbortController();
  const waiting = new Set<() => void>();
  let woken = 0;
  const wakeAll = () => {
    woken += 1;
    for (const wake of waiting) wake();
  };
  /**
   * @param seen `woken` before the look that found nothing: if it has changed, a file may have arrived and must not
   *   wait
   */
  const rest = (seen: number) =>
    new Promise<void>((resolve) => {
      if (woken !== seen || signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, restMs);
      timer.unref();
      waiting.add(wake);
    });
  const work = async () => {
    const lease = randomUUID();
    while (!signal.aborted) {
      const seen = woken;
      const worked = await ingestNext(deps, lease, signal, ending.signal).catch((error: unknown) => {
        deps.log.warn({ err: error }, "the queue of files could not be read; it will be tried again");
        return false;
      });
      if (!worked) await rest(seen);
    }
  };
  const begun = takeUpInterrupted(deps).catch((error: unknown) => {
    deps.log.warn({ err: error }, "interrupted ingestion will continue when its lease ends");
  });
  const running = Array.from({ length: deps.config.files.concurrency }, () => begun.then(work));
  return {
    wake: wakeAll,
    stop: async (graceMs = 0) => {
      const why = new Error("the service is stopping");
      stopping.abort(why);
      wakeAll();
      const end = () => {
        ending.abort(why);
      };
      if (graceMs === 0) end();
      const timer = setTimeout(end, graceMs);
      await Promise.all(running);
      clearTimeout(timer);
    },
  };
}
