import { z } from "zod";
import { hashText } from "../src/litellm/hashing.js";
import { BruteForce } from "./bruteForce.js";
import { cleanUp } from "./cleanup.js";
import { createTexts, dimensions, metadataOf, topics, wireBatch } from "./data.js";
import { createTarget, openRaw } from "./database.js";
import { type HttpClient, createHttpClient } from "./http.js";
import { type Measured, measure, peakDuring } from "./load.js";
import type { RunningProcess } from "./process.js";
import { type SearchResult, describeMachine } from "./results.js";
import { startBareServer, startService } from "./service.js";

export interface SearchOptions {
  databaseUrl: string;
  seconds: number;
  warmup: number;
  rows: number[];
  clients: number[];
}

const k = 10;
const queryCount = 200;
/** Of the queries, those that are compared with brute force. */
const checkedQueries = 50;

/** Searches/s for every number of rows and clients, the bare server's beside them, on a new database for each number of rows. */
export async function benchSearch(options: SearchOptions): Promise<SearchResult> {
  const texts = createTexts();
  const queries = Array.from({ length: queryCount }, (_, n) => texts.query((n * 7) % topics));
  const embedMs = timeEmbedding(queries);
  const cases: SearchResult["cases"] = [];
  let about = { version: "", database: "" };
  for (const rows of options.rows) {
    const { result, ...rest } = await benchRows(options, rows, queries);
    cases.push(...result);
    about = rest;
    await cleanUp();
  }
  return {
    kind: "search",
    measuredAt: new Date().toISOString(),
    ...about,
    machine: describeMachine(),
    seconds: options.seconds,
    dimensions,
    embedMs,
    cases,
  };
}

async function benchRows(options: SearchOptions, rows: number, queries: readonly string[]) {
  const target = await createTarget(options.databaseUrl);
  const service = await startService(target);
  const storeId = await service.createStore();
  const path = `/v1/vector_stores/${storeId}/search`;
  const truth = await fill(service.http, storeId, rows, queries.slice(0, checkedQueries));
  await service.expectRows(storeId, rows);
  if (target.kind === "postgres") {
    // What autovacuum would do in the midst of the measurement. The embedded database has no autovacuum.
    const raw = await openRaw(target.environment);
    await raw.query("VACUUM (ANALYZE) embeddings");
    await raw.close();
  }
  const { recall, first } = await checkRecall(service.http, path, truth, queries.slice(0, checkedQueries));
  const ours: { result: Measured; peak: number }[] = [];
  const bare: Measured[] = [];
  const runOurs = async (clients: number) => {
    ours.push(await peakDuring(service.rss, () => run(service.http, path, clients, options, queries)));
  };
  const startBare = async () => {
    const server = await startBareServer(target, storeId, k);
    const http = createHttpClient(server.url, "");
    await expectSame(http, queries[0] ?? "", first);
    return { server, http };
  };
  const runBare = async ({ http }: { server: RunningProcess; http: HttpClient }, clients: number) => {
    bare.push(await run(http, "/", clients, options, queries));
  };
  if (target.kind === "postgres") {
    // In turn, so that both see the same weather.
    const limit = await startBare();
    for (const clients of options.clients) {
      await runOurs(clients);
      await runBare(limit, clients);
    }
  } else {
    for (const clients of options.clients) await runOurs(clients);
    await service.stop();
    const limit = await startBare();
    for (const clients of options.clients) await runBare(limit, clients);
  }
  const result = ours.flatMap(({ result, peak }, i) => {
    const limit = bare[i];
    if (limit === undefined) return [];
    const ratio = result.rate / limit.rate;
    console.error(
      `${rows} rows, ${result.clients} client(s): ${result.rate.toFixed(1)} searches/s, bare ${limit.rate.toFixed(1)}, recall ${recall.toFixed(3)}`,
    );
    return [{ rows, recall, service: result, bare: limit, ratio, peakRssMb: peak }];
  });
  return { version: service.version, database: service.database, result };
}

/** Rows whose embedding is the built-in embedder's of their content, so that queries and rows are of one kind. */
async function fill(http: HttpClient, storeId: string, count: number, queries: readonly string[]): Promise<BruteForce> {
  const texts = createTexts();
  const truth = new BruteForce(queries.map((query) => hashText(query, dimensions)));
  const batch = 500;
  for (let start = 0; start < count; start += batch) {
    const rows = Array.from({ length: Math.min(batch, count - start) }, (_, i) => {
      const topic = (start + i) % topics;
      const content = texts.content(topic);
      const vector = hashText(content, dimensions);
      truth.add(vector);
      return { id: `row-${start + i}`, content, metadata: metadataOf(topic), vector };
    });
    await http.post(`/v1/vector_stores/${storeId}/embeddings/batch`, wireBatch(rows, "base64"));
  }
  return truth;
}

const searchAnswer = z.object({ data: z.array(z.object({ id: z.string() })) });

async function search(http: HttpClient, path: string, query: string): Promise<string[]> {
  const answer = searchAnswer.parse(JSON.parse(await http.post(path, { query, max_num_results: k })));
  return answer.data.map((hit) => hit.id);
}

async function checkRecall(http: HttpClient, path: string, truth: BruteForce, queries: readonly string[]) {
  const answers: string[][] = [];
  for (const query of queries) answers.push(await search(http, path, query));
  const shares = answers.map((ids, q) =>
    truth.recall(
      q,
      ids.map((id) => Number(id.replace("row-", ""))),
      k,
    ),
  );
  return { recall: shares.reduce((sum, each) => sum + each, 0) / shares.length, first: answers[0] ?? [] };
}

/** A limit that answers something else is none. */
async function expectSame(http: HttpClient, query: string, expected: readonly string[]): Promise<void> {
  const found = await search(http, "/", query);
  if (found.join() !== expected.join())
    throw new Error(`the bare server found ${found.join()}, not ${expected.join()}`);
}

async function run(
  http: HttpClient,
  path: string,
  clients: number,
  options: SearchOptions,
  queries: readonly string[],
): Promise<Measured> {
  const bodies = queries.map((query) => Buffer.from(JSON.stringify({ query, max_num_results: k })));
  // Each client begins elsewhere in the list, so that no two ask the same at once.
  const work = (client: number, turn: number) =>
    http.post(path, bodies[(client * 37 + turn) % bodies.length] ?? Buffer.alloc(0));
  await measure(clients, options.warmup, work);
  return measure(clients, options.seconds, work);
}

/** The best of some rounds: what it costs once the code is warm. */
function timeEmbedding(queries: readonly string[]): number {
  const rounds = Array.from({ length: 10 }, () => {
    const start = performance.now();
    for (const query of queries) hashText(query, dimensions);
    return (performance.now() - start) / queries.length;
  });
  return Math.min(...rounds);
}
