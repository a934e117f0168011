import { cleanUp } from "./cleanup.js";
import { type Encoding, type Row, createSource, wireBatch, wireRow } from "./data.js";
import { type Target, createTarget } from "./database.js";
import { createFilledStore, fill } from "./fill.js";
import { hasPsql, measureCopies, openEngine } from "./limits.js";
import { type Measured, measure, peakDuring } from "./load.js";
import { type Goal, type Report, atLeast, atMost, makeTable } from "./results.js";
import type { Pace } from "./searching.js";
import { type Service, startService } from "./service.js";

export interface InsertOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  clients: number[];
  batches: number[];
  ndjsonRows: number;
  /** Rows of the indexed store; 0 skips it. */
  indexedRows: number;
  psql: string;
}

interface Case extends Measured {
  what: string;
  store: "new" | "indexed";
  rowsPerRequest: number;
  /** Null for a limit. */
  encoding: Encoding | null;
  peak: number | null;
}

const dimensions = 1536;
const encodings = ["numbers", "base64"] as const;
const words: Record<Encoding, string> = { numbers: "JSON numbers", base64: "base64" };
/** A store counts as new up to here, before it has enough rows for an index. */
const newStoreRows = 5000;
/** From here on an upload is long enough to show whether memory grows. */
const longUpload = 100_000;

interface Scene {
  target: Target;
  service: Service;
}

/** Rows/s of every kind of insertion, and of the same database without the service, each in its own database. */
export async function benchInsert(options: InsertOptions): Promise<Report> {
  const source = createSource("dense", dimensions);
  const rows = Array.from({ length: newStoreRows }, (_, n) => source.row(n));
  const cases: Case[] = [];
  const goals: Goal[] = [];
  let about = { version: "", database: "" };
  const record = (found: Omit<Case, keyof Measured>, measured: Measured) => {
    cases.push({ ...measured, ...found });
    const rate = Math.round(measured.rate * found.rowsPerRequest);
    console.error(`${found.what}, ${found.store} store, ${measured.clients} client(s): ${rate} rows/s`);
  };
  const scene = async (work: (scene: Scene) => Promise<void>) => {
    const target = await createTarget(options.databaseUrl);
    const service = await startService(target, { dimensions, settings: options.settings });
    about = { version: service.version, database: service.database };
    await work({ target, service });
    await cleanUp();
  };
  const copies = options.databaseUrl !== "pglite" && hasPsql(options.psql);
  const copy = async ({ target, service }: Scene, store: Case["store"]) => {
    const storeId = await service.createStore();
    await fill(service, { storeId, count: rows.length, row: source.row, idOf: (n) => `copied-${store}-${n}` });
    for (const { what, measured } of await measureCopies(options.psql, options.seconds, target, storeId)) {
      record({ what, store, rowsPerRequest: rows.length, encoding: null, peak: null }, measured);
    }
  };
  if (copies) await scene((each) => copy(each, "new"));
  for (const batch of options.batches) {
    for (const clients of options.clients) {
      await scene(async (each) => {
        const measured = await measureEngine(options, each, rows.slice(0, batch), clients);
        const what = `limit: engine's INSERT of ${batch}`;
        record({ what, store: "new", rowsPerRequest: batch, encoding: null, peak: null }, measured);
      });
      for (const encoding of encodings) {
        await scene(async ({ service }) => {
          const found = await measureBatches(options, service, newStores(service), rows, { batch, clients, encoding });
          record({ what: `batch of ${batch}, ${words[encoding]}`, store: "new", ...found }, found.measured);
        });
      }
    }
  }
  for (const clients of options.clients) {
    for (const encoding of encodings) {
      await scene(async ({ service }) => {
        const found = await measureNdjson(options, service, rows.slice(0, 1000), clients, encoding);
        const what = `NDJSON of ${found.rowsPerRequest}, ${words[encoding]}`;
        record({ what, store: "new", ...found }, found.measured);
        if (found.rowsPerRequest < longUpload) return;
        goals.push(
          atMost(`${what}, ${clients} client(s): memory, second half relative to first`, 1.2, found.growth, "fraction"),
        );
      });
    }
  }
  if (options.indexedRows > 0) {
    await scene(async (each) => {
      const { service, target } = each;
      const storeId = await createFilledStore(service, target, { source, count: options.indexedRows });
      const batch = Math.max(...options.batches);
      const one = { next: () => Promise.resolve(storeId), count: options.indexedRows, storeIds: [storeId] };
      for (const clients of options.clients) {
        for (const encoding of encodings) {
          const found = await measureBatches(options, service, one, rows, { batch, clients, encoding });
          one.count = found.count;
          record({ what: `batch of ${batch}, ${words[encoding]}`, store: "indexed", ...found }, found.measured);
        }
      }
      if (copies) await copy(each, "indexed");
    });
  }
  goals.push(...goalsOf(cases));
  const notes = [
    "“of COPY” compares with psql's COPY into the same tables without indexes, immediately before or after, with one client.",
  ];
  return { kind: "insert", title: "Insert", ...about, notes, tables: [tableOf(cases)], goals };
}

/** The engine's own INSERT, without HTTP. */
async function measureEngine(
  options: InsertOptions,
  { target, service }: Scene,
  rows: readonly Row[],
  clients: number,
): Promise<Measured> {
  const storeId = await service.createStore();
  // The embedded database has one owner, with one connection.
  if (options.databaseUrl === "pglite") await service.stop();
  const engine = await openEngine(target.environment, storeId);
  const work = () => engine.insert(rows);
  await measure(clients, options.warmup, work);
  const measured = await measure(clients, options.seconds, work);
  await engine.close();
  return measured;
}

