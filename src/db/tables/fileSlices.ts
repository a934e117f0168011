import { sql } from "kysely";
import { type Db, ours } from "../database.js";
import { instant } from "../expressions.js";

/** Bytes in the database, in numbered slices; see sql/0003_files.sql. */
const table = "vector_store_file_slices";
const slices = (db: Db) => ours(db, table);

export async function writeSlice(db: Db, content: string, number: number, bytes: Buffer, now: number): Promise<void> {
  const values = { content, number, bytes, written_at: instant(now, true) };
  await slices(db).insertInto(table).values(values).execute();
}

/** @returns undefined after the last one. */
export async function readSlice(db: Db, content: string, number: number): Promise<Buffer | undefined> {
  const row = await slices(db)
    .selectFrom(table)
    .select("bytes")
    .where("content", "=", content)
    .where("number", "=", number)
    .executeTakeFirst();
  return row && Buffer.from(row.bytes);
}

export async function deleteSlices(db: Db, content: string): Promise<void> {
  await slices(db).deleteFrom(table).where("content", "=", content).execute();
}

/**
 * Removes slices that belong to no file and no upload, unless they were written recently.
 * @returns how many contents
 */
export async function sweepSlices(db: Db, writtenBefore: number): Promise<number> {
  // As SQL, because it names three tables, and `ours` knows one.
  const { ours: tables } = db.layout;
  const { rows } = await sql<{ contents: number }>`
    WITH left_over AS (
      SELECT content FROM ${tables[table].reference} GROUP BY content HAVING max(written_at) < ${instant(writtenBefore, true)}
    ), gone AS (
      DELETE FROM ${tables[table].reference} AS s USING left_over AS l
      WHERE s.content = l.content
        AND NOT EXISTS (SELECT 1 FROM ${tables.vector_store_file_objects.reference} AS f WHERE f.content = s.content)
        AND NOT EXISTS (SELECT 1 FROM ${tables.vector_store_upload_parts.reference} AS p WHERE p.content = s.content)
      RETURNING s.content)
    SELECT count(DISTINCT content) AS contents FROM gone`.execute(db.run);
  return rows[0]?.contents ?? 0;
}
