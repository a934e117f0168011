import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atEnd, cleanUp } from "./cleanup.js";
import { type Encoding, type Row, createSource, wireBatch } from "./data.js";
import { createTarget } from "./database.js";
import { fill } from "./fill.js";
import { expectInAll, newStores } from "./insert.js";
import { measure, peakDuring, percentiles } from "./load.js";
import { type Report, atLeast, makeTable } from "./results.js";
import { type Pace, searchPath } from "./searching.js";
import { type Service, startService } from "./service.js";

export interface BodiesOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  batch: number;
  clients: number;
  rounds: number;
}

const dimensions = 1536;
const searchedRows = 200;
/** Requests beside the batches are sent at these intervals, whether or not the one before is answered. */
const every = { searchMs: 50, liveMs: 10 };

/**
 * Who reads the body of a batch. `whole`: JSON.parse for all of it at once, then zod for each row; `rows`: our scanner
 * finds the rows, and JSON.parse gets each; `numbers`: as the service does it, vectors straight from their bytes.
 */
const readers = ["whole", "rows", "numbers"] as const;
type Reader = (typeof readers)[number];
const words: Record<Reader, string> = {
  whole: "JSON.parse of the body, zod",
  rows: "scanner, JSON.parse of rows",
  numbers: "scanner, numbers from bytes",
};
const encodings = ["numbers", "base64"] as const;

/** Takes the place of http/bodies/batchBody.ts in a copy of the built program. */
const wholeReader = `
import { readJson } from "./jsonBody.js";
import { parseRow } from "../wire/embedding.js";
export async function readBatch(req, res, limit, parse) {
  const body = await readJson(req, res, limit, false);
  return { ...body, embeddings: body.embeddings.map((row, i) => parseRow(row, "embeddings[" + i + "]", parse)) };
}
export const readRow = (req, res, limit) => readJson(req, res, limit, false);
`;

interface Figures {
  rows: number;
  /** CPU time of the server in ms per 1,000 rows; on the embedded database it includes the database. */
  cpu: number;
  search: number;
  searchTail: number;
  live: number;
  liveTail: number;
  memory: number;
}

interface Case {
  encoding: Encoding;
  reader: Reader;
  figures: Figures;
}

/**
 * Batches posted by some clients without a pause, while small searches and GET /livez (which asks nobody: its time is
 * the event loop's delay) come at regular intervals. Every reader has a new server and database in every round.
 */
export async function benchBodies(options: BodiesOptions): Promise<Report> {
  const source = createSource("text", dimensions);
  const dense = createSource("dense", dimensions);
  const rows = Array.from({ length: options.batch }, (_, n) => dense.row(n));
  const programs: Record<Reader, string | undefined> = {
    whole: copyOfProgram({ "http/bodies/batchBody.js": wholeReader }),
    rows: undefined,
    numbers: undefined,
  };
  const keep = new Map<string, Figures[]>();
  let about = { version: "", database: "" };
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? readers : readers.toReversed();
    for (const reader of order) {
      const target = await createTarget(options.databaseUrl);
      const program = programs[reader];
      const { settings } = options;
      const service = await startService(target, { dimensions, settings, ...(program !== undefined && { program }) });
      about = { version: service.version, database: service.database };
      const storeId = await service.createStore();
      await fill(service, { storeId, count: searchedRows, row: source.row });
      const query = { query: source.query(1).text, max_num_results: 10 };
      const beside = {
        search: () => service.http.post(searchPath(storeId), query),
        live: () => service.http.get("/livez"),
      };
      for (const encoding of encodings) {
        const figures = await measureCase(options, service, bodyOf(rows, encoding, reader), beside);
        const key = `${encoding}:${reader}`;
        keep.set(key, [...(keep.get(key) ?? []), figures]);
        const { rows: rate, liveTail } = figures;
        console.error(
          `${encoding}, ${words[reader]}: ${Math.round(rate)} rows/s, event loop p99 ${Math.round(liveTail)} ms`,
        );
      }
      await service.stop();
    }
  }
  await cleanUp();
  const cases = encodings.flatMap((encoding) =>
    readers.map((reader) => ({ encoding, reader, figures: medians(keep.get(`${encoding}:${reader}`) ?? []) })),
  );
  return { kind: "bodies", title: "Bodies of batches", ...about, ...tell(options, cases) };
}

/** A name with an escape is the same JSON, but our reader does not look for a vector behind it. */
function bodyOf(rows: readonly Row[], encoding: Encoding, reader: Reader): Buffer {
  const body = wireBatch(rows, encoding);
  if (reader !== "rows") return body;
  return Buffer.from(body.toString("latin1").replaceAll('"embedding":', String.raw`"embeddin\u0067":`), "latin1");
}

