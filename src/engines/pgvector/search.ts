import { sql } from "kysely";
import type { Db } from "../../db/database.js";
import type { Filter } from "../../filter.js";
import { encodeVector } from "./binary.js";
import { compileFilter } from "./filterSql.js";

export interface Hit {
  id: string;
  content: string;
  metadata: unknown;
  /** 1 − cosine distance / 2, in 0…1 (litellm-pgvector's formula); 0 where no cosine exists. */
  score: number;
}

/**
 * The `limit` nearest chunks of a store that pass the filter: exact, best first, ties in the order of ids.
 *
 * The `+ 0` keeps the planner from an approximate index that an adopted table may have: it would be read first and filtered by
 * store afterwards (seen: 17 rows of 50 from a store that is a third of its table).
 */
export async function searchChunks(
  db: Db,
  query: { storeId: string; embedding: Float32Array; filter: Filter | null; limit: number },
): Promise<Hit[]> {
  const e = db.layout.embeddings;
  const { rows } = await sql<{ id: string; content: string; metadata: unknown; distance: number }>`
    SELECT ${e.id}::text AS id, ${e.content} AS content, ${e.metadata} AS metadata,
           (${e.embedding} <=> ${encodeVector(query.embedding)}::vector) + 0 AS distance
    FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${query.storeId}
      AND ${query.filter === null ? sql`true` : compileFilter(query.filter, e.metadata)}
    ORDER BY distance, ${e.id}
    LIMIT ${query.limit}`.execute(db.run);
  return rows.map(({ distance, ...row }) => ({ ...row, score: scoreOf(distance) }));
}

function scoreOf(distance: number): number {
  return Number.isNaN(distance) ? 0 : Math.min(1, Math.max(0, 1 - distance / 2));
}
