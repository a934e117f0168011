import { randomUUID } from "node:crypto";
import type { Deps } from "../core/deps.js";
import { ingestNext, takeUpInterrupted } from "../core/files/ingest.js";

/** Between looks into an empty queue: files that another replica's caller attached, and those whose time has come again. */
const restMs = 2000;

export interface Ingestion {
  /** Looks into the queue at once. */
  wake: () => void;
  /** Gives back what is being worked on; the next process goes on with it. */
  stop: () => Promise<void>;
}

/** Ingests files, so many at a time as INGEST_CONCURRENCY says. */
export function startIngestion(deps: Deps): Ingestion {
  const stopping = new AbortController();
  const { signal } = stopping;
  const waiting = new Set<() => void>();
  let woken = 0;
  const wakeAll = () => {
    woken += 1;
    for (const wake of waiting) wake();
  };
  /** @param seen how often it had been woken before the look that found nothing: a file that came meanwhile must not wait. */
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
      const worked = await ingestNext(deps, lease, signal).catch((error: unknown) => {
        deps.log.warn({ err: error }, "the queue of files could not be read; it is tried again");
        return false;
      });
      if (!worked) await rest(seen);
    }
  };
  const begun = takeUpInterrupted(deps).catch((error: unknown) => {
    deps.log.warn({ err: error }, "interrupted ingestion begins again when its lease has run out");
  });
  const running = Array.from({ length: deps.config.files.concurrency }, () => begun.then(work));
  return {
    wake: wakeAll,
    stop: async () => {
      stopping.abort(new Error("the service is stopping"));
      wakeAll();
      await Promise.all(running);
    },
  };
}
