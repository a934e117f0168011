import { type RawBuilder, sql } from "kysely";
import type { Db } from "../connection/database.js";
import type { Cutting } from "../../words/document.js";
import { canHold, epochMillis, instant } from "./stores.js";

export type FileStatus = "in_progress" | "completed" | "failed" | "cancelled";
export const fileStatuses = ["in_progress", "completed", "failed", "cancelled"] as const satisfies FileStatus[];

/** What a file is made into chunks with. Two files with equal bytes and settings have the same chunks. */
export interface IngestSettings {
  cutting: Cutting;
  visionModel: string | null;
  visionPrompt: string | null;
}

export type Attributes = Record<string, string | number | boolean>;

export interface LastError {
  code: "server_error" | "unsupported_file" | "invalid_file";
  message: string;
}

/** A file attached to a store, as recorded. Times are Unix milliseconds. */
export interface StoreFile {
  vectorStoreId: string;
  fileId: string;
  batchId: string | null;
  filename: string;
  contentHash: Buffer | null;
  createdAt: number;
  status: FileStatus;
  errorCode: LastError["code"] | null;
  errorMessage: string | null;
  attributes: Attributes | null;
  settings: IngestSettings;
  sameAs: string | null;
  replaces: boolean;
  chunkCount: number;
  contentBytes: number;
  chunksTotal: number | null;
  stage: "queued" | "parsing" | "embedding" | "done";
  chunkBase: string;
  madeBy: number | null;
  lease: string | null;
  attempts: number;
}

const columns = sql`
  f.vector_store_id::text AS "vectorStoreId", f.file_id AS "fileId", f.batch_id AS "batchId", f.filename, f.content_hash AS "contentHash",
  ${epochMillis(sql`f.created_at`)} AS "createdAt", f.status, f.error_code AS "errorCode", f.error_message AS "errorMessage",
  f.attributes, f.settings, f.same_as AS "sameAs", f.replaces, f.chunk_count AS "chunkCount", f.content_bytes AS "contentBytes",
  f.chunks_total AS "chunksTotal", f.stage, f.chunk_base AS "chunkBase", f.made_by AS "madeBy", f.lease, f.attempts`;

const table = (db: Db): RawBuilder<unknown> => db.layout.files.storeFiles;

export interface NewStoreFile extends Pick<
  StoreFile,
  | "vectorStoreId"
  | "fileId"
  | "batchId"
  | "filename"
  | "contentHash"
  | "createdAt"
  | "attributes"
  | "settings"
  | "replaces"
  | "chunkBase"
> {
  /** Given for a file that cannot be ingested at all. */
  error: LastError | null;
}

/** Attaches files that are not attached yet. @returns the ids of those that were. */
export async function attachFiles(tx: Db, files: readonly NewStoreFile[]): Promise<Set<string>> {
  const added = new Set<string>();
  for (const file of files) {
    const moment = instant(file.createdAt, true);
    const { rows } = await sql<{ id: string }>`
      INSERT INTO ${table(tx)} AS f
        (vector_store_id, file_id, batch_id, filename, content_hash, created_at, status, error_code, error_message, attributes, settings,
         replaces, chunk_base, run_after, stage)
      VALUES (${file.vectorStoreId}, ${file.fileId}, ${file.batchId}, ${file.filename}, ${file.contentHash}, ${moment},
              ${file.error === null ? "in_progress" : "failed"}, ${file.error?.code ?? null}, ${file.error?.message ?? null},
              ${file.attributes === null ? null : JSON.stringify(file.attributes)}::jsonb, ${JSON.stringify(file.settings)}::jsonb,
              ${file.replaces}, ${file.chunkBase}, now(), ${file.error === null ? "queued" : "done"})
      ON CONFLICT (vector_store_id, file_id) DO NOTHING RETURNING f.file_id AS id`.execute(tx.run);
    for (const row of rows) added.add(row.id);
  }
  return added;
}

export async function findStoreFile(db: Db, storeId: string, fileId: string): Promise<StoreFile | undefined> {
  if (!holds(db, storeId) || fileId.includes("\0")) return undefined;
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(db)} AS f WHERE f.vector_store_id = ${storeId} AND f.file_id = ${fileId}`.execute(
    db.run,
  );
  return rows[0];
}

/** The same, held until the transaction ends. */
export async function lockStoreFile(tx: Db, storeId: string, fileId: string): Promise<StoreFile | undefined> {
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(tx)} AS f WHERE f.vector_store_id = ${storeId} AND f.file_id = ${fileId} FOR UPDATE`.execute(
    tx.run,
  );
  return rows[0];
}

/** Where a file is attached. */
export async function listStoresOf(db: Db, fileId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT f.vector_store_id::text AS id FROM ${table(db)} AS f WHERE f.file_id = ${fileId} ORDER BY 1`.execute(db.run);
  return rows.map((row) => row.id);
}

export interface StoreFilePage {
  batchId: string | null;
  status: FileStatus | null;
  limit: number;
  order: "asc" | "desc";
  after: string | null;
  before: string | null;
}

/** One page of a store's files in the order of (created_at, file_id). */
export async function listStoreFiles(
  db: Db,
  storeId: string,
  page: StoreFilePage,
): Promise<{ files: StoreFile[]; hasMore: boolean }> {
  const backwards = page.before !== null && page.after === null;
  const direction = sql.raw((page.order === "asc") === backwards ? "DESC" : "ASC");
  const position = (id: string) => sql`(
    SELECT c.created_at, c.file_id FROM ${table(db)} AS c WHERE c.vector_store_id = ${storeId} AND c.file_id = ${id})`;
  const beyond = (id: string | null, later: boolean) =>
    id === null
      ? sql`true`
      : sql`(f.created_at, f.file_id) ${sql.raw((page.order === "asc") === later ? ">" : "<")} ${position(id)}`;
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(db)} AS f
    WHERE f.vector_store_id = ${storeId}
      AND ${page.batchId === null ? sql`true` : sql`f.batch_id = ${page.batchId}`}
      AND ${page.status === null ? sql`true` : sql`f.status = ${page.status}`}
      AND ${beyond(page.after, true)} AND ${beyond(page.before, false)}
    ORDER BY f.created_at ${direction}, f.file_id ${direction} LIMIT ${page.limit + 1}`.execute(db.run);
  const files = rows.slice(0, page.limit);
  return { files: backwards ? files.reverse() : files, hasMore: rows.length > page.limit };
}

