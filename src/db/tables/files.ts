import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import type { Scope } from "../../words/caller.js";
import { epochMillis, instant } from "./stores.js";

/** OpenAI's File object as recorded. Times are Unix milliseconds. */
export interface StoredFile {
  id: string;
  filename: string;
  purpose: string;
  /** Its size. */
  bytes: number;
  /** SHA-256. */
  contentHash: Buffer;
  /** Names the bytes in the storage. */
  content: string;
  inDirectory: boolean;
  createdAt: number;
  expiresAt: number | null;
}

const columns = sql`
  f.id, f.filename, f.purpose, f.bytes, f.content_hash AS "contentHash", f.content, f.in_directory AS "inDirectory",
  ${epochMillis(sql`f.created_at`)} AS "createdAt", ${epochMillis(sql`f.expires_at`)} AS "expiresAt"`;

const within = (scope: Scope) => (scope.kind === "all" ? sql`true` : sql`f.owner_user_id = ${scope.userId}`);

/** An expired file is gone, whether or not the sweep has been there. */
const alive = (now: number) => sql`(f.expires_at IS NULL OR f.expires_at > ${instant(now, true)})`;

export async function insertFile(db: Db, file: StoredFile, owner: string | null): Promise<void> {
  await sql`
    INSERT INTO ${db.layout.files.objects} (id, owner_user_id, filename, purpose, bytes, content_hash, content, in_directory, created_at, expires_at)
    VALUES (${file.id}, ${owner}, ${file.filename}, ${file.purpose}, ${file.bytes}, ${file.contentHash}, ${file.content}, ${file.inDirectory},
            ${instant(file.createdAt, true)}, ${file.expiresAt === null ? null : instant(file.expiresAt, true)})`.execute(
    db.run,
  );
}

/** Files by their ids, in no order; those that are absent, expired or out of scope are left out. */
export async function findFiles(db: Db, scope: Scope, ids: readonly string[], now: number): Promise<StoredFile[]> {
  const { rows } = await sql<StoredFile>`
    SELECT ${columns} FROM ${db.layout.files.objects} AS f
    WHERE f.id = ANY(${ids.filter((id) => !id.includes("\0"))}::text[]) AND ${within(scope)} AND ${alive(now)}`.execute(
    db.run,
  );
  return rows;
}

export interface FilePage {
  purpose: string | null;
  limit: number;
  order: "asc" | "desc";
  /** The id of a file, and when it was made, so that a page can go on after a file that was deleted meanwhile. */
  after: { id: string; madeAt: number } | null;
}

/** One page in the order of (created_at, id). Reads `limit + 1` rows to know whether there are more. */
export async function listFiles(
  db: Db,
  scope: Scope,
  page: FilePage,
  now: number,
): Promise<{ files: StoredFile[]; hasMore: boolean }> {
  const beyond = sql.raw(page.order === "asc" ? ">" : "<");
  const direction = sql.raw(page.order);
  const { rows } = await sql<StoredFile>`
    SELECT ${columns} FROM ${db.layout.files.objects} AS f
    WHERE ${within(scope)} AND ${alive(now)} AND ${page.purpose === null ? sql`true` : sql`f.purpose = ${page.purpose}`}
      AND ${page.after === null ? sql`true` : sql`(f.created_at, f.id) ${beyond} (${instant(page.after.madeAt, true)}, ${page.after.id})`}
    ORDER BY f.created_at ${direction}, f.id ${direction} LIMIT ${page.limit + 1}`.execute(db.run);
  return { files: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}

/** @returns the file that is no more; its bytes must go afterwards. */
export async function deleteFile(db: Db, scope: Scope, id: string): Promise<StoredFile | undefined> {
  const { rows } = await sql<StoredFile>`
    DELETE FROM ${db.layout.files.objects} AS f WHERE f.id = ${id} AND ${within(scope)} RETURNING ${columns}`.execute(
    db.run,
  );
  return rows[0];
}

/** Ids of files that have expired, at most `limit`. */
export async function listExpiredFiles(db: Db, now: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT f.id FROM ${db.layout.files.objects} AS f WHERE f.expires_at <= ${instant(now, true)} LIMIT ${limit}`.execute(
    db.run,
  );
  return rows.map((row) => row.id);
}
