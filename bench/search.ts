import { hashText } from "../src/litellm/hashing.js";
import { BruteForce } from "./bruteForce.js";
import { cleanUp } from "./cleanup.js";
import { type Kind, type Query, type Source, createSource } from "./data.js";
import { createTarget } from "./database.js";
import { startEmbeddingServer } from "./embeddingServer.js";
import { createFilledStore } from "./fill.js";
import { type HttpClient, createHttpClient } from "./http.js";
import { type Measured, peakDuring } from "./load.js";
import { measureLitellmPgvector } from "./litellmPgvector.js";
import { type Goal, type Report, type Table, atLeast, atMost, makeTable } from "./results.js";
import {
  type Pace,
  checkRecall,
  k,
  measureSearches,
  measureStatements,
  ownTimes,
  search,
  searchPath,
} from "./searching.js";
import { startBareServer, startService } from "./service.js";

export interface SearchOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number[];
  clients: number[];
  dimensions: number[];
  vectors: Kind;
  litellmPgvector?: string;
  python?: string;
}

const queryCount = 200;
/** Number of queries compared with brute force. */
const checkedQueries = 50;
/**
 * Searches until the code is compiled: before, the service's own part takes 1.5 times as long, while the bare server
 * has little code.
 */
const untilWarm = 2000;
/** Service and bare server are measured in turn this often, and the pair with the median ratio counts. */
const rounds = 3;

interface Case {
  rows: number;
  dimensions: number;
  recall: number;
  runs: { service: Measured; bare: Measured; peak: number }[];
  one: Measured;
  raw: Measured;
  own: Pick<Measured, "p50" | "p95">;
}

/**
 * Searches/s of service and bare server for every number of rows and clients, in a new database for each number of
 * rows.
 */
export async function benchSearch(options: SearchOptions): Promise<Report> {
  const cases: Case[] = [];
  const notes: string[] = [];
  let about = { version: "", database: "" };
  for (const dimensions of options.dimensions) {
    for (const rows of options.rows) {
      const { found, said, ...rest } = await benchRows(options, rows, dimensions);
      cases.push(found);
      about = rest;
      notes.push(said);
      await cleanUp();
    }
  }
  const tables = [rateTable(cases), oneTable(cases)];
  if (options.litellmPgvector !== undefined) {
    const source = createSource("text", 1536);
    const peers = await measureLitellmPgvector({ ...options, checkout: options.litellmPgvector, source });
    await cleanUp();
    tables.push(makeTable("litellm-pgvector on the same machine:", peerColumns, peers.map(peerRow)));
  }
  return {
    kind: "search",
    title: options.vectors === "dense" ? "Search, dense vectors" : "Search",
    ...about,
    notes: [...new Set(notes)],
    tables,
    goals: goalsOf(cases, options),
  };
}

async function benchRows(options: SearchOptions, rows: number, dimensions: number) {
  const source = createSource(options.vectors, dimensions);
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n));
  const checked = queries.slice(0, checkedQueries);
  const target = await createTarget(options.databaseUrl);
  const model = options.vectors === "text" ? {} : { embeddingUrl: await startEmbeddingServer(source.vectorOf) };
  const service = await startService(target, { dimensions, settings: options.settings, ...model });
  const truth = new BruteForce(
    checked.map((each) => each.vector),
    rows,
  );
  const storeId = await createFilledStore(service, target, {
    source,
    count: rows,
    onRow: (n, row) => {
      truth.add(n, row.vector);
    },
  });
  const path = searchPath(storeId);
  const searches = queries.map(({ text }) => ({ path, body: { query: text } }));
  const { recall } = await checkRecall(
    service.http,
    truth,
    checked.map(({ text }) => ({ path, query: text, rows })),
  );
  const first = await search(service.http, path, queries[0]?.text ?? "");
  const ours = (clients: number) =>
    peakDuring(service.rss, () => measureSearches(service.http, clients, options, searches));
  const startBare = async () => {
    const about = { storeId, limit: k, dimensions, vectors: options.vectors, queries: queryCount };
    const { url } = await startBareServer(target, about);
    const http = createHttpClient(url, "");
    await expectSame(http, queries[0]?.text ?? "", first);
    const bare = searches.map(({ body }) => ({ path: "/", body }));
    await warmUp(http, bare);
    return (clients: number) => measureSearches(http, clients, options, bare);
  };
  const runs: Case["runs"] = [];
  const serviceAlone = async () => {
    const { result: one } = await ours(1);
    return { one, own: await ownTimes(service.http, options, searches) };
  };
  let alone: Awaited<ReturnType<typeof serviceAlone>>;
  let raw: Measured;
  await warmUp(service.http, searches);
  if (target.kind === "postgres") {
    const bare = await startBare();
    for (const clients of options.clients) {
      const pairs: Case["runs"] = [];
      // In turn, so that both see the same conditions.
      for (let round = 0; round < rounds; round += 1) {
        const { result, peak } = await ours(clients);
        pairs.push({ service: result, bare: await bare(clients), peak });
      }
      runs.push(...middle(pairs));
    }
    alone = await serviceAlone();
    raw = await measureStatements(target, storeId, queries, options);
  } else {
    // The embedded database has one owner at a time.
    const results: Awaited<ReturnType<typeof ours>>[] = [];
    for (const clients of options.clients) results.push(await ours(clients));
    alone = await serviceAlone();
    await service.stop();
    raw = await measureStatements(target, storeId, queries, options);
    const bare = await startBare();
    for (const { result, peak } of results) {
      runs.push({ service: result, bare: await bare(result.clients), peak });
    }
  }
  const { one } = alone;
  const own = alone.own ?? { p50: one.p50 - raw.p50, p95: one.p95 - raw.p95 };
  const said = noteOf(options, alone.own !== null, source, queries);
  console.error(`${rows} rows, ${dimensions} dimensions: recall ${recall.toFixed(4)}, p50 ${one.p50.toFixed(2)} ms`);
  const found: Case = { rows, dimensions, recall, runs, one, raw, own };
  return { version: service.version, database: service.database, said, found };
}

