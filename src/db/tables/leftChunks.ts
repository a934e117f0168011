import type { FileChunks } from "../../words/chunk.js";
import { type Db, ours } from "../database.js";
import type { ColumnsOf } from "../schema/ourTables.js";

/** Chunks that no longer belong to a file, and are still to be removed; see sql/0006_leaving_and_batches.sql. */

const table = "vector_store_left_chunks";
const left = (db: Db) => ours(db, table);

/** The chunks that a file of a store had. */
export interface LeftChunks extends FileChunks {
  vectorStoreId: string;
}

const isLeft =
  ({ vectorStoreId, fileId, chunkBase }: LeftChunks) =>
  (eb: ColumnsOf<typeof table>) =>
    eb.and({ vector_store_id: vectorStoreId, file_id: fileId, chunk_base: chunkBase });

export async function insertLeft(tx: Db, { vectorStoreId, fileId, chunkBase }: LeftChunks): Promise<void> {
  await left(tx)
    .insertInto(table)
    .values({ vector_store_id: vectorStoreId, file_id: fileId, chunk_base: chunkBase })
    .execute();
}

/** @param where `{}` for all of them */
export async function listLeft(
  db: Db,
  where: { vectorStoreId?: string; fileId?: string },
  limit: number,
): Promise<LeftChunks[]> {
  let query = left(db)
    .selectFrom(table)
    .select((eb) => [
      eb.cast<string>("vector_store_id", "text").as("vectorStoreId"),
      "file_id as fileId",
      "chunk_base as chunkBase",
    ]);
  if (where.vectorStoreId !== undefined) query = query.where("vector_store_id", "=", where.vectorStoreId);
  if (where.fileId !== undefined) query = query.where("file_id", "=", where.fileId);
  return query.orderBy("vector_store_id").orderBy("chunk_base").limit(limit).execute();
}

/** Whether these chunks are still to be removed. The store's lock keeps the answer true. */
export async function isStillLeft(tx: Db, chunks: LeftChunks): Promise<boolean> {
  const row = await left(tx).selectFrom(table).select("file_id").where(isLeft(chunks)).executeTakeFirst();
  return row !== undefined;
}

export async function deleteLeft(tx: Db, chunks: LeftChunks): Promise<void> {
  await left(tx).deleteFrom(table).where(isLeft(chunks)).execute();
}
