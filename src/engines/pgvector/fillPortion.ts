import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";

/**
 * Derives something from the next rows of a store in the order of ids, inside the caller's transaction.
 * @param fill a statement that makes it for the ids of the CTE `portion`
 * @returns the id to go on after; null when the end is reached.
 */
export async function fillPortion(
  tx: Db,
  storeId: string,
  { after, limit }: { after: string | null; limit: number },
  fill: RawBuilder<unknown>,
): Promise<string | null> {
  const e = tx.layout.embeddings;
  const { rows } = await sql<{ last: string | null; count: number }>`
    WITH portion AS MATERIALIZED (
      SELECT ${e.id} AS id FROM ${e.table} AS e
      WHERE ${e.vectorStoreId} = ${storeId} AND ${after === null ? sql`true` : sql`${e.id} > ${after}::${sql.raw(e.idType)}`}
      ORDER BY ${e.id} LIMIT ${limit}
    ), filled AS (${fill})
    SELECT (SELECT id::text FROM portion ORDER BY portion.id DESC LIMIT 1) AS last, (SELECT count(*) FROM portion) AS count`.execute(
    tx.run,
  );
  const [row] = rows;
  return row === undefined || row.count < limit ? null : row.last;
}
