import { sql } from "kysely";
import type { Db } from "../../../db/database.js";
import { hasId } from "../chunkRows.js";
import { encodeTextArray } from "../binary.js";
import { recordedIds, workOnPortion } from "../upkeep/portion.js";
import { wordsOf } from "./keywordSql.js";

/**
 * Adds the words of rows that the record already has, inside the caller's transaction. Ids of other stores are left
 * out.
 */
export async function insertKeywords(tx: Db, storeId: string, language: string, ids: readonly string[]): Promise<void> {
  const e = tx.layout.embeddings;
  // Words left behind by another program that deleted their chunk are overwritten.
  await sql`
    INSERT INTO ${tx.layout.derived.keywords} AS w (vector_store_id, id, words)
    SELECT ${e.vectorStoreId}, ${e.id}, ${wordsOf(tx.layout, storeId, language)} FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${storeId} AND ${hasId(tx, ids)}
    ON CONFLICT (vector_store_id, id) DO UPDATE SET words = EXCLUDED.words`.execute(tx.run);
}

/**
 * Adds the missing words of the store's next rows, in the order of ids, inside the caller's transaction. It must hold
 * the lock on the store's row: otherwise a concurrent deletion could leave words behind.
 * @param after the id to continue after; null to begin
 * @returns the last id looked at; null at the end.
 */
export async function fillKeywords(
  tx: Db,
  storeId: string,
  language: string,
  after: string | null,
  limit: number,
): Promise<string | null> {
  const e = tx.layout.embeddings;
  const { keywords } = tx.layout.derived;
  const fill = sql`
    INSERT INTO ${keywords} (vector_store_id, id, words)
    SELECT ${e.vectorStoreId}, ${e.id}, ${wordsOf(tx.layout, storeId, language)}
    FROM portion AS p JOIN ${e.table} AS e ON ${e.id} = p.id
    WHERE ${e.vectorStoreId} = ${storeId}
      AND NOT EXISTS (SELECT 1 FROM ${keywords} AS w WHERE w.vector_store_id = ${storeId} AND w.id = p.id)
    ON CONFLICT (vector_store_id, id) DO NOTHING`;
  return workOnPortion(tx, recordedIds(tx.layout, storeId), { after, limit }, fill);
}

/** Removes the words of these chunks of a store, or of all (null). */
export async function deleteKeywords(tx: Db, storeId: string, ids: readonly string[] | null): Promise<void> {
  const { idType } = tx.layout.embeddings;
  const selected = ids === null ? sql`true` : sql`id = ANY(${encodeTextArray(ids)}::text[]::${sql.raw(idType)}[])`;
  await sql`DELETE FROM ${tx.layout.derived.keywords} WHERE vector_store_id = ${storeId} AND ${selected}`.execute(
    tx.run,
  );
}

/** Updates the planner's statistics of the keywords table. */
export async function analyzeKeywords(db: Db): Promise<void> {
  await sql`ANALYZE ${db.layout.derived.keywords}`.execute(db.run);
}
