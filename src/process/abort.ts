import { setMaxListeners } from "node:events";

/*
 * Used instead of AbortSignal.any and AbortSignal.timeout: on Node 20 a combined signal can be garbage-collected before
 * it fires (nodejs/node#54614), and a long-lived signal keeps every listener that nobody removes.
 */

/** Aborts `controller` when `signal` is aborted. @returns a function that stops following */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const abort = () => {
    controller.abort(signal.reason);
  };
  if (signal.aborted) abort();
  // Node warns of a leak above 10 listeners. A signal may serve any number of requests at once; each removes its own.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", abort, { once: true });
  return () => {
    signal.removeEventListener("abort", abort);
  };
}

/**
 * The promise's result, or a rejection with the signal's reason as soon as it is aborted. The promise itself goes on.
 */
export async function untilAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  const controller = new AbortController();
  const unfollow = follow(signal, controller);
  const aborted = new Promise<never>((_, reject) => {
    const leave = () => {
      reject(controller.signal.reason as Error);
    };
    if (controller.signal.aborted) leave();
    controller.signal.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    unfollow();
  }
}

/**
 * Maps the items, at most `limit` at a time; results come in the order of the items. The first failure aborts the
 * others, and the call rejects with it.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const controller = new AbortController();
  const unfollow = follow(signal, controller);
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      controller.signal.throwIfAborted();
      results[index] = await map(item, controller.signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    return results;
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    unfollow();
  }
}
