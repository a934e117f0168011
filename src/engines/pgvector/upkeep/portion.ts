import { type RawBuilder, sql } from "kysely";
import type { Layout } from "../../../db/schema/layout.js";
import type { Db } from "../../../db/database.js";

/**
 * Works on the next rows of a store in the order of ids, inside the caller's transaction.
 * @param from a query for the ids to work through, in the column `id`
 * @param work a statement for the ids of the CTE `portion`
 * @returns the id to continue after; null at the end.
 */
export async function workOnPortion(
  tx: Db,
  from: RawBuilder<unknown>,
  { after, limit }: { after: string | null; limit: number },
  work: RawBuilder<unknown>,
): Promise<string | null> {
  const { rows } = await sql<{ last: string | null; count: number }>`
    WITH portion AS MATERIALIZED (
      SELECT id FROM (${from}) AS s
      WHERE ${after === null ? sql`true` : sql`id > ${after}::${sql.raw(tx.layout.embeddings.idType)}`}
      ORDER BY id LIMIT ${limit}
    ), worked AS (${work})
    SELECT (SELECT id::text FROM portion ORDER BY portion.id DESC LIMIT 1) AS last, (SELECT count(*) FROM portion) AS count`.execute(
    tx.run,
  );
  const [row] = rows;
  return row === undefined || row.count < limit ? null : row.last;
}

/** The ids of a store's chunks. */
export function recordedIds({ embeddings: e }: Layout, storeId: string): RawBuilder<unknown> {
  return sql`SELECT ${e.id} AS id FROM ${e.table} AS e WHERE ${e.vectorStoreId} = ${storeId}`;
}
