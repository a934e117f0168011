import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import { instant } from "./stores.js";

/** Bytes in the database, in numbered slices; see sql/0003_files.sql. */

export async function writeSlice(db: Db, content: string, number: number, bytes: Buffer, now: number): Promise<void> {
  await sql`
    INSERT INTO ${db.layout.files.slices} (content, number, bytes, written_at)
    VALUES (${content}, ${number}, ${bytes}, ${instant(now, true)})`.execute(db.run);
}

/** @returns undefined after the last one. */
export async function readSlice(db: Db, content: string, number: number): Promise<Buffer | undefined> {
  const { rows } = await sql<{ bytes: Uint8Array }>`
    SELECT bytes FROM ${db.layout.files.slices} WHERE content = ${content} AND number = ${number}`.execute(db.run);
  const [row] = rows;
  return row === undefined ? undefined : Buffer.from(row.bytes);
}

export async function deleteSlices(db: Db, content: string): Promise<void> {
  await sql`DELETE FROM ${db.layout.files.slices} WHERE content = ${content}`.execute(db.run);
}

/** Removes slices that no file and no upload has any use of, and that were not written just now. @returns how many contents. */
export async function sweepSlices(db: Db, writtenBefore: number): Promise<number> {
  const { slices, objects, parts } = db.layout.files;
  const { rows } = await sql<{ contents: number }>`
    WITH left_over AS (
      SELECT content FROM ${slices} GROUP BY content HAVING max(written_at) < ${instant(writtenBefore, true)}
    ), gone AS (
      DELETE FROM ${slices} AS s USING left_over AS l
      WHERE s.content = l.content AND NOT EXISTS (SELECT 1 FROM ${objects} AS f WHERE f.content = s.content)
        AND NOT EXISTS (SELECT 1 FROM ${parts} AS p WHERE p.content = s.content)
      RETURNING s.content)
    SELECT count(DISTINCT content) AS contents FROM gone`.execute(db.run);
  return rows[0]?.contents ?? 0;
}
