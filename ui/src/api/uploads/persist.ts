import { Failure } from "../failure.js";

/** Whether the same request may go well later: the connection was lost, or the service cannot do it just now. */
const isPassing = (error: unknown): error is Failure =>
  error instanceof Failure &&
  (error.status === 0
    ? error.code !== "unreadable_file"
    : error.status >= 500 || [408, 425, 429].includes(error.status));

const tries = 10;

/** Until when the service has asked for fewer requests, and how it said so. One limit holds for all of a caller's. */
let quiet: { until: number; why: Failure } | null = null;

/** Keeps quiet for as long as the service asks, if that is what it has answered. */
export function heed(error: unknown): void {
  if (!(error instanceof Failure) || error.status !== 429) return;
  const until = Date.now() + (error.retryAfterSeconds ?? 5) * 1000;
  if (quiet === null || quiet.until < until) quiet = { until, why: error };
}

interface Pausing {
  signal: AbortSignal;
  /** Is told why before each pause. */
  pausing: (why: Failure) => void;
}

/** Does something until it goes well, with longer and longer pauses, which end when the browser is online again. */
export async function persist<T>(work: () => Promise<T>, { signal, pausing }: Pausing): Promise<T> {
  for (let tried = 1; ;) {
    while (quiet !== null && quiet.until > Date.now()) {
      pausing(quiet.why);
      await pause(quiet.until - Date.now(), signal, false);
    }
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      heed(error);
      // Who is asked to wait waits, however often.
      if (error.status === 429) continue;
      if (tried >= tries) throw error;
      pausing(error);
      await pause(Math.max(Math.min(30_000, 500 * 2 ** tried), (error.retryAfterSeconds ?? 0) * 1000), signal, true);
      tried += 1;
    }
  }
}

/** @param online whether it ends when the browser is online again */
function pause(ms: number, signal: AbortSignal, online: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      signal.removeEventListener("abort", stop);
      settle();
    };
    const go = end(resolve);
    const stop = end(() => {
      reject(signal.reason as Error);
    });
    const timer = setTimeout(go, ms);
    if (online) window.addEventListener("online", go);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}