export interface FileCounts {
  in_progress: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Rows of the embeddings table that belong to files, and the bytes of their texts. */
  chunks: number;
  bytes: number;
}

export const noFiles: FileCounts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, chunks: 0, bytes: 0 };

/** Counts the files of stores, or of one batch, by their status. Stores without any are left out. */
export async function countFiles(db: Db, storeIds: readonly string[], batchId: string | null = null) {
  const of = (status: FileStatus) => sql`count(*) FILTER (WHERE f.status = ${sql.lit(status)})`;
  const { rows } = await sql<FileCounts & { storeId: string }>`
    SELECT f.vector_store_id::text AS "storeId", ${of("in_progress")} AS in_progress, ${of("completed")} AS completed,
           ${of("failed")} AS failed, ${of("cancelled")} AS cancelled,
           sum(f.chunk_count)::bigint AS chunks, sum(f.content_bytes)::bigint AS bytes
    FROM ${table(db)} AS f
    WHERE f.vector_store_id = ANY(${[...storeIds]}::text[]::${sql.raw(db.layout.vectorStores.idType)}[])
      AND ${batchId === null ? sql`true` : sql`f.batch_id = ${batchId}`}
    GROUP BY 1`.execute(db.run);
  return new Map(rows.map(({ storeId, ...counts }) => [storeId, counts]));
}

export async function updateAttributes(tx: Db, file: Key, attributes: Attributes | null): Promise<void> {
  await sql`
    UPDATE ${table(tx)} AS f SET attributes = ${attributes === null ? null : JSON.stringify(attributes)}::jsonb
    WHERE ${isFile(file)}`.execute(tx.run);
}

export async function removeStoreFile(tx: Db, file: Key): Promise<void> {
  await sql`DELETE FROM ${table(tx)} AS f WHERE ${isFile(file)}`.execute(tx.run);
}

/** What makes two files of a store the same document with the same chunks. */
export type SameDocument = Pick<StoreFile, "vectorStoreId" | "filename" | "contentHash" | "attributes" | "settings">;

/** A completed file of the store with the same name, content, attributes and settings, that has chunks of its own. */
export async function findCompleted(db: Db, document: SameDocument): Promise<StoreFile | undefined> {
  if (document.contentHash === null) return undefined;
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(db)} AS f
    WHERE f.vector_store_id = ${document.vectorStoreId} AND f.content_hash = ${document.contentHash}
      AND f.status = 'completed' AND f.same_as IS NULL AND f.settings = ${JSON.stringify(document.settings)}::jsonb
      AND f.filename = ${document.filename}
      AND COALESCE(f.attributes, '{}') = ${JSON.stringify(document.attributes ?? {})}::jsonb
    ORDER BY f.created_at, f.file_id LIMIT 1`.execute(db.run);
  return rows[0];
}

/** Other files for which a file's chunks stand too. */
export async function listSameAs(tx: Db, file: Key): Promise<StoreFile[]> {
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(tx)} AS f WHERE f.vector_store_id = ${file.vectorStoreId} AND f.same_as = ${file.fileId}
    ORDER BY f.created_at, f.file_id FOR UPDATE`.execute(tx.run);
  return rows;
}

/** The completed files of a store that have the name of another one. */
export async function listSameName(tx: Db, file: Key & { filename: string }): Promise<StoreFile[]> {
  const { rows } = await sql<StoreFile>`
    SELECT ${columns} FROM ${table(tx)} AS f
    WHERE f.vector_store_id = ${file.vectorStoreId} AND f.filename = ${file.filename} AND f.file_id <> ${file.fileId}
      AND f.status <> 'in_progress'
    ORDER BY f.created_at, f.file_id FOR UPDATE`.execute(tx.run);
  return rows;
}

/** The chunks of a file become those of one that has shared them; the other sharers share them with that one. */
export async function passChunksOn(tx: Db, file: StoreFile, heir: Key, others: readonly Key[]): Promise<void> {
  await sql`
    UPDATE ${table(tx)} AS f
    SET same_as = NULL, chunk_base = ${file.chunkBase}, chunk_count = ${file.chunkCount}, content_bytes = ${file.contentBytes},
        chunks_total = ${file.chunksTotal}, made_by = ${file.madeBy}
    WHERE ${isFile(heir)}`.execute(tx.run);
  await sql`
    UPDATE ${table(tx)} AS f SET same_as = ${heir.fileId}
    WHERE f.vector_store_id = ${file.vectorStoreId} AND f.file_id = ANY(${others.map((each) => each.fileId)}::text[])`.execute(
    tx.run,
  );
}

export interface Key {
  vectorStoreId: string;
  fileId: string;
}

/** Whether the row f is this file. */
export const isFile = ({ vectorStoreId, fileId }: Key) =>
  sql`f.vector_store_id = ${vectorStoreId} AND f.file_id = ${fileId}`;

const holds = (db: Db, storeId: string) => canHold(db.layout.vectorStores.idType, storeId);
