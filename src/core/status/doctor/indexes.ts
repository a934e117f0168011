import {
  type IndexCounts,
  type RecordIndex,
  brokenIndexes,
  countIndexes,
  recordIndexes,
} from "../../../db/diagnose/stored.js";
import { counted, type Stored } from "./stored.js";
import { readableBytes } from "../../../words/readable.js";

/** Checks the stores' indexes, and reports indexes on the embeddings table that only cost time and space. */
export async function checkIndexes(stored: Stored): Promise<void> {
  const { probe, config, tables, version, findings } = stored;
  const kind = config.database.url === null ? "pglite" : "postgres";
  const { minRows } = config.indexing;
  let unready = 0;
  if (version < 2) findings.ok("indexes", "the stores have none yet; the server makes them after its next start");
  else {
    const counts = await probe.look((tx) => countIndexes(tx, tables, kind, minRows));
    unready = counts.waiting + counts.building;
    const derived = `vectors, keywords and indexes for searching take ${readableBytes(counts.bytes)}`;
    findings.ok("indexes", `${describeCounts(counts, minRows)}\n${derived}`);
    for (const { store, index } of await probe.look((tx) => brokenIndexes(tx, tables))) {
      const what = index === null ? "is gone" : `was left half-built ("${index}")`;
      findings.warn("indexes", `the index of the store ${store} ${what}`, `Rebuild it: vector-store reindex ${store}`);
    }
  }
  for (const index of await probe.look((tx) => recordIndexes(tx, tables))) {
    findings.warn(
      "indexes",
      describeRecordIndex(index, config.database.tables.embeddings),
      dropping(index, version, unready),
    );
  }
}

/** The index states of all stores in words. @param minRows null if only `vector-store reindex` makes indexes */
export function describeCounts(counts: Omit<IndexCounts, "bytes">, minRows: number | null): string {
  const { ready, building, waiting, none } = counts;
  const why = minRows === null ? "made by vector-store reindex only" : `INDEX_MIN_ROWS is ${minRows}`;
  const parts = [
    ...(ready > 0 ? [`${counted(ready, "store")} with a ready index`] : []),
    ...(building > 0 ? [`${building} whose index is being built`] : []),
    ...(waiting > 0
      ? [`${building + ready > 0 ? waiting : counted(waiting, "store")} waiting for the running server to work on it`]
      : []),
    ...(none > 0 ? [`${counted(none, "store")} without an index, searched exactly (${why})`] : []),
  ];
  return parts.length === 0 ? `no stores yet (${why})` : parts.join("; ");
}

function describeRecordIndex({ name, method, valid, bytes }: RecordIndex, table: string): string {
  const cost =
    method === "hnsw"
      ? "and slows down every insert (230 times with 200,000 rows in an hnsw index, as measured)"
      : "and slows down every insert";
  const state = valid ? "" : " is invalid, because its build was interrupted; it";
  return `the ${method} index ${name} on "${table}"${state} is not used by this service; it takes ${readableBytes(bytes)}, ${cost}`;
}

function dropping({ name }: RecordIndex, version: number, unready: number): string {
  const drop = `DROP INDEX ${name};`;
  if (version < 2) return `Unless another program uses it, drop it once the stores' own indexes are ready: ${drop}`;
  return unready === 0
    ? `Unless another program uses it, drop it: ${drop}`
    : `Unless another program uses it, drop it once the stores' own indexes are ready (${unready} not yet): ${drop}`;
}
