import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { untilAborted } from "./abort.js";
import type { Clock } from "./clock.js";
import type { Embedder } from "./embedder.js";

const cachedQueries = 1_000; // 6 MB at 1,536 dimensions
const cachedForMs = 10 * 60 * 1000;

interface Flight {
  readonly vector: Promise<Float32Array>;
  readonly controller: AbortController;
  waiters: number;
}

/**
 * `embedQuery` over a function that asks for one vector: identical queries at the same time share one request, and the
 * last 1,000 vectors are kept for 10 minutes. A caller who leaves does not disturb the others; when the last one has left,
 * the request is aborted. Failures are not kept.
 */
export function joinQueries(
  ask: (text: string, signal: AbortSignal) => Promise<Float32Array>,
  clock: Clock,
): Embedder["embedQuery"] {
  const cache = new LRUCache<string, Float32Array>({
    max: cachedQueries,
    ttl: cachedForMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  const flights = new Map<string, Flight>();

  const depart = (key: string, text: string): Flight => {
    const controller = new AbortController();
    const flight = { controller, waiters: 0, vector: ask(text, controller.signal) };
    flights.set(key, flight);
    return flight;
  };

  return async (text, { signal } = {}) => {
    signal?.throwIfAborted();
    // A digest, so that a thousand long queries do not fill the memory.
    const key = createHash("sha256").update(text).digest("base64");
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const flight = flights.get(key) ?? depart(key, text);
    flight.waiters += 1;
    try {
      const vector = await untilAborted(flight.vector, signal);
      cache.set(key, vector);
      return vector;
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) flight.controller.abort();
      // Landed or given up: nobody may join it any more.
      if (flight.waiters === 0 && flights.get(key) === flight) flights.delete(key);
    }
  };
}
