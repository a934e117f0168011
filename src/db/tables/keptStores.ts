import { sql } from "kysely";
import type { TransferStore } from "../../words/rows.js";
import type { VectorStore } from "../../words/store.js";
import type { Db } from "../database.js";
import { exactly, instant } from "../expressions.js";
import { emptyStoreState, keptValues, selectedKept } from "./storeColumns.js";
import { expiry, insertRow } from "./stores.js";

/** Stores as imports write and exports read them, exactly as recorded: JSON stays text. */

/**
 * @param store its id must fit the id column
 * @param now Unix milliseconds; the store counts as last used then
 */
export function insertKeptStore(db: Db, store: TransferStore, now: number): Promise<VectorStore> {
  const { zoned } = db.layout.vectorStores;
  const moment = instant(now, zoned);
  const policy = sql`${store.expiresAfter}::jsonb`;
  return insertRow(db, {
    id: store.id,
    created_at: store.createdAt === null ? moment : instant(store.createdAt / 1000, zoned),
    last_active_at: moment,
    expires_at: expiry(moment, policy),
    ...keptValues(store),
    ...emptyStoreState,
  });
}

/** Stores to export, oldest first. @param ids null: all of them */
export async function readKeptStores(db: Db, ids: readonly string[] | null): Promise<TransferStore[]> {
  const { idType, table } = db.layout.vectorStores;
  const { rows } = await sql<TransferStore>`
    SELECT ${selectedKept} FROM ${table} AS s
    WHERE NOT s.leaving AND ${ids === null ? sql`true` : sql`s.id = ANY(${[...ids]}::text[]::${sql.raw(idType)}[])`}
    ORDER BY s.created_at, s.id`.execute(db.run);
  return rows.map((row) => ({
    ...row,
    name: exactly(row.name),
    description: row.description === null ? null : exactly(row.description),
  }));
}
