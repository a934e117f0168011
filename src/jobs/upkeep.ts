import type { Deps } from "../core/deps.js";

/** Pause after a round without work. A search pays 1.5 µs for each row that arrives in the meantime. */
const restMs = 2000;
/** Pause after a round with work, because more may have arrived. */
const busyMs = 50;

export interface Upkeep {
  /** Begins the next round at once. */
  wake: () => void;
  /** Ends after the current step; the next start does the rest. */
  stop: () => Promise<void>;
}

/** Keeps the engine's indexes and derived data up to date, with at most half of one core. */
export function startUpkeep({ engine, log, stopping }: Pick<Deps, "engine" | "log" | "stopping">): Upkeep {
  let stopped = false;
  let wake = (): void => undefined;
  let stopWaiting = (): void => undefined;
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
  const pace = async (workedMs: number) => {
    await wait(workedMs, false);
    return !stopped;
  };
  const attempt = async (work: () => Promise<number>) => {
    try {
      return await work();
    } catch (error) {
      if (!stopped) log.warn({ err: error }, "the upkeep of indexes failed; it will be tried again");
      return 0;
    }
  };
  const goesOn = () => !stopped;
  const bounds = { signal: stopping };
  const work = async () => {
    await attempt(() => engine.check(bounds).then(() => 0));
    while (goesOn()) {
      const worked = await attempt(() => engine.upkeep(pace, bounds));
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