/** The stores to insert into, and how many rows they had before. */
interface Stores {
  next: (rows: number) => Promise<string>;
  count: number;
  storeIds: string[];
}

/** Each store takes 5,000 rows, then the next one follows. */
export function newStores(service: Service): Stores {
  const storeIds: string[] = [];
  let current: Promise<string> | null = null;
  let left = 0;
  const next = (rows: number) => {
    if (current === null || left < rows) {
      left = Math.max(rows, newStoreRows);
      current = service.createStore();
      current.then((id) => storeIds.push(id)).catch(() => undefined);
    }
    left -= rows;
    return current;
  };
  return { next, count: 0, storeIds };
}

/** POST …/embeddings/batch. Bodies are prepared beforehand; their rows have no ids, so each request adds new ones. */
async function measureBatches(
  options: InsertOptions,
  service: Service,
  stores: Stores,
  rows: readonly Row[],
  { batch, clients, encoding }: { batch: number; clients: number; encoding: Encoding },
) {
  const bodies = Array.from({ length: Math.max(1, Math.min(5, Math.floor(rows.length / batch))) }, (_, i) =>
    wireBatch(rows.slice(i * batch, (i + 1) * batch), encoding),
  );
  const work = async (client: number, turn: number) => {
    const path = `/v1/vector_stores/${await stores.next(batch)}/embeddings/batch`;
    await service.http.post(path, bodies[(client + turn) % bodies.length] ?? Buffer.alloc(0));
  };
  const warm = await measure(clients, options.warmup, work);
  const { result: measured, peak } = await peakDuring(service.rss, () => measure(clients, options.seconds, work));
  const count = stores.count + (warm.requests + measured.requests) * batch;
  await expectInAll(service, stores.storeIds, count);
  return { measured, peak, encoding, rowsPerRequest: batch, count };
}

/** The same route with one long body of lines, each upload into its own store. */
async function measureNdjson(
  options: InsertOptions,
  service: Service,
  rows: readonly Row[],
  clients: number,
  encoding: Encoding,
) {
  const repeat = Math.max(1, Math.round(options.ndjsonRows / rows.length));
  const body = Buffer.from(rows.map((row) => `${wireRow(row, encoding)}\n`).join(""));
  const total = rows.length * repeat;
  const storeIds: string[] = [];
  const work = async () => {
    const storeId = await service.createStore();
    storeIds.push(storeId);
    const path = `/v1/vector_stores/${storeId}/embeddings/batch`;
    const answer = await service.http.post(path, body, { contentType: "application/x-ndjson", repeat });
    // A failure after the first commit is reported in the last line of an answer with status 200.
    if (!answer.trimEnd().split("\n").at(-1)?.includes(`"count":${total}`)) throw new Error(answer.slice(-300));
  };
  if (total < longUpload) await measure(clients, options.warmup, work);
  const {
    result: measured,
    peak,
    growth,
  } = await peakDuring(service.rss, () => measure(clients, options.seconds, work));
  await expectInAll(service, storeIds, storeIds.length * total);
  return { measured, peak, growth, encoding, rowsPerRequest: total };
}

export async function expectInAll(service: Service, storeIds: readonly string[], rows: number): Promise<void> {
  let sum = 0;
  for (const id of storeIds) sum += await service.countRows(id);
  if (sum !== rows) throw new Error(`the stores report ${sum} rows, but ${rows} were sent`);
}

/**
 * COPY without indexes for the same kind of store; the engine's INSERT of as many rows (NDJSON: of the largest batch)
 * by as many clients.
 */
function limitsOf(cases: readonly Case[], each: Case): { copy: Case | undefined; engine: Case | undefined } {
  const copy = cases.find((one) => one.store === each.store && one.what.includes("no indexes"));
  const engines = cases.filter((one) => one.what.includes("INSERT") && one.clients === each.clients);
  const largest = [...engines].sort((a, b) => b.rowsPerRequest - a.rowsPerRequest)[0];
  return { copy, engine: engines.find((one) => one.rowsPerRequest === each.rowsPerRequest) ?? largest };
}

const rowsPerSecond = (each: Case) => each.rate * each.rowsPerRequest;

function tableOf(cases: readonly Case[]) {
  const columns =
    "what|store|clients:whole|rows/s:whole|of engine:percent|of COPY:percent|p50 ms:fraction|p95 ms:fraction|p99 ms:fraction|memory MB:whole";
  const rows = cases.map((each) => {
    const { copy, engine } = limitsOf(cases, each);
    const share = (limit: Case | undefined) =>
      limit === undefined || each.encoding === null ? null : rowsPerSecond(each) / rowsPerSecond(limit);
    const { what, store, clients, p50, p95, p99, peak } = each;
    return [what, store, clients, rowsPerSecond(each), share(engine), share(copy), p50, p95, p99, peak];
  });
  return makeTable("", columns.split("|"), rows);
}

function goalsOf(cases: readonly Case[]): Goal[] {
  return cases.flatMap((each) => {
    const { copy } = limitsOf(cases, each);
    if (each.encoding === null || each.rowsPerRequest !== 1000 || copy === undefined) return [];
    const bound = each.encoding === "numbers" ? 0.12 : 0.4;
    const name = `insert, ${each.store} store, ${each.what}, ${each.clients} client(s): share of COPY`;
    return [atLeast(name, bound, rowsPerSecond(each) / rowsPerSecond(copy), "percent")];
  });
}