function noteOf(options: SearchOptions, reportsOwnTime: boolean, source: Source, queries: readonly Query[]): string {
  const own = reportsOwnTime
    ? "Own time is what the service reports for itself: everything except database and model."
    : "The service does not report its own time; it is taken as the difference to the statements alone, including HTTP and client.";
  const embedding =
    options.vectors === "text"
      ? `The built-in embedder takes ${timeEmbedding(source, queries).toFixed(3)} ms per query; the bare server has the vectors prepared.`
      : "Embeddings come from a server in the measuring process, called once for each of 200 queries.";
  return `${own} ${embedding}`;
}

/** Only the pair with the median ratio. */
function middle(pairs: Case["runs"]): Case["runs"] {
  const ratio = ({ service, bare }: Case["runs"][number]) => service.rate / bare.rate;
  const at = Math.floor(pairs.length / 2);
  return pairs.toSorted((a, b) => ratio(a) - ratio(b)).slice(at, at + 1);
}

async function warmUp(http: HttpClient, searches: readonly { path: string; body: object }[]): Promise<void> {
  const clients = 8;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = client; n < untilWarm; n += clients) {
        const { path, body } = searches[n % searches.length] ?? { path: "/", body: {} };
        await http.post(path, Buffer.from(JSON.stringify({ max_num_results: k, ...body })));
      }
    }),
  );
}

/** A limit must return the same rows. */
async function expectSame(http: HttpClient, query: string, expected: readonly string[]): Promise<void> {
  const found = await search(http, "/", query);
  if (found.join() !== expected.join())
    throw new Error(`the bare server found ${found.join()}, not ${expected.join()}`);
}

/** The best of several rounds: the cost once the code is compiled. */
function timeEmbedding(source: Source, queries: readonly Query[]): number {
  const dimensions = source.query(0).vector.length;
  const rounds = Array.from({ length: 10 }, () => {
    const start = performance.now();
    for (const { text } of queries) hashText(text, dimensions);
    return (performance.now() - start) / queries.length;
  });
  return Math.min(...rounds);
}

const rateColumns = (
  "dimensions:whole rows:whole clients:whole searches/s:fraction bare_server:fraction ratio:percent p50_ms:fraction p95_ms:fraction " +
  "p99_ms:fraction bare_p99_ms:fraction recall@10:recall memory_MB:whole"
)
  .split(" ")
  .map((each) => each.replace("_", " ").replace("_", " "));

function rateTable(cases: readonly Case[]): Table {
  const rows = cases.flatMap(({ dimensions, rows, recall, runs }) =>
    runs.map(({ service: s, bare, peak }) => {
      const times = [s.p50, s.p95, s.p99, bare.p99];
      return [dimensions, rows, s.clients, s.rate, bare.rate, s.rate / bare.rate, ...times, recall, peak];
    }),
  );
  return makeTable("", rateColumns, rows);
}

function oneTable(cases: readonly Case[]): Table {
  const columns = ["dimensions:whole", "rows:whole", "p50 ms:fraction", "statements alone:fraction", "ratio:percent"];
  const rows = cases.map(({ dimensions, rows, one, raw, own }) => {
    return [dimensions, rows, one.p50, raw.p50, raw.p50 / one.p50, own.p50, own.p95];
  });
  const title = "One client, compared with the same statements sent by a database client without HTTP:";
  return makeTable(title, [...columns, "own time p50 ms:fraction", "p95 ms:fraction"], rows);
}

const peerColumns = ["rows:whole", "clients:whole", "searches/s:fraction", "p50 ms:fraction", "p95 ms:fraction"];
const peerRow = ({ rows, clients, rate, p50, p95 }: Measured & { rows: number }) => [rows, clients, rate, p50, p95];

function goalsOf(cases: readonly Case[], options: SearchOptions): Goal[] {
  const embedded = options.databaseUrl === "pglite";
  return cases.flatMap(({ rows, dimensions, recall, runs, one, raw, own }) => {
    const name = `search${options.vectors === "dense" ? ", dense vectors" : ""}, ${rows.toLocaleString("en")} × ${dimensions.toLocaleString("en")}`;
    if (embedded) return [atLeast(`${name}, embedded: share of raw SQL`, 0.7, raw.p50 / one.p50, "percent")];
    const rates = runs.flatMap(({ service, bare }) => [
      atLeast(
        `${name}, ${service.clients} client(s): share of the bare server`,
        0.85,
        service.rate / bare.rate,
        "percent",
      ),
      ...(service.clients === 8
        ? [atMost(`${name}, 8 clients: p99 relative to the bare server`, 1.5, service.p99 / bare.p99, "fraction")]
        : []),
    ]);
    const usual = cases.find((each) => each.rows === rows && each.dimensions === 1536);
    const wide =
      dimensions === 1536 || usual === undefined
        ? []
        : [atMost(`${name}: p50 relative to 1,536 dimensions`, 2.5, one.p50 / usual.one.p50, "fraction")];
    return [
      ...rates,
      atMost(`${name}: own time p50, ms`, 1, own.p50, "fraction"),
      atMost(`${name}: own time p95, ms`, 3, own.p95, "fraction"),
      atLeast(`${name}: recall@10`, 0.99, recall, "recall"),
      ...wide,
    ];
  });
}
