import type { Log } from "./log.js";

/** One step of an orderly end. */
export interface Phase {
  name: string;
  /** Milliseconds. A phase that takes longer is left behind, whatever it waits for, and the next begins. */
  limitMs: number;
  work: () => Promise<unknown>;
  /** What is done about a phase that was left behind. */
  onLimit?: () => void;
}

/**
 * Runs the phases one after the other, each within its limit. What fails or hangs in one must not keep the next from being done: a
 * database that is away is no reason to drop a request.
 * @returns the names of the phases that failed or were left behind
 */
export async function runPhases(phases: readonly Phase[], log: Log): Promise<string[]> {
  const unfinished: string[] = [];
  for (const { name, limitMs, work, onLimit } of phases) {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<"limit">((resolve) => {
      timer = setTimeout(resolve, limitMs, "limit");
    });
    try {
      if ((await Promise.race([work(), limit])) === "limit") {
        unfinished.push(name);
        log.warn({ phase: name, limitMs }, "stopping: took too long, going on");
        onLimit?.();
      }
    } catch (error) {
      unfinished.push(name);
      log.error({ err: error, phase: name }, "stopping: failed, going on");
    } finally {
      clearTimeout(timer);
    }
  }
  return unfinished;
}
