import { sql } from "kysely";
import type { Scope } from "../../words/caller.js";
import type { VectorStore } from "../../words/store.js";
import type { Db } from "../database.js";
import { instant } from "../expressions.js";
import { storesWithin } from "../scope.js";
import { selectedStore } from "./storeColumns.js";

/** A place in the list of stores. */
export interface StoreCursor {
  id: string;
  /** Creation time in the id, in Unix milliseconds, so that a page can continue after a store that has been deleted. */
  madeAt: number | null;
}

/**
 * One page in the order of (created_at, id): a keyset, so that nothing is skipped or repeated while others write.
 * Reads `limit + 1` rows to know whether there are more.
 */
export async function listStores(
  db: Db,
  scope: Scope,
  page: {
    limit: number;
    order: "asc" | "desc";
    after: StoreCursor | null;
    before: StoreCursor | null;
    /** Only stores with exactly this name. */
    name?: string | null;
  },
): Promise<{ stores: VectorStore[]; hasMore: boolean }> {
  const { table, zoned } = db.layout.vectorStores;
  const backwards = page.before !== null && page.after === null;
  const direction = sql.raw((page.order === "asc") === backwards ? "DESC" : "ASC");
  const position = (cursor: StoreCursor) => sql`(
    COALESCE((SELECT c.created_at FROM ${table} AS c WHERE c.id = ${cursor.id}),
             ${cursor.madeAt === null ? sql`NULL` : instant(cursor.madeAt, zoned)}), ${cursor.id})`;
  const beyond = (cursor: StoreCursor | null, later: boolean) =>
    cursor === null
      ? sql`true`
      : sql`(s.created_at, s.id) ${sql.raw((page.order === "asc") === later ? ">" : "<")} ${position(cursor)}`;
  const named = page.name == null ? sql`true` : sql`s.name = ${page.name}`;
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${table} AS s
    WHERE ${storesWithin(db, scope)} AND NOT s.leaving AND ${named}
      AND ${beyond(page.after, true)} AND ${beyond(page.before, false)}
    ORDER BY s.created_at ${direction}, s.id ${direction}
    LIMIT ${page.limit + 1}`.execute(db.run);
  const stores = rows.slice(0, page.limit);
  return { stores: backwards ? stores.reverse() : stores, hasMore: rows.length > page.limit };
}

/** Ids of stores that expired before a moment, at most `limit`. @param moment Unix milliseconds */
export async function listExpiredBefore(db: Db, moment: number, limit: number): Promise<string[]> {
  const { table, zoned } = db.layout.vectorStores;
  const { rows } = await sql<{ id: string }>`
    SELECT s.id::text AS id FROM ${table} AS s
    WHERE s.expires_at < ${instant(moment, zoned)} AND NOT s.leaving LIMIT ${limit}`.execute(db.run);
  return rows.map((row) => row.id);
}

/** Ids of stores whose removal was interrupted, or is under way. */
export async function listLeaving(db: Db): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT s.id::text AS id FROM ${db.layout.vectorStores.table} AS s WHERE s.leaving`.execute(db.run);
  return rows.map((row) => row.id);
}

/** The sums of all stores' counters. */
export async function countStores(db: Db): Promise<{ stores: number; chunks: number; contentBytes: number }> {
  const { rows } = await sql<{ stores: number; chunks: number; contentBytes: number }>`
    SELECT count(*) AS stores, COALESCE(sum(s.chunk_count), 0)::bigint AS chunks,
           COALESCE(sum(s.content_bytes), 0)::bigint AS "contentBytes"
    FROM ${db.layout.vectorStores.table} AS s WHERE NOT s.leaving`.execute(db.run);
  return rows[0] ?? { stores: 0, chunks: 0, contentBytes: 0 };
}