async function measureCase(
  { batch, clients, warmup, seconds }: BodiesOptions,
  service: Service,
  body: Buffer,
  beside: { search: () => Promise<unknown>; live: () => Promise<unknown> },
): Promise<Figures> {
  const stores = newStores(service);
  const work = async () => {
    await service.http.post(`/v1/vector_stores/${await stores.next(batch)}/embeddings/batch`, body);
  };
  const warm = await measure(clients, warmup, work);
  const probes = [sendEvery(every.searchMs, beside.search), sendEvery(every.liveMs, beside.live)] as const;
  const cpu = service.cpu();
  const { result: measured, peak } = await peakDuring(service.rss, () => measure(clients, seconds, work));
  const used = service.cpu() - cpu;
  const [search, live] = await Promise.all([probes[0].stop(), probes[1].stop()]);
  await expectInAll(service, stores.storeIds, (warm.requests + measured.requests) * batch);
  return {
    rows: measured.rate * batch,
    cpu: (1e6 * used) / (measured.requests * batch),
    search: search.p50,
    searchTail: search.p99,
    live: live.p50,
    liveTail: live.p99,
    memory: peak,
  };
}

/** An open load, as other users are. */
function sendEvery(intervalMs: number, send: () => Promise<unknown>) {
  const begun = performance.now();
  const times: number[] = [];
  const sent: Promise<void>[] = [];
  const timer = setInterval(() => {
    // By the clock, because timers are late.
    while (sent.length * intervalMs <= performance.now() - begun) {
      const due = begun + sent.length * intervalMs;
      const request = send().then(() => void times.push(performance.now() - due));
      request.catch(() => undefined);
      sent.push(request);
    }
  }, intervalMs / 4);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(sent);
      return percentiles(times);
    },
  };
}

const median = (values: readonly number[]) => percentiles(values).p50;

const medians = (all: readonly Figures[]): Figures => ({
  rows: median(all.map((each) => each.rows)),
  cpu: median(all.map((each) => each.cpu)),
  search: median(all.map((each) => each.search)),
  searchTail: median(all.map((each) => each.searchTail)),
  live: median(all.map((each) => each.live)),
  liveTail: median(all.map((each) => each.liveTail)),
  memory: median(all.map((each) => each.memory)),
});

function tell({ batch, clients, rounds }: BodiesOptions, cases: readonly Case[]) {
  const columns =
    "encoding|reader|rows/s:whole|CPU ms/1,000 rows:whole|search p50 ms:fraction|p99 ms:fraction|event loop p50 ms:fraction|p99 ms:fraction|memory MB:whole";
  const goals = encodings.flatMap((encoding) => {
    const of = (reader: Reader) => cases.find((each) => each.encoding === encoding && each.reader === reader)?.figures;
    const [plain, ours] = [of("whole"), of("numbers")];
    if (plain === undefined || ours === undefined) return [];
    const name = (what: string) => `batches of ${batch}, ${encoding}: ${what}, gain over JSON.parse of the body`;
    return [
      atLeast(name("rows/s"), 1, ours.rows / plain.rows, "fraction"),
      atLeast(name("CPU time"), 1, plain.cpu / ours.cpu, "fraction"),
      atLeast(name("event loop p99"), 1.3, plain.liveTail / ours.liveTail, "fraction"),
      atLeast(name("search p99"), 1.3, plain.searchTail / ours.searchTail, "fraction"),
      atLeast(name("peak memory"), 1, plain.memory / ours.memory, "fraction"),
    ];
  });
  const notes = [
    `${clients} client(s) post batches of ${batch.toLocaleString("en")} rows of ${dimensions} dimensions; a search in a store of ${searchedRows} rows ` +
      `every ${every.searchMs} ms, GET /livez every ${every.liveMs} ms; medians of ${rounds} round(s).`,
  ];
  const table = makeTable(
    "",
    columns.split("|"),
    cases.map(({ encoding, reader, figures: { rows, cpu, search, searchTail, live, liveTail, memory } }) => {
      return [encoding, words[reader], rows, cpu, search, searchTail, live, liveTail, memory];
    }),
  );
  return { notes, tables: [table], goals };
}

/** The built program with some modules replaced, in a directory that is removed at the end. */
function copyOfProgram(replaced: Record<string, string>): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), "vector-store-readers-"));
  atEnd(() => {
    rmSync(directory, { recursive: true, force: true });
    return Promise.resolve();
  });
  for (const part of ["dist", "sql", "package.json"])
    cpSync(join(root, part), join(directory, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  for (const [file, text] of Object.entries(replaced)) writeFileSync(join(directory, "dist", file), text);
  return directory;
}
