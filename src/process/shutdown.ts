import type { Log } from "./log.js";

/** One step of an orderly shutdown. */
export interface Phase {
  name: string;
  /** Milliseconds. If a phase takes longer, the next begins without waiting for it. */
  limitMs: number;
  work: () => Promise<unknown>;
  /** Called if the phase exceeds its limit. */
  onLimit?: () => void;
}

/**
 * Runs the phases one after the other, each within its limit. A phase that fails or hangs must not prevent the next: an
 * unreachable database is no reason to drop a request.
 * @returns the names of the phases that failed or exceeded their limit
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
        log.warn({ phase: name, limitMs }, "stopping: a phase took too long, continuing");
        onLimit?.();
      }
    } catch (error) {
      unfinished.push(name);
      log.error({ err: error, phase: name }, "stopping: a phase failed, continuing");
    } finally {
      clearTimeout(timer);
    }
  }
  return unfinished;
}
