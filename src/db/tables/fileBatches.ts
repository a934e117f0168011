import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import { epochMillis, instant } from "./stores.js";

/** OpenAI's file batch: files that were attached together. `createdAt` in Unix milliseconds. */
export interface FileBatch {
  id: string;
  vectorStoreId: string;
  createdAt: number;
  cancelled: boolean;
}

export async function insertBatch(tx: Db, batch: FileBatch): Promise<void> {
  await sql`
    INSERT INTO ${tx.layout.files.batches} (id, vector_store_id, created_at, cancelled)
    VALUES (${batch.id}, ${batch.vectorStoreId}, ${instant(batch.createdAt, true)}, ${batch.cancelled})`.execute(
    tx.run,
  );
}

export async function findBatch(db: Db, storeId: string, id: string): Promise<FileBatch | undefined> {
  if (id.includes("\0")) return undefined;
  const { rows } = await sql<FileBatch>`
    SELECT b.id, b.vector_store_id::text AS "vectorStoreId", ${epochMillis(sql`b.created_at`)} AS "createdAt", b.cancelled
    FROM ${db.layout.files.batches} AS b WHERE b.id = ${id} AND b.vector_store_id = ${storeId}`.execute(db.run);
  return rows[0];
}

export async function markCancelled(db: Db, id: string): Promise<void> {
  await sql`UPDATE ${db.layout.files.batches} SET cancelled = true WHERE id = ${id}`.execute(db.run);
}
