import { sql } from "kysely";
import type { StoreFileKey } from "../../words/file.js";
import { type Db, ours } from "../database.js";

/** The vision model's descriptions of a file's pictures, by the picture's SHA-256. Kept while the file is attached. */
const table = "vector_store_file_descriptions";

export async function findDescription(db: Db, file: StoreFileKey, picture: Buffer): Promise<string | undefined> {
  const row = await ours(db, table)
    .selectFrom(table)
    .select("description")
    .where("vector_store_id", "=", file.vectorStoreId)
    .where("file_id", "=", file.fileId)
    .where("picture", "=", picture)
    .executeTakeFirst();
  return row?.description;
}

/** Does nothing for a file that is no longer attached. */
export async function insertDescription(
  db: Db,
  file: StoreFileKey,
  picture: Buffer,
  description: string,
): Promise<void> {
  const { ours: tables } = db.layout;
  // As SQL, because it names two tables, and `ours` knows one: the same statement checks that the file is attached.
  await sql`
    INSERT INTO ${tables[table].reference} (vector_store_id, file_id, picture, description)
    SELECT f.vector_store_id, f.file_id, ${picture}::bytea, ${description.replaceAll("\0", "")}
    FROM ${tables.vector_store_files.reference} AS f
    WHERE f.vector_store_id = ${file.vectorStoreId} AND f.file_id = ${file.fileId}
    ON CONFLICT DO NOTHING`.execute(db.run);
}
