import { bringUpToDate, checkIndexes } from "../core/upkeep/indexing.js";
import type { Deps } from "../core/deps.js";

/** Between rounds that find nothing to do. A search pays 1.5 µs for each row that has come meanwhile. */
const restMs = 2000;
/** Between rounds that found something: more of it may have come. */
const busyMs = 50;

export interface Indexing {
  /** Begins the next round at once. */
  wake: () => void;
  /** Ends after the step at hand; the rest is done after the next start. */
  stop: () => Promise<void>;
}

/** Keeps vectors, keywords and indexes up to date, with at most half of one core. */
export function startIndexing(deps: Deps): Indexing {
  let stopped = false;
  let wake = (): void => undefined;
  const wait = (milliseconds: number, wakes: boolean) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      stopWaiting = end;
      if (wakes) wake = end;
    });
  let stopWaiting = (): void => undefined;
  const pace = async (workedMs: number) => {
    await wait(workedMs, false);
    return !stopped;
  };
  const attempt = async (work: () => Promise<number>) => {
    try {
      return await work();
    } catch (error) {
      deps.log.warn({ err: error }, "the maintenance of indexes failed; it is tried again");
      return 0;
    }
  };
  const goesOn = () => !stopped;
  const work = async () => {
    await attempt(() => checkIndexes(deps).then(() => 0));
    while (goesOn()) {
      const worked = await attempt(() => bringUpToDate(deps, pace));
      if (goesOn()) await wait(worked > 0 ? busyMs : restMs, true);
    }
  };
  const running = work();
  return {
    wake: () => {
      wake();
    },
    stop: async () => {
      stopped = true;
      stopWaiting();
      await running;
    },
  };
}
