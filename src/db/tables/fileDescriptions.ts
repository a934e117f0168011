import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import type { Key } from "./storeFiles.js";

/** What the vision model said of a file's pictures, by the picture's SHA-256. Kept while the file is attached. */

export async function findDescription(db: Db, file: Key, picture: Buffer): Promise<string | undefined> {
  const { rows } = await sql<{ description: string }>`
    SELECT description FROM ${db.layout.files.descriptions}
    WHERE vector_store_id = ${file.vectorStoreId} AND file_id = ${file.fileId} AND picture = ${picture}`.execute(
    db.run,
  );
  return rows[0]?.description;
}

/** Of a file that is no longer attached nothing is kept. */
export async function insertDescription(db: Db, file: Key, picture: Buffer, description: string): Promise<void> {
  const { descriptions, storeFiles } = db.layout.files;
  await sql`
    INSERT INTO ${descriptions} (vector_store_id, file_id, picture, description)
    SELECT f.vector_store_id, f.file_id, ${picture}::bytea, ${description.replaceAll("\0", "")} FROM ${storeFiles} AS f
    WHERE f.vector_store_id = ${file.vectorStoreId} AND f.file_id = ${file.fileId}
    ON CONFLICT DO NOTHING`.execute(db.run);
}
