import type { FileBatch } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant } from "../expressions.js";

const table = "vector_store_file_batches";
const batches = (db: Db) => ours(db, table);

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
