import { sql } from "kysely";
import type { TransferStore } from "../../words/rows.js";
import type { Db } from "../connection/database.js";
import { epochMicros, exactText, exactly, expiry, instant, storesOf } from "./stores.js";

/** Stores that come from elsewhere or go there: as they are recorded, JSON as text. */

/** @param store its id must be such as the column can hold. @param now Unix milliseconds, when it counts as used last. */
export async function insertKeptStore(
  db: Db,
  store: TransferStore,
  keywordsLanguage: string | null,
  now: number,
): Promise<void> {
  const { zoned } = db.layout.vectorStores;
  const moment = instant(now, zoned);
  const policy = sql`${store.expiresAfter}::jsonb`;
  await sql`
    INSERT INTO ${storesOf(db.layout)} AS s
      (id, name, description, metadata, expires_after, created_at, last_active_at, expires_at, owner_user_id, embedding_model,
       embedding_dimensions, asks_dimensions, search_settings, vectors_complete, keywords_language, keywords_complete)
    OVERRIDING SYSTEM VALUE
    VALUES (${store.id}, ${store.name}, ${store.description}, ${store.metadata ?? "{}"}::jsonb, ${policy},
            ${store.createdAt === null ? moment : instant(store.createdAt / 1000, zoned)}, ${moment}, ${expiry(moment, policy)},
            ${store.ownerUserId}, ${store.embeddingModel}, ${store.embeddingDimensions}, ${store.asksDimensions},
            ${store.search ?? "{}"}::jsonb, true, ${keywordsLanguage}, ${keywordsLanguage !== null})`.execute(db.run);
}

/** Stores as they are to be written elsewhere, in the order of the ids; of all of them without ids. */
export async function readKeptStores(db: Db, ids: readonly string[] | null): Promise<TransferStore[]> {
  const { idType } = db.layout.vectorStores;
  const { rows } = await sql<TransferStore>`
    SELECT s.id::text AS id, ${exactText(sql`s.name`)} AS name, ${exactText(sql`s.description`)} AS description, s.metadata::text AS metadata, s.owner_user_id AS "ownerUserId",
           s.expires_after::text AS "expiresAfter", ${epochMicros(sql`s.created_at`)} AS "createdAt",
           s.embedding_model AS "embeddingModel", s.embedding_dimensions AS "embeddingDimensions",
           s.asks_dimensions AS "asksDimensions", s.search_settings::text AS search
    FROM ${storesOf(db.layout)} AS s
    WHERE ${ids === null ? sql`true` : sql`s.id = ANY(${[...ids]}::text[]::${sql.raw(idType)}[])`}
    ORDER BY s.created_at, s.id`.execute(db.run);
  return rows.map((row) => ({
    ...row,
    name: exactly(row.name),
    description: row.description === null ? null : exactly(row.description),
  }));
}
