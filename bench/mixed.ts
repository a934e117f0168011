import { hashText } from "../src/litellm/hashing.js";
import { cleanUp } from "./cleanup.js";
import { createSource, seededRandom, wireBatch } from "./data.js";
import { createTarget } from "./database.js";
import { createFilledStore } from "./fill.js";
import type { HttpClient } from "./http.js";
import { type Measured, peakDuring } from "./load.js";
import { type Report, atLeast, atMost, makeTable } from "./results.js";
import { type Pace, measureSearches, search, searchPath } from "./searching.js";
import { startService } from "./service.js";

export interface MixedOptions extends Pace {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
  clients: number[];
  /** Inserted rows per second. */
  insertRate: number;
}

const dimensions = 1536;
interface Case {
  clients: number;
  alone: Measured;
  mixed: Measured;
  rowsPerSecond: number;
  peak: number;
}

const insertBatch = 20;
const freshRows = 100;

/**
 * Searches in an indexed store, first alone, then while rows arrive in a steady stream; and whether a row is found as
 * soon as it is stored.
 */
export async function benchMixed(options: MixedOptions): Promise<Report> {
  const source = createSource("text", dimensions);
  const target = await createTarget(options.databaseUrl);
  const service = await startService(target, { dimensions, settings: options.settings });
  const { http } = service;
  const storeId = await createFilledStore(service, target, { source, count: options.rows });
  const batchPath = `/v1/vector_stores/${storeId}/embeddings/batch`;
  const searches = Array.from({ length: 200 }, (_, n) => ({
    path: searchPath(storeId),
    body: { query: source.query(n).text },
  }));
  const cases: Case[] = [];
  let next = options.rows;
  for (const clients of options.clients) {
    const alone = await measureSearches(http, clients, options, searches);
    const inserts = startInserts(http, batchPath, options.insertRate, () => {
      const rows = Array.from({ length: insertBatch }, (_, i) => source.row(next + i));
      next += insertBatch;
      return wireBatch(rows, "base64");
    });
    const { result: mixed, peak } = await peakDuring(service.rss, () =>
      measureSearches(http, clients, options, searches),
    );
    const rowsPerSecond = await inserts.stop();
    cases.push({ clients, alone, mixed, rowsPerSecond, peak });
    console.error(
      `${clients} client(s): p95 ${alone.p95.toFixed(1)} ms alone, ${mixed.p95.toFixed(1)} ms with ${Math.round(rowsPerSecond)} rows/s`,
    );
  }
  await service.expectRows(storeId, next);
  const found = await countFresh(http, storeId);
  const { version, database } = service;
  await cleanUp();
  return {
    kind: "mixed",
    title: "Searching while rows arrive",
    version,
    database,
    notes: [
      `A store of ${options.rows.toLocaleString("en")} rows; ${insertBatch} rows per request, at regular intervals. ` +
        `${found} of ${freshRows} rows were found by the first search after their insertion.`,
    ],
    tables: [tableOf(cases)],
    goals: [
      ...cases.map(({ clients, alone, mixed }) =>
        atMost(
          `${options.insertRate} inserts/s, ${clients} client(s): p95 relative to that without`,
          2,
          mixed.p95 / alone.p95,
          "fraction",
        ),
      ),
      ...cases.map(({ clients, rowsPerSecond }) =>
        atLeast(
          `while ${clients} client(s) search: inserted rows/s`,
          0.95 * options.insertRate,
          rowsPerSecond,
          "whole",
        ),
      ),
      atLeast("fresh rows found by the first search, indexed store", 1, found / freshRows, "percent"),
    ],
  };
}

function tableOf(cases: readonly Case[]) {
  const columns =
    "clients:whole|inserted rows/s:whole|searches/s alone:fraction|mixed:fraction|p50 ms alone:fraction|mixed:fraction|p95 ms alone:fraction|" +
    "mixed:fraction|ratio:fraction|memory MB:whole";
  const rows = cases.map(({ clients, alone, mixed, rowsPerSecond, peak }) => {
    const ratio = mixed.p95 / alone.p95;
    return [clients, rowsPerSecond, alone.rate, mixed.rate, alone.p50, mixed.p50, alone.p95, mixed.p95, ratio, peak];
  });
  return makeTable("", columns.split("|"), rows);
}

/** Sends a batch at every tick, whether or not the previous one is answered: an open load, as real writers are. */
function startInserts(http: HttpClient, path: string, rate: number, make: () => Buffer) {
  const begun = performance.now();
  const sent: Promise<string>[] = [];
  const everyMs = (1000 * insertBatch) / rate;
  let failure: unknown;
  const timer = setInterval(() => {
    // By the clock, because timers are late.
    while (sent.length * everyMs <= performance.now() - begun) {
      const request = http.post(path, make());
      request.catch((error: unknown) => {
        failure ??= error;
      });
      sent.push(request);
    }
  }, everyMs / 4);
  return {
    /** @returns stored rows per second */
    async stop(): Promise<number> {
      clearInterval(timer);
      await Promise.allSettled(sent);
      if (failure !== undefined) throw failure instanceof Error ? failure : new Error("an insertion failed");
      return (sent.length * insertBatch) / ((performance.now() - begun) / 1000);
    },
  };
}

/** Rows of unique words; each is searched for immediately. @returns how many came first */
async function countFresh(http: HttpClient, storeId: string): Promise<number> {
  const random = seededRandom(4);
  const word = () => Math.floor(random() * 36 ** 8).toString(36);
  let found = 0;
  for (let i = 0; i < freshRows; i += 1) {
    const content = Array.from({ length: 12 }, word).join(" ");
    const row = { id: `fresh-${i}`, content, metadata: {}, vector: hashText(content, dimensions) };
    await http.post(`/v1/vector_stores/${storeId}/embeddings/batch`, wireBatch([row], "base64"));
    const [first] = await search(http, searchPath(storeId), content);
    if (first === row.id) found += 1;
  }
  return found;
}
