import { sql } from "kysely";
import type { TransferStore } from "../../words/rows.js";
import type { VectorStore } from "../../words/store.js";
import type { Db } from "../database.js";
import { epochMicros, exactText, exactly, instant } from "../expressions.js";
import { emptyStoreState } from "./storeColumns.js";
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
    name: store.name,
    description: store.description,
    metadata: sql`${store.metadata ?? "{}"}::jsonb`,
    expires_after: policy,
    created_at: store.createdAt === null ? moment : instant(store.createdAt / 1000, zoned),
    last_active_at: moment,
    expires_at: expiry(moment, policy),
    owner_user_id: store.ownerUserId,
    embedding_model: store.embeddingModel,
    embedding_dimensions: store.embeddingDimensions,
    asks_dimensions: store.asksDimensions,
    search_settings: sql`${store.search ?? "{}"}::jsonb`,
    ...emptyStoreState,
  });
}

/** Stores to export, oldest first. @param ids null: all of them */
export async function readKeptStores(db: Db, ids: readonly string[] | null): Promise<TransferStore[]> {
  const { idType, table } = db.layout.vectorStores;
  const { rows } = await sql<TransferStore>`
    SELECT s.id::text AS id, ${exactText(sql`s.name`)} AS name, ${exactText(sql`s.description`)} AS description,
           s.metadata::text AS metadata, s.owner_user_id AS "ownerUserId", s.expires_after::text AS "expiresAfter",
           ${epochMicros(sql`s.created_at`)} AS "createdAt", s.embedding_model AS "embeddingModel",
           s.embedding_dimensions AS "embeddingDimensions", s.asks_dimensions AS "asksDimensions",
           s.search_settings::text AS search
    FROM ${table} AS s
    WHERE ${ids === null ? sql`true` : sql`s.id = ANY(${[...ids]}::text[]::${sql.raw(idType)}[])`}
    ORDER BY s.created_at, s.id`.execute(db.run);
  return rows.map((row) => ({
    ...row,
    name: exactly(row.name),
    description: row.description === null ? null : exactly(row.description),
  }));
}
