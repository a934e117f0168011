import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { untilAborted } from "./abort.js";
import type { Embedder } from "./contract.js";
import type { GateDeps } from "./gate.js";
import type { Query, QueryRequests } from "./queryQueue.js";
import { createQueryQueue } from "./queryQueue.js";

const cachedQueries = 1_000; // 6 MB at 1,536 dimensions
const cachedForMs = 10 * 60 * 1000;

interface Flight {
  readonly query: Query;
  waiters: number;
}

/**
 * `embedQuery` over requests for many vectors: identical queries at the same time are one text of a request, different ones
 * may share a request (queryQueue.ts), and the last 1,000 vectors are kept for 10 minutes. A caller who leaves does not
 * disturb the others; a text that nobody waits for any more is given up. Failures are not kept.
 */
export function joinQueries(requests: QueryRequests, { clock, metrics }: GateDeps): Embedder["embedQuery"] {
  const cache = new LRUCache<string, Float32Array>({
    max: cachedQueries,
    ttl: cachedForMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  const flights = new Map<string, Flight>();
  const add = createQueryQueue(requests, clock);

  const depart = (key: string, text: string): Flight => {
    const flight = { query: add(text), waiters: 0 };
    flights.set(key, flight);
    flight.query.vector.then(
      (vector) => cache.set(key, vector),
      () => undefined, // those who wait see it
    );
    return flight;
  };

  return async (text, { signal } = {}) => {
    signal?.throwIfAborted();
    // A digest, so that a thousand long queries do not fill the memory.
    const key = hash("sha256", text, "base64");
    const cached = cache.get(key);
    const joined = flights.get(key);
    metrics.queryCache.inc({ result: cached !== undefined ? "hit" : joined !== undefined ? "joined" : "miss" });
    if (cached !== undefined) return cached;
    const flight = joined ?? depart(key, text);
    flight.waiters += 1;
    try {
      return await untilAborted(flight.query.vector, signal);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        flight.query.giveUp();
        // Landed or given up: nobody may join it any more.
        if (flights.get(key) === flight) flights.delete(key);
      }
    }
  };
}
