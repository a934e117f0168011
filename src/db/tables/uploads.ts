import { sql } from "kysely";
import type { Db } from "../connection/database.js";
import type { Scope } from "../../words/caller.js";
import { epochMillis, instant } from "./stores.js";

/** OpenAI's Upload object: a file that comes in parts. Times are Unix milliseconds. */
export interface Upload {
  id: string;
  filename: string;
  purpose: string;
  /** As announced. */
  bytes: number;
  mimeType: string;
  status: "pending" | "completed" | "cancelled" | "expired";
  createdAt: number;
  expiresAt: number;
  /** Seconds that the file is to live. */
  fileExpiresAfter: number | null;
  fileId: string | null;
}

export interface UploadPart {
  id: string;
  uploadId: string;
  content: string;
  inDirectory: boolean;
  bytes: number;
  createdAt: number;
}

const columns = sql`
  u.id, u.filename, u.purpose, u.bytes, u.mime_type AS "mimeType", u.status, ${epochMillis(sql`u.created_at`)} AS "createdAt",
  ${epochMillis(sql`u.expires_at`)} AS "expiresAt", u.file_expires_after AS "fileExpiresAfter", u.file_id AS "fileId"`;

const within = (scope: Scope) => (scope.kind === "all" ? sql`true` : sql`u.owner_user_id = ${scope.userId}`);

export async function insertUpload(db: Db, upload: Upload, owner: string | null): Promise<void> {
  await sql`
    INSERT INTO ${db.layout.files.uploads} (id, owner_user_id, filename, purpose, bytes, mime_type, status, created_at, expires_at, file_expires_after)
    VALUES (${upload.id}, ${owner}, ${upload.filename}, ${upload.purpose}, ${upload.bytes}, ${upload.mimeType}, ${upload.status},
            ${instant(upload.createdAt, true)}, ${instant(upload.expiresAt, true)}, ${upload.fileExpiresAfter})`.execute(
    db.run,
  );
}

export async function findUpload(db: Db, scope: Scope, id: string): Promise<Upload | undefined> {
  if (id.includes("\0")) return undefined;
  const { rows } = await sql<Upload>`
    SELECT ${columns} FROM ${db.layout.files.uploads} AS u WHERE u.id = ${id} AND ${within(scope)}`.execute(db.run);
  return rows[0];
}

/**
 * Ends an upload that is pending, once: of two that complete it at the same time, one succeeds.
 * @returns whether it was pending
 */
export async function endUpload(tx: Db, id: string, status: Upload["status"], fileId: string | null): Promise<boolean> {
  const { rows } = await sql`
    UPDATE ${tx.layout.files.uploads} AS u SET status = ${status}, file_id = ${fileId}
    WHERE u.id = ${id} AND u.status = 'pending' RETURNING 1`.execute(tx.run);
  return rows.length > 0;
}

/** Adds a part to an upload that is still pending. @returns whether it is */
export async function insertPart(db: Db, part: UploadPart): Promise<boolean> {
  const { uploads, parts } = db.layout.files;
  const { rows } = await sql`
    INSERT INTO ${parts} (id, upload_id, content, in_directory, bytes, created_at)
    SELECT ${part.id}, u.id, ${part.content}, ${part.inDirectory}, ${part.bytes}, ${instant(part.createdAt, true)}
    FROM ${uploads} AS u WHERE u.id = ${part.uploadId} AND u.status = 'pending' FOR SHARE
    RETURNING 1`.execute(db.run);
  return rows.length > 0;
}

export async function listParts(db: Db, uploadId: string): Promise<UploadPart[]> {
  const { rows } = await sql<UploadPart>`
    SELECT p.id, p.upload_id AS "uploadId", p.content, p.in_directory AS "inDirectory", p.bytes, ${epochMillis(sql`p.created_at`)} AS "createdAt"
    FROM ${db.layout.files.parts} AS p WHERE p.upload_id = ${uploadId} ORDER BY p.id`.execute(db.run);
  return rows;
}

export async function deleteParts(db: Db, uploadId: string): Promise<void> {
  await sql`DELETE FROM ${db.layout.files.parts} WHERE upload_id = ${uploadId}`.execute(db.run);
}

/** Ids of uploads that were never ended and have expired, at most `limit`. */
export async function listExpiredUploads(db: Db, now: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT u.id FROM ${db.layout.files.uploads} AS u WHERE u.status = 'pending' AND u.expires_at <= ${instant(now, true)} LIMIT ${limit}`.execute(
    db.run,
  );
  return rows.map((row) => row.id);
}
