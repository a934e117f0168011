import { cleanUp } from "./cleanup.js";
import { createSource } from "./data.js";
import { createTarget } from "./database.js";
import { type Document, makeDocuments, makeText } from "./documents.js";
import { createFilledStore } from "./fill.js";
import { type Spent, timeIngestion } from "./ingestTimes.js";
import { peakDuring, percentiles } from "./load.js";
import { type Goal, type Report, atMost, makeTable } from "./results.js";
import { k, searchPath } from "./searching.js";
import { type Service, startService } from "./service.js";
import { multipart, sendFile } from "./uploads.js";

export interface IngestOptions {
  databaseUrl: string;
  settings: Record<string, string>;
  pages: number;
  largeMb: number;
}

const dimensions = 1536;

interface Case extends Document {
  seconds: number;
  chunks: number;
  spent: Spent;
}

interface Large {
  megabytes: number;
  uploadSeconds: number;
  seconds: number;
  chunks: number;
  /** Resident memory in MB: before, and at its peak. */
  before: number;
  peak: number;
  /** Milliseconds of the concurrent requests. */
  searches: number[];
  reads: number[];
}

/**
 * Documents of every format from upload to search, with the built-in embedder; where the time goes; and one large text.
 */
export async function benchIngest(options: IngestOptions): Promise<Report> {
  const target = await createTarget(options.databaseUrl);
  const service = await startService(target, { dimensions, settings: { MAX_FILE_MB: "1024", ...options.settings } });
  const storeId = await service.createStore();
  const documents = makeDocuments(options.pages);
  // Loads the parsers and gets the code compiled.
  for (const each of makeDocuments(10)) await upload(service, storeId, each);
  const uploaded: Omit<Case, "spent">[] = [];
  for (const document of documents) {
    const begun = performance.now();
    const chunks = await upload(service, storeId, document);
    uploaded.push({ ...document, chunks, seconds: (performance.now() - begun) / 1000 });
  }
  const large = options.largeMb === 0 ? null : await ingestLarge(service, target, options.largeMb * 2 ** 20);
  const { version, database } = service;
  const empty = await service.createStore();
  // The embedded database has one owner at a time.
  await service.stop();
  const times = await timeIngestion(target.environment, dimensions, empty, documents);
  const cases = uploaded.flatMap((each) => {
    const spent = times.get(each.format);
    return spent === undefined ? [] : [{ ...each, spent }];
  });
  await cleanUp();
  return {
    kind: "ingest",
    title: "Documents",
    version,
    database,
    notes: [
      `Generated documents of ${options.pages} pages with 40 lines (about 3,000 characters) each; chunks of 512 characters with an overlap of 50. ` +
        "Pages/s are measured from the upload's first byte to its answer, which comes when searches find the document; one document at a time.",
    ],
    tables: [formatTable(cases), ...(large === null ? [] : [largeTable(large)])],
    goals: large === null ? [] : goalsOf(large, target.kind),
  };
}

/** @returns the number of chunks */
async function upload(service: Service, storeId: string, { name, bytes }: Document): Promise<number> {
  const { body, contentType } = multipart(name, bytes);
  const answer = JSON.parse(await service.http.post(`/v1/vector_stores/${storeId}/upload`, body, { contentType })) as {
    status: string;
    chunks: number;
  };
  if (answer.status !== "completed") throw new Error(`${name} was not ingested: ${JSON.stringify(answer)}`);
  return answer.chunks;
}

/** A text of this many bytes, while another store is searched and read. */
async function ingestLarge(
  service: Service,
  target: Awaited<ReturnType<typeof createTarget>>,
  bytes: number,
): Promise<Large> {
  const source = createSource("text", dimensions);
  const other = await createFilledStore(service, target, { source, count: 2000 });
  const storeId = await service.createStore();
  let done = false;
  let uploadSeconds = 0;
  let chunks = 0;
  const begun = performance.now();
  const before = service.rss();
  const ingest = async () => {
    try {
      const fileId = await sendFile(service, "large.txt", bytes, makeText(bytes));
      uploadSeconds = (performance.now() - begun) / 1000;
      const path = `/v1/vector_stores/${storeId}/files`;
      await service.http.post(path, {
        file_id: fileId,
        chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } },
      });
      for (;;) {
        const file = JSON.parse(await service.http.get(`${path}/${fileId}`)) as { status: string; chunks: number };
        if (file.status === "completed") {
          chunks = file.chunks;
          return;
        }
        if (file.status !== "in_progress") throw new Error(`the large text was not ingested: ${JSON.stringify(file)}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    } finally {
      done = true;
    }
  };
  // At regular intervals, as people ask: requests without pauses would themselves be the load.
  const asking = async (ask: (turn: number) => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; !done; turn += 1) {
      const begun = performance.now();
      await ask(turn);
      times.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return times;
  };
  const { result, peak } = await peakDuring(service.rss, () =>
    Promise.all([
      asking((turn) =>
        service.http.post(searchPath(other), { query: source.query(turn % 200).text, max_num_results: k }),
      ),
      asking(() => service.http.get(`/v1/vector_stores/${other}`)),
      ingest(),
    ]),
  );
  const [searches, reads] = result;
  return {
    megabytes: bytes / 2 ** 20,
    uploadSeconds,
    seconds: (performance.now() - begun) / 1000,
    chunks,
    before,
    peak,
    searches,
    reads,
  };
}

function formatTable(cases: readonly Case[]) {
  const columns =
    "format|KB:whole|pages/s:whole|chunks/s:whole|parsing and chunking:percent|embedding:percent|database:percent|rest:percent";
  const rows = cases.map(({ format, bytes, pages, seconds, chunks, spent }) => {
    const share = (part: number) => part / spent.total;
    // The next slice of a file is read while the previous one is written to disk, so the overlap is counted twice.
    const rest = Math.max(0, spent.total - spent.parsing - spent.embedding - spent.database);
    return [
      format,
      bytes.length / 1024,
      pages / seconds,
      chunks / seconds,
      ...[spent.parsing, spent.embedding, spent.database, rest].map(share),
    ];
  });
  return makeTable("", columns.split("|"), rows);
}

function largeTable(large: Large) {
  const columns =
    "MB:whole|upload s:fraction|total s:fraction|MB/s:fraction|chunks:whole|chunks/s:whole|memory MB before:whole|largest:whole|" +
    "search p50 ms:fraction|p95:fraction|store read p95:fraction|searches:whole";
  const { megabytes, seconds, chunks } = large;
  const searches = percentiles(large.searches);
  const row = [
    megabytes,
    large.uploadSeconds,
    seconds,
    megabytes / seconds,
    chunks,
    chunks / seconds,
    large.before,
    large.peak,
  ];
  return makeTable("One text, while another store is searched and read 20 times per second each:", columns.split("|"), [
    [...row, searches.p50, searches.p95, percentiles(large.reads).p95, large.searches.length],
  ]);
}

function goalsOf(large: Large, kind: "postgres" | "pglite"): Goal[] {
  const name = `a text of ${Math.round(large.megabytes)} MB`;
  return [
    // The embedded database is in the same process, so its memory at the start does not count.
    atMost(
      `${name}: memory, MB${kind === "pglite" ? " above the start" : ""}`,
      600,
      kind === "pglite" ? large.peak - large.before : large.peak,
      "whole",
    ),
    atMost(`${name}: p95 of concurrent searches, ms`, 200, percentiles(large.searches).p95, "fraction"),
    atMost(`${name}: p95 of concurrent reads, ms`, 200, percentiles(large.reads).p95, "fraction"),
  ];
}
