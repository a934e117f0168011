import { sql } from "kysely";
import type { Owner, Scope } from "../../words/caller.js";
import type { Upload, UploadPart } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import type { ColumnsOf } from "../schema/ourTables.js";
import { epochMillis, instant } from "../expressions.js";
import { within } from "../scope.js";

const table = "vector_store_uploads";
const partsTable = "vector_store_upload_parts";
const uploads = (db: Db) => ours(db, table);
const parts = (db: Db) => ours(db, partsTable);
const visibleTo = (scope: Scope) => (eb: ColumnsOf<typeof table>) =>
  within(scope, { user: eb.ref("owner_user_id"), team: eb.ref("owner_team_id"), key: eb.ref("owner_key_id") });

const uploadOwner = {
  user: sql.ref("u.owner_user_id"),
  team: sql.ref("u.owner_team_id"),
  key: sql.ref("u.owner_key_id"),
};

export async function insertUpload(db: Db, upload: Upload, owner: Owner): Promise<void> {
  await uploads(db)
    .insertInto(table)
    .values({
      id: upload.id,
      owner_user_id: owner.userId,
      owner_team_id: owner.teamId,
      owner_key_id: owner.keyId,
      filename: upload.filename,
      purpose: upload.purpose,
      bytes: upload.bytes,
      mime_type: upload.mimeType,
      status: upload.status,
      created_at: instant(upload.createdAt, true),
      expires_at: instant(upload.expiresAt, true),
      file_expires_after: upload.fileExpiresAfter,
    })
    .execute();
}

export async function findUpload(db: Db, scope: Scope, id: string): Promise<Upload | undefined> {
  if (id.includes("\0")) return undefined;
  return uploads(db)
    .selectFrom(table)
    .select(["id", "filename", "purpose", "bytes", "mime_type as mimeType", "status"])
    .select(["file_expires_after as fileExpiresAfter", "file_id as fileId"])
    .select((eb) => [
      epochMillis(eb.ref("created_at")).as("createdAt"),
      epochMillis(eb.ref("expires_at")).as("expiresAt"),
    ])
    .where("id", "=", id)
    .where(visibleTo(scope))
    .executeTakeFirst();
}

/**
 * Ends a pending upload, once: if two requests complete it at the same time, one succeeds.
 * @param end its status from now on, and the file that was made of it
 * @returns whether it was pending, and in scope
 */
export async function endUpload(
  tx: Db,
  scope: Scope,
  id: string,
  end: { status: Upload["status"]; fileId: string | null },
): Promise<boolean> {
  const ended = await uploads(tx)
    .updateTable(table)
    .set({ status: end.status, file_id: end.fileId })
    .where("id", "=", id)
    .where(visibleTo(scope))
    .where("status", "=", "pending")
    .returning("id")
    .executeTakeFirst();
  return ended !== undefined;
}

/** Adds a part to an upload that is in scope and still pending. @returns whether it is */
export async function insertPart(db: Db, scope: Scope, part: UploadPart): Promise<boolean> {
  // As SQL, because it names two tables, and `ours` knows one. It locks the upload's row, which keeps it pending.
  const { rows } = await sql`
    INSERT INTO ${db.layout.ours[partsTable].reference} (id, upload_id, content, in_directory, bytes, created_at)
    SELECT ${part.id}, u.id, ${part.content}, ${part.inDirectory}, ${part.bytes}, ${instant(part.createdAt, true)}
    FROM ${db.layout.ours[table].reference} AS u
    WHERE u.id = ${part.uploadId} AND ${within(scope, uploadOwner)} AND u.status = 'pending' FOR SHARE
    RETURNING 1`.execute(db.run);
  return rows.length > 0;
}

/** The parts of an upload that was found within the caller's scope. */
export async function listParts(db: Db, uploadId: string): Promise<UploadPart[]> {
  return parts(db)
    .selectFrom(partsTable)
    .select(["id", "upload_id as uploadId", "content", "in_directory as inDirectory", "bytes"])
    .select((eb) => epochMillis(eb.ref("created_at")).as("createdAt"))
    .where("upload_id", "=", uploadId)
    .orderBy("id")
    .execute();
}

/** For a part whose bytes have become a file's. */
export async function deletePart(tx: Db, id: string): Promise<void> {
  await parts(tx).deleteFrom(partsTable).where("id", "=", id).execute();
}

export async function deleteParts(db: Db, uploadId: string): Promise<void> {
  await parts(db).deleteFrom(partsTable).where("upload_id", "=", uploadId).execute();
}

/** Ids of uploads that expired while pending, at most `limit`. */
export async function listExpiredUploads(db: Db, now: number, limit: number): Promise<string[]> {
  const rows = await uploads(db)
    .selectFrom(table)
    .select("id")
    .where("status", "=", "pending")
    .where("expires_at", "<=", instant(now, true))
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Ids of uploads that have ended and still have parts, because those could not be removed. */
export async function listEndedWithParts(db: Db): Promise<string[]> {
  // As SQL, because it names two tables, and `ours` knows one.
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT u.id FROM ${db.layout.ours[partsTable].reference} AS p
    JOIN ${db.layout.ours[table].reference} AS u ON u.id = p.upload_id
    WHERE u.status <> 'pending'`.execute(db.run);
  return rows.map((row) => row.id);
}
