import { sql } from "kysely";
import {
  type Attributes,
  type FileStatus,
  type NewStoreFile,
  type StoreFile,
  type StoreFileKey,
} from "../../words/file.js";
import type { FileChunks } from "../../words/chunk.js";
import type { Filter } from "../../words/filter.js";
import { type Db, ours } from "../database.js";
import type { ColumnsOf } from "../schema/ourTables.js";
import { epochMillis, instant, jsonb } from "../expressions.js";
import { compileFilter } from "../filterSql.js";
import { idsOfBatch } from "./fileBatches.js";
import { canBeStoreId } from "./stores.js";

/** Files that are attached to vector stores; see sql/0003_files.sql. Their queue is in ingestQueue.ts. */

const table = "vector_store_files";
const files = (db: Db) => ours(db, table);

type Columns = ColumnsOf<typeof table>;

const columns = (eb: Columns) =>
  [
    eb.cast<string>("vector_store_id", "text").as("vectorStoreId"),
    "file_id as fileId",
    "batch_id as batchId",
    "filename",
    "content_hash as contentHash",
    epochMillis(eb.ref("created_at")).as("createdAt"),
    "status",
    "error_code as errorCode",
    "error_message as errorMessage",
    "attributes",
    "settings",
    "same_as as sameAs",
    "replaces",
    "chunk_count as chunkCount",
    "content_bytes as contentBytes",
    "chunks_total as chunksTotal",
    "stage",
    "chunk_base as chunkBase",
    "made_by as madeBy",
    "plan",
    "lease",
    "attempts",
    "payer",
  ] as const;

/** Reads files whole. */
export const selectFiles = (db: Db) => files(db).selectFrom(table).select(columns);

/** Whether a row is this file. */
export const isFile =
  ({ vectorStoreId, fileId }: StoreFileKey) =>
  (eb: Columns) =>
    eb.and({ vector_store_id: vectorStoreId, file_id: fileId });

/** Attaches files that are not attached yet. @returns the ids of those it attached. */
export async function attachFiles(tx: Db, added: readonly NewStoreFile[]): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const file of added) {
    const { error } = file;
    const row = await files(tx)
      .insertInto(table)
      .values({
        vector_store_id: file.vectorStoreId,
        file_id: file.fileId,
        batch_id: file.batchId,
        filename: file.filename,
        content_hash: file.contentHash,
        created_at: instant(file.createdAt, true),
        status: error === null ? "in_progress" : "failed",
        error_code: error?.code ?? null,
        error_message: error?.message ?? null,
        attributes: jsonb(file.attributes),
        settings: jsonb(file.settings),
        replaces: file.replaces,
        chunk_base: file.chunkBase,
        payer: jsonb(file.payer),
        run_after: sql<Date>`now()`,
        stage: error === null ? "queued" : "done",
      })
      .onConflict((conflict) => conflict.columns(["vector_store_id", "file_id"]).doNothing())
      .returning("file_id")
      .executeTakeFirst();
    if (row !== undefined) ids.add(row.file_id);
  }
  return ids;
}

export async function findStoreFile(db: Db, storeId: string, fileId: string): Promise<StoreFile | undefined> {
  if (!canBeStoreId(db, storeId) || fileId.includes("\0")) return undefined;
  return selectFiles(db)
    .where(isFile({ vectorStoreId: storeId, fileId }))
    .executeTakeFirst();
}

/** Those of these files that are attached to a store. */
export async function findStoreFiles(db: Db, storeId: string, fileIds: readonly string[]): Promise<StoreFile[]> {
  if (!canBeStoreId(db, storeId)) return [];
  const named = fileIds.filter((id) => !id.includes("\0"));
  return selectFiles(db)
    .where("vector_store_id", "=", storeId)
    .where(sql<boolean>`file_id = ANY(${named}::text[])`)
    .execute();
}

/** Whether a store has any file. */
export async function hasFiles(db: Db, storeId: string): Promise<boolean> {
  const first = files(db).selectFrom(table).select("file_id").where("vector_store_id", "=", storeId).limit(1);
  return (await first.executeTakeFirst()) !== undefined;
}

