import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import { type VectorStore, storeColumns, storesOf } from "./stores.js";

/** What the indexing of a store records of its progress. */
export type IndexingChanges = Partial<
  Pick<
    VectorStore,
    | "vectorsComplete"
    | "vectorsTable"
    | "vectorsIndexed"
    | "vectorsBuilt"
    | "vectorsNext"
    | "keywordsLanguage"
    | "keywordsComplete"
    | "reindexRequested"
  >
>;

const indexingColumns: Record<keyof IndexingChanges, string> = {
  vectorsComplete: "vectors_complete",
  vectorsTable: "vectors_table",
  vectorsIndexed: "vectors_indexed",
  vectorsBuilt: "vectors_built",
  vectorsNext: "vectors_next",
  keywordsLanguage: "keywords_language",
  keywordsComplete: "keywords_complete",
  reindexRequested: "reindex_requested",
};

export async function recordIndexing(db: Db, id: string, changes: IndexingChanges): Promise<void> {
  const assignments = (Object.keys(indexingColumns) as (keyof IndexingChanges)[]).flatMap((field) =>
    changes[field] === undefined ? [] : [sql`${sql.ref(indexingColumns[field])} = ${changes[field]}`],
  );
  await sql`UPDATE ${storesOf(db.layout)} AS s SET ${sql.join(assignments)} WHERE s.id = ${id}`.execute(db.run);
}

/**
 * A graph that has grown to this many times its rows by single insertions is built anew. The order of insertion shows in it: rows that
 * came before many unlike ones are found by 12 of 50 searches for themselves, in mixed order by 49.
 */
export const outgrown = 2;

/**
 * Stores whose derived tables are not as they should be: vectors missing, rows enough for an index, an index to be built or built anew,
 * keywords to be made. Their number is small, and zero at rest. @param minRows null: no store gets an index by its size.
 */
export async function listToIndex(db: Db, minRows: number | null, maxDimensions: number): Promise<VectorStore[]> {
  const large =
    minRows === null
      ? sql`false`
      : sql`(s.chunk_count >= ${minRows}::bigint AND s.vectors_table IS NULL AND s.embedding_dimensions <= ${maxDimensions}::int)`;
  const { rows } = await sql<VectorStore>`
    SELECT ${storeColumns} FROM ${storesOf(db.layout)} AS s
    WHERE NOT s.vectors_complete OR ${large} OR (s.vectors_table IS NOT NULL AND NOT s.vectors_indexed) OR s.vectors_next IS NOT NULL
      OR s.reindex_requested OR (s.vectors_indexed AND s.chunk_count > s.vectors_built AND s.chunk_count >= ${outgrown}::int * s.vectors_built)
      OR (s.keywords_language IS NOT NULL AND NOT s.keywords_complete)
    ORDER BY s.id`.execute(db.run);
  return rows;
}

export async function countStores(
  db: Db,
): Promise<{ stores: number; indexed: number; chunks: number; contentBytes: number }> {
  const { rows } = await sql<{ stores: number; indexed: number; chunks: number; contentBytes: number }>`
    SELECT count(*) AS stores, count(*) FILTER (WHERE s.vectors_indexed) AS indexed,
           COALESCE(sum(s.chunk_count), 0)::bigint AS chunks, COALESCE(sum(s.content_bytes), 0)::bigint AS "contentBytes"
    FROM ${storesOf(db.layout)} AS s`.execute(db.run);
  return rows[0] ?? { stores: 0, indexed: 0, chunks: 0, contentBytes: 0 };
}

/** Stores with an index, whose fresh rows are to be moved into it from time to time. */
export async function listIndexed(db: Db): Promise<VectorStore[]> {
  const { rows } = await sql<VectorStore>`
    SELECT ${storeColumns} FROM ${storesOf(db.layout)} AS s WHERE s.vectors_indexed ORDER BY s.id`.execute(db.run);
  return rows;
}
