import { sql } from "kysely";
import { type FileCounts, type StoreCounts, noFiles } from "../../words/file.js";
import type { Db } from "../database.js";
import { idsOfBatch } from "./fileBatches.js";

const table = "vector_store_files";

const counted = (["in_progress", "completed", "failed", "cancelled"] as const).map(
  (status) => sql`count(f.file_id) FILTER (WHERE f.status = ${sql.lit(status)}) AS ${sql.ref(status)}`,
);

/**
 * Counts the files of stores by their status, and says how many chunks the stores have. As SQL, because one statement
 * must read both tables: a file's chunks that appear between two statements would count as chunks without a file.
 */
export async function countFiles(db: Db, storeIds: readonly string[]): Promise<Map<string, StoreCounts>> {
  const { table: stores, idType } = db.layout.vectorStores;
  const { rows } = await sql<StoreCounts & { storeId: string }>`
    SELECT s.id::text AS "storeId", s.chunk_count AS "storeChunks", s.content_bytes AS "storeBytes", ${sql.join(counted)},
           COALESCE(sum(f.chunk_count), 0)::bigint AS chunks, COALESCE(sum(f.content_bytes), 0)::bigint AS bytes
    FROM ${stores} AS s LEFT JOIN ${db.layout.ours[table].reference} AS f ON f.vector_store_id = s.id
    WHERE s.id = ANY(${[...storeIds]}::text[]::${sql.raw(idType)}[])
    GROUP BY s.id, s.chunk_count, s.content_bytes`.execute(db.run);
  return new Map(rows.map(({ storeId, ...counts }) => [storeId, counts]));
}

/** Counts the files of a batch by their status. */
export async function countBatch(db: Db, storeId: string, batchId: string): Promise<FileCounts> {
  const { rows } = await sql<FileCounts>`
    SELECT ${sql.join(counted)}, COALESCE(sum(f.chunk_count), 0)::bigint AS chunks,
           COALESCE(sum(f.content_bytes), 0)::bigint AS bytes
    FROM ${db.layout.ours[table].reference} AS f
    WHERE f.vector_store_id = ${storeId} AND f.file_id = ANY(${idsOfBatch(db, batchId)})`.execute(db.run);
  return rows[0] ?? noFiles;
}
