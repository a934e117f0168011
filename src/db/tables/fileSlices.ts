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
 * Contents that belong to no file and no upload, and were written before a moment; at most `limit`.
 * @param empty also those without bytes here, which are in FILES_DIR
 */
export async function listLeftOver(
  db: Db,
  { writtenBefore, empty }: { writtenBefore: number; empty: boolean },
  limit: number,
): Promise<string[]> {
  // As SQL, because it names three tables, and `ours` knows one.
  const { ours: tables } = db.layout;
  const { rows } = await sql<{ content: string }>`
    SELECT s.content FROM ${tables[table].reference} AS s
    WHERE NOT EXISTS (SELECT 1 FROM ${tables.vector_store_file_objects.reference} AS f WHERE f.content = s.content)
      AND NOT EXISTS (SELECT 1 FROM ${tables.vector_store_upload_parts.reference} AS p WHERE p.content = s.content)
    GROUP BY s.content
    HAVING max(s.written_at) < ${instant(writtenBefore, true)} AND (${empty} OR max(octet_length(s.bytes)) > 0)
    LIMIT ${limit}`.execute(db.run);
  return rows.map(({ content }) => content);
}

/** The tables of what has bytes. */
const holders = ({ layout: { ours: tables } }: Db) =>
  [tables.vector_store_file_objects, tables.vector_store_upload_parts] as const;

/** Whether bytes of a file or an upload, or such as are left over, are in FILES_DIR. */
export async function hasContentsInDirectory(db: Db): Promise<boolean> {
  const [objects, parts] = holders(db);
  const { rows } = await sql<{ found: boolean }>`
    SELECT EXISTS (SELECT 1 FROM ${objects.reference} WHERE in_directory)
      OR EXISTS (SELECT 1 FROM ${parts.reference} WHERE in_directory)
      OR EXISTS (SELECT 1 FROM ${db.layout.ours[table].reference} WHERE number = 0 AND octet_length(bytes) = 0)
      AS found`.execute(db.run);
  return rows[0]?.found === true;
}

/** Whether one of these contents in FILES_DIR is a file's or an upload's. */
export async function isAnyInDirectory(db: Db, contents: readonly string[]): Promise<boolean> {
  const [objects, parts] = holders(db);
  const chosen = sql`in_directory AND content = ANY(${[...contents]}::text[])`;
  const { rows } = await sql<{ found: boolean }>`
    SELECT EXISTS (SELECT 1 FROM ${objects.reference} WHERE ${chosen})
      OR EXISTS (SELECT 1 FROM ${parts.reference} WHERE ${chosen}) AS found`.execute(db.run);
  return rows[0]?.found === true;
}
