import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { BruteForce } from "./bruteForce.js";
import { type Target, openRaw } from "./database.js";
import { numberOf } from "./fill.js";
import type { HttpClient } from "./http.js";
import { type Measured, mean, measure, percentiles } from "./load.js";
import { recordSearches, replay } from "./recording.js";

/** Shared by the benchmarks of searching. */

export const k = 10;

/** Duration of one measurement and of the same load before it, in seconds. */
export interface Pace {
  seconds: number;
  warmup: number;
}

const answer = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Ids of the found rows, in order. @param body fields besides `query` and the number of results */
export async function search(http: HttpClient, path: string, query: string, body: object = {}): Promise<string[]> {
  const text = await http.post(path, { query, max_num_results: k, ...body });
  return answer.parse(JSON.parse(text)).data.map((hit) => hit.id);
}

export const searchPath = (storeId: string) => `/v1/vector_stores/${storeId}/search`;

/**
 * Rate and times of searches whose bodies are prepared beforehand. Each client starts at another place in the list, so
 * that no two send the same search at once.
 */
export async function measureSearches(
  http: HttpClient,
  clients: number,
  pace: Pace,
  searches: readonly { path: string; body: object }[],
): Promise<Measured> {
  const ready = searches.map(({ path, body }) => ({
    path,
    bytes: Buffer.from(JSON.stringify({ max_num_results: k, ...body })),
  }));
  const work = async (client: number, turn: number) => {
    const next = ready[(client * 37 + turn) % ready.length];
    if (next !== undefined) await http.post(next.path, next.bytes);
  };
  await measure(clients, pace.warmup, work);
  return measure(clients, pace.seconds, work);
}

/**
 * The limit: the statements of the service's own searches sent by a bare database client, one after the other, without
 * HTTP. On the embedded database the service must have stopped.
 */
export async function measureStatements(
  target: Target,
  storeId: string,
  searches: readonly { vector: Float32Array; filters?: object }[],
  pace: Pace,
): Promise<Measured> {
  const recorded = await recordSearches(target.environment, storeId, searches, k);
  const raw = await openRaw(target.environment);
  const work = (_: number, turn: number) => replay(raw, recorded[turn % recorded.length] ?? []);
  await measure(1, pace.warmup, work);
  const measured = await measure(1, pace.seconds, work);
  await raw.close();
  return measured;
}

/**
 * The share of the truly nearest rows that was found, and how many rows were found of those due.
 * @param matches which rows a search's filter matches
 */
export async function checkRecall(
  http: HttpClient,
  truth: BruteForce,
  searches: readonly { path: string; query: string; body?: object; matches?: (n: number) => boolean; rows: number }[],
): Promise<{ recall: number; found: number; due: number }> {
  const recalls: number[] = [];
  let [found, due] = [0, 0];
  for (const [q, { path, query, body, matches, rows }] of searches.entries()) {
    const ids = await search(http, path, query, body);
    recalls.push(truth.recall(q, ids.map(numberOf), k, matches));
    found += new Set(ids).size;
    due += Math.min(k, rows);
  }
  return { recall: mean(recalls), found, due };
}

/**
 * The service's own share of its searches with one client, in ms: the total minus database and model, as reported in
 * `Server-Timing`; null if it is not reported.
 */
export async function ownTimes(
  http: HttpClient,
  pace: Pace,
  searches: readonly { path: string; body: object }[],
): Promise<ReturnType<typeof percentiles> | null> {
  const times: number[] = [];
  await measure(1, pace.seconds, async (_, turn) => {
    const next = searches[turn % searches.length];
    if (next === undefined) return;
    const { headers } = await http.postForHeaders(next.path, { max_num_results: k, ...next.body });
    const { own } = serverTimes(headers);
    if (own !== null) times.push(own);
  });
  return times.length === 0 ? null : percentiles(times);
}

/**
 * A request's times in ms, as reported in `Server-Timing`; `own`: everything except database and model, null if not
 * reported.
 */
export function serverTimes(headers: IncomingHttpHeaders): { database: number; own: number | null } {
  const header = [headers["server-timing"] ?? []].flat().join();
  const duration = (name: string) => Number(new RegExp(`\\b${name};dur=([\\d.]+)`).exec(header)?.[1]);
  const database = duration("db") || 0;
  const own = duration("total") - database - (duration("model") || 0);
  return { database, own: Number.isNaN(own) ? null : own };
}