/** The same, locked until the transaction ends. */
export async function lockStoreFile(tx: Db, storeId: string, fileId: string): Promise<StoreFile | undefined> {
  if (fileId.includes("\0")) return undefined;
  return selectFiles(tx)
    .where(isFile({ vectorStoreId: storeId, fileId }))
    .forUpdate()
    .executeTakeFirst();
}

/** Which of these files are attached to a store, and which have chunks there that are still to be removed. */
export async function listNamed(
  db: Db,
  storeId: string,
  fileIds: readonly string[],
): Promise<{ attached: Set<string>; leaving: Set<string> }> {
  const isNamed = sql<boolean>`vector_store_id = ${storeId} AND file_id = ANY(${[...fileIds]}::text[])`;
  // In one statement: a file that leaves between two would be in neither.
  const rows = await ours<typeof table | "vector_store_left_chunks">(db, table)
    .selectFrom(table)
    .select(["file_id", sql<boolean>`false`.as("leaving")])
    .where(isNamed)
    .unionAll((eb) =>
      eb
        .selectFrom("vector_store_left_chunks")
        .select(["file_id", sql<boolean>`true`.as("leaving")])
        .where(isNamed),
    )
    .execute();
  const those = (leaving: boolean) => new Set(rows.filter((row) => row.leaving === leaving).map((row) => row.file_id));
  return { attached: those(false), leaving: those(true) };
}

/** The files of a store that can have chunks of their own. */
export async function listFileChunks(db: Db, storeId: string): Promise<FileChunks[]> {
  return files(db)
    .selectFrom(table)
    .select(["file_id as fileId", "chunk_base as chunkBase"])
    .where("vector_store_id", "=", storeId)
    .where("same_as", "is", null)
    .execute();
}

/** The ids of the stores that a file is attached to. */
export async function listStoresOf(db: Db, fileId: string): Promise<string[]> {
  const rows = await files(db)
    .selectFrom(table)
    .select((eb) => eb.cast<string>("vector_store_id", "text").as("id"))
    .where("file_id", "=", fileId)
    .orderBy("id")
    .execute();
  return rows.map((row) => row.id);
}

export interface StoreFilePage {
  /** Only files of this batch. */
  batchId: string | null;
  /** Only files that this batch attached: not those that were attached before. */
  attachedBy?: string;
  status: FileStatus | null;
  /** Only files whose attributes pass; a file without attributes has no key. */
  filter: Filter | null;
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
  const direction = (page.order === "asc") === backwards ? "desc" : "asc";
  const beyond = (id: string, later: boolean) => (eb: Columns) => {
    const cursor = eb
      .selectFrom(table)
      .select(["created_at", "file_id"])
      .where(isFile({ vectorStoreId: storeId, fileId: id }))
      .$asTuple("created_at", "file_id");
    return eb(eb.refTuple("created_at", "file_id"), (page.order === "asc") === later ? ">" : "<", cursor);
  };
  let query = selectFiles(db).where("vector_store_id", "=", storeId);
  if (page.batchId !== null) query = query.where("file_id", "=", sql<string>`ANY(${idsOfBatch(db, page.batchId)})`);
  if (page.attachedBy !== undefined) query = query.where("batch_id", "=", page.attachedBy);
  if (page.status !== null) query = query.where("status", "=", page.status);
  if (page.filter !== null) query = query.where(compileFilter(page.filter, sql.ref("attributes")));
  if (page.after !== null) query = query.where(beyond(page.after, true));
  if (page.before !== null) query = query.where(beyond(page.before, false));
  const rows = await query
    .orderBy("created_at", direction)
    .orderBy("file_id", direction)
    .limit(page.limit + 1)
    .execute();
  const found = rows.slice(0, page.limit);
  return { files: backwards ? found.reverse() : found, hasMore: rows.length > page.limit };
}

export async function updateAttributes(tx: Db, file: StoreFileKey, attributes: Attributes | null): Promise<void> {
  await files(tx)
    .updateTable(table)
    .set({ attributes: jsonb(attributes) })
    .where(isFile(file))
    .execute();
}

export async function removeStoreFile(tx: Db, file: StoreFileKey): Promise<void> {
  await files(tx).deleteFrom(table).where(isFile(file)).execute();
}
