import { BruteForce } from "./bruteForce.js";
import { cleanUp } from "./cleanup.js";
import { type Source, createSource } from "./data.js";
import { type Target, createTarget } from "./database.js";
import { startEmbeddingServer } from "./embeddingServer.js";
import { fill, settle } from "./fill.js";
import { type Measured, peakDuring } from "./load.js";
import { type Report, atLeast, atMost, makeTable } from "./results.js";
import { type Pace, checkRecall, measureSearches, measureStatements, searchPath } from "./searching.js";
import { type Service, startService } from "./service.js";

export interface StoresOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  /** Number of small stores. */
  stores: number;
  /** Rows in each of them. */
  storeRows: number;
  /** Rows of the stores whose recall is checked, all in one database with the small ones. */
  sizes: number[];
}

const dimensions = 1536;
const queryCount = 50;
const statements = "p50 of the statements alone:fraction";

/**
 * Searches among many small stores, compared with one store alone; then recall and time in stores of different sizes
 * beside them.
 */
export async function benchStores(options: StoresOptions): Promise<Report> {
  const source = createSource("dense", dimensions);
  const target = await createTarget(options.databaseUrl);
  if (target.kind === "pglite") throw new Error("many stores are measured on a PostgreSQL server");
  const embeddingUrl = await startEmbeddingServer(source.vectorOf);
  const service = await startService(target, { dimensions, settings: options.settings, embeddingUrl });
  const { result, peak } = await peakDuring(service.rss, async () => {
    const small = await measureSmall(service, target, options, source);
    const sizes = [];
    let from = options.stores * options.storeRows;
    for (const rows of options.sizes) {
      sizes.push(await measureSize(service, target, options, source, rows, from));
      from += rows;
    }
    return { ...small, sizes, total: from };
  });
  const { first, among, all, sizes, total } = result;
  const some = options.stores.toLocaleString("en");
  const { version, database } = service;
  await cleanUp();
  const every = `stores of ${options.sizes.map((each) => each.toLocaleString("en")).join(" / ")} among ${total.toLocaleString("en")} rows`;
  const line = (what: string, each: Measured) => [what, each.rate, each.p50, each.p95, each.p99, each.p50 / first.p50];
  return {
    kind: "stores",
    title: "Stores",
    version,
    database,
    notes: [
      `${total.toLocaleString("en")} rows of ${dimensions} dimensions in total; one client; the largest memory was ${Math.round(peak)} MB.`,
    ],
    tables: [
      makeTable(
        `Stores of ${options.storeRows} rows:`,
        [
          "",
          "searches/s:fraction",
          "p50 ms:fraction",
          "p95 ms:fraction",
          "p99 ms:fraction",
          "relative to one store:fraction",
        ],
        [line("one store", first), line(`the same among ${some}`, among), line(`all ${some} in turn`, all)],
      ),
      makeTable(
        "Stores of all sizes beside them:",
        [
          "rows:whole",
          "recall@10:recall",
          "rows found:whole",
          "of:whole",
          "p50 ms:fraction",
          "p95 ms:fraction",
          statements,
        ],
        sizes.map(({ rows, recall, found, due, measured: { p50, p95 }, raw }) => {
          return [rows, recall, found, due, p50, p95, raw.p50];
        }),
      ),
    ],
    goals: [
      atMost(`1 → ${some} stores: p50 of the first`, 1.3, among.p50 / first.p50, "fraction"),
      atMost(`1 → ${some} stores: p50 of all in turn`, 1.3, all.p50 / first.p50, "fraction"),
      atLeast(`${every}: lowest recall@10`, 0.99, Math.min(...sizes.map((each) => each.recall)), "recall"),
      atLeast(
        `${every}: share of the results due`,
        1,
        Math.min(...sizes.map((each) => each.found / each.due)),
        "percent",
      ),
    ],
  };
}

async function measureSmall(
  service: Service,
  target: Target,
  options: StoresOptions,
  source: Source,
): Promise<{ first: Measured; among: Measured; all: Measured }> {
  const ids: string[] = [];
  const create = async () => {
    const storeId = await service.createStore();
    await fill(service, { storeId, count: options.storeRows, from: ids.length * options.storeRows, row: source.row });
    ids.push(storeId);
  };
  await create();
  await settle(target);
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n).text);
  const searchesOf = (stores: readonly string[]) =>
    Array.from({ length: Math.max(stores.length, queries.length) }, (_, i) => ({
      path: searchPath(stores[i % stores.length] ?? ""),
      body: { query: queries[i % queries.length] },
    }));
  const measured = (stores: readonly string[]) => measureSearches(service.http, 1, options, searchesOf(stores));
  // Warm-up: code that V8 has not compiled yet takes 1.5 times as long, so one store would seem slower than it is.
  await measured(ids.slice(0, 1));
  const first = await measured(ids.slice(0, 1));
  const begun = performance.now();
  while (ids.length < options.stores) await create();
  console.error(`${options.stores} stores in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  await settle(target);
  return { first, among: await measured(ids.slice(0, 1)), all: await measured(ids) };
}

async function measureSize(
  service: Service,
  target: Target,
  options: StoresOptions,
  source: Source,
  rows: number,
  from: number,
) {
  const queries = Array.from({ length: queryCount }, (_, n) => source.query(n));
  const truth = new BruteForce(
    queries.map((each) => each.vector),
    from + rows,
  );
  const storeId = await service.createStore();
  const onRow = (n: number, row: { vector: Float32Array }) => {
    truth.add(n, row.vector);
  };
  await fill(service, { storeId, count: rows, from, row: source.row, onRow });
  await service.expectRows(storeId, rows);
  console.error(`${rows} rows: ${await service.untilIndexed(storeId)}`);
  await settle(target);
  const path = searchPath(storeId);
  const checked = await checkRecall(
    service.http,
    truth,
    queries.map(({ text }) => ({ path, query: text, rows })),
  );
  const searches = queries.map(({ text }) => ({ path, body: { query: text } }));
  const measured = await measureSearches(service.http, 1, options, searches);
  const raw = await measureStatements(target, storeId, queries, options);
  console.error(`store of ${rows}: recall ${checked.recall.toFixed(4)}, ${checked.found} of ${checked.due} results`);
  return { rows, ...checked, measured, raw };
}
