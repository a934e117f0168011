import { type RawBuilder, sql } from "kysely";
import type { FileBatch } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant } from "../expressions.js";

const table = "vector_store_file_batches";
const batches = (db: Db) => ours(db, table);
const members = "vector_store_batch_files";

export async function insertBatch(db: Db, batch: FileBatch): Promise<void> {
  const { id, vectorStoreId, createdAt, cancelled } = batch;
  const values = { id, vector_store_id: vectorStoreId, created_at: instant(createdAt, true), cancelled };
  await batches(db).insertInto(table).values(values).execute();
}

export async function findBatch(db: Db, storeId: string, id: string): Promise<FileBatch | undefined> {
  if (id.includes("\0")) return undefined;
  return batches(db)
    .selectFrom(table)
    .select((eb) => [
      "id",
      eb.cast<string>("vector_store_id", "text").as("vectorStoreId"),
      epochMillis(eb.ref("created_at")).as("createdAt"),
      "cancelled",
    ])
    .where("id", "=", id)
    .where("vector_store_id", "=", storeId)
    .executeTakeFirst();
}

export async function markCancelled(db: Db, storeId: string, id: string): Promise<void> {
  await batches(db)
    .updateTable(table)
    .set({ cancelled: true })
    .where("id", "=", id)
    .where("vector_store_id", "=", storeId)
    .execute();
}

/** Adds files of the store that were attached before the batch. */
export async function addToBatch(tx: Db, batch: FileBatch, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return;
  const values = fileIds.map((id) => ({ batch_id: batch.id, vector_store_id: batch.vectorStoreId, file_id: id }));
  await ours(tx, members)
    .insertInto(members)
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The ids of a batch's files, as an array in SQL: those that it attached, and those that were attached before. */
export function idsOfBatch(db: Db, batchId: string): RawBuilder<string[]> {
  const { vector_store_files: files, [members]: added } = db.layout.ours;
  return sql<string[]>`ARRAY(
    SELECT b.file_id FROM ${files.reference} AS b WHERE b.batch_id = ${batchId}
    UNION SELECT b.file_id FROM ${added.reference} AS b WHERE b.batch_id = ${batchId})`;
}
