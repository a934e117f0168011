import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { untilAborted } from "../process/abort.js";
import type { Usage } from "./contract.js";
import type { GateDeps, Sending } from "./gate.js";
import type { Query, QueryRequests } from "./queryQueue.js";
import { createQueryQueue } from "./queryQueue.js";

/** For all accounts together: 6 MB at 1,536 dimensions. */
const cachedQueries = 1_000;
const cachedForMs = 10 * 60 * 1000;

/** A text on its way, and how many calls wait for it. */
interface Flight {
  readonly query: Query;
  waiters: number;
}

/** The flights of one account. They never share a request, a cached vector or a failure with another account's. */
interface Lane {
  readonly add: (text: string) => Query;
  readonly flights: Map<string, Flight>;
}

/**
 * Implements `embedQuery` on requests for many vectors. Within an account, identical concurrent queries become one text
 * of a request, and different ones may share a request (queryQueue.ts). Vectors stay cached for 10 minutes, at most
 * 1,000 for all accounts; only the account that paid for a vector gets it. A caller who leaves does not disturb the
 * others. A text that no caller waits for any more is given up. Failures are not cached.
 */
export function joinQueries(
  requests: QueryRequests,
  { clock, metrics }: GateDeps,
): (text: string, sending: Sending, usage?: Usage) => Promise<Float32Array> {
  const cache = new LRUCache<string, Float32Array>({
    max: cachedQueries,
    ttl: cachedForMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  // Only accounts with waiting calls have a lane.
  const lanes = new Map<string, Lane>();

  const depart = (lane: Lane, key: string, text: string): Flight => {
    const flight = { query: lane.add(text), waiters: 0 };
    lane.flights.set(key, flight);
    flight.query.vector.then(
      (vector) => cache.set(key, vector),
      () => undefined, // the waiting calls see it
    );
    return flight;
  };

  return async (text, { account, signal }, usage) => {
    signal?.throwIfAborted();
    // A digest, so that a thousand long queries do not fill the memory.
    const key = `${account.id} ${hash("sha256", text, "base64")}`;
    const cached = cache.get(key);
    const found = lanes.get(account.id);
    const joined = found?.flights.get(key);
    metrics.queryCache.inc({ result: cached !== undefined ? "hit" : joined !== undefined ? "joined" : "miss" });
    if (cached !== undefined) return cached;
    // Its requests serve several calls, so each counts its own part of them below.
    const shared = { ...account, meter: undefined };
    const lane = found ?? { add: createQueryQueue(requests, shared, clock), flights: new Map<string, Flight>() };
    lanes.set(account.id, lane);
    const flight = joined ?? depart(lane, key, text);
    flight.waiters += 1;
    try {
      const vector = await untilAborted(flight.query.vector, signal);
      // Calls that joined get it for nothing, as from the cache: it was paid for once.
      if (joined === undefined) {
        if (usage !== undefined) usage.tokens += flight.query.tokens();
        if (account.meter !== undefined) account.meter.tokens += flight.query.tokens();
      }
      return vector;
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        flight.query.giveUp();
        // The flight has ended: no later call may join it.
        lane.flights.delete(key);
        if (lane.flights.size === 0 && lanes.get(account.id) === lane) lanes.delete(account.id);
      }
    }
  };
}
