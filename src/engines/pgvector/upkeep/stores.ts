import { sql } from "kysely";
import type { Db } from "../../../db/database.js";
import { selectStores } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";

/**
 * A graph that has grown to this many times its rows by single insertions is rebuilt, because recall depends on the
 * order of insertion: of 50 rows inserted before many unlike ones, searches for themselves found 12; in mixed order,
 * 49.
 */
export const outgrown = 2;

/**
 * Stores whose derived tables need work: missing vectors, enough rows for an index, an index to build or rebuild,
 * keywords to make. There are few, and none at rest.
 * @param minRows null: no store gets an index by its size
 */
export function listToIndex(db: Db, minRows: number | null, maxDimensions: number): Promise<VectorStore[]> {
  const large =
    minRows === null
      ? sql`false`
      : sql`(s.chunk_count >= ${minRows}::bigint AND s.vectors_table IS NULL AND s.embedding_dimensions <= ${maxDimensions}::int)`;
  return selectStores(
    db,
    sql`NOT s.vectors_complete OR ${large} OR (s.vectors_table IS NOT NULL AND NOT s.vectors_indexed)
      OR s.vectors_next IS NOT NULL OR s.reindex_requested
      OR (s.vectors_indexed AND s.chunk_count > s.vectors_built AND s.chunk_count >= ${outgrown}::int * s.vectors_built)
      OR (s.keywords_language IS NOT NULL AND NOT s.keywords_complete)`,
  );
}

/** Stores with an index, whose fresh rows move into it from time to time. */
export const listIndexed = (db: Db): Promise<VectorStore[]> => selectStores(db, sql`s.vectors_indexed`);

export async function countIndexed(db: Db): Promise<{ stores: number; indexed: number }> {
  const { rows } = await sql<{ stores: number; indexed: number }>`
    SELECT count(*) AS stores, count(*) FILTER (WHERE s.vectors_indexed) AS indexed
    FROM ${db.layout.vectorStores.table} AS s`.execute(db.run);
  return rows[0] ?? { stores: 0, indexed: 0 };
}

/**
 * Stores whose counters differ from their chunks, because another program wrote to the tables. Reads the index of all
 * chunks once.
 */
export async function listMiscounted(db: Db): Promise<string[]> {
  const e = db.layout.embeddings;
  const { rows } = await sql<{ id: string }>`
    SELECT s.id::text AS id FROM ${db.layout.vectorStores.table} AS s
    LEFT JOIN (SELECT ${e.vectorStoreId} AS id, count(*) AS rows FROM ${e.table} AS e GROUP BY 1) AS c ON c.id::text = s.id::text
    WHERE s.chunk_count <> COALESCE(c.rows, 0)`.execute(db.run);
  return rows.map((row) => row.id);
}
