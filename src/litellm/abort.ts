import { setMaxListeners } from "node:events";

/*
 * Small pieces instead of AbortSignal.any and AbortSignal.timeout: on Node 20 a combined signal can be collected before it
 * fires (nodejs/node#54614), and listeners on a signal that lives long have to be taken off again.
 */

/** Aborts `controller` when `signal` is aborted; returns the function that ends this. */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const abort = () => {
    controller.abort(signal.reason);
  };
  if (signal.aborted) abort();
  // Node warns of a leak beyond 10, but a signal may serve any number of requests at once; each takes its listener off.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", abort, { once: true });
  return () => {
    signal.removeEventListener("abort", abort);
  };
}

/** The promise's result, or a rejection with the signal's reason as soon as it is aborted; the promise itself goes on. */
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
 * `map` over the items, at most `limit` at a time, results in the order of the items. The first failure aborts the others
 * and is what the call rejects with.
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
