import { sql } from "kysely";
import { type Db, ours } from "../database.js";
import { instant } from "../expressions.js";

/** Keys that were made at LiteLLM and have to be deleted there; see sql/0010_payers.sql. */

const table = "vector_store_minted_keys";

/** @param endsAt Unix milliseconds */
export async function insertMinted(db: Db, hash: string, endsAt: number): Promise<void> {
  await ours(db, table)
    .insertInto(table)
    .values({ hash, ends_at: instant(endsAt, true) })
    .execute();
}

/** Keys that have ended before a moment, at most `limit`. */
export async function listEndedMinted(db: Db, moment: number, limit: number): Promise<string[]> {
  const rows = await ours(db, table)
    .selectFrom(table)
    .select("hash")
    .where("ends_at", "<", instant(moment, true))
    .limit(limit)
    .execute();
  return rows.map(({ hash }) => hash);
}

export async function deleteMinted(db: Db, hashes: readonly string[]): Promise<void> {
  await ours(db, table)
    .deleteFrom(table)
    .where("hash", "=", sql<string>`ANY(${hashes}::text[])`)
    .execute();
}
