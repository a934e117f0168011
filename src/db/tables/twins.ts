import { sql } from "kysely";
import type { SameDocument, StoreFile, StoreFileKey } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import { jsonb } from "../expressions.js";
import { isFile, selectFiles } from "./storeFiles.js";

/** Files of a store that have the same content, and share its chunks, or the same name. */

const table = "vector_store_files";
const files = (db: Db) => ours(db, table);

/** The oldest completed file of the store with the same content and settings that has its own chunks. */
const oldestTwin = (db: Db, { vectorStoreId, contentHash, settings }: SameDocument) =>
  selectFiles(db)
    .where("vector_store_id", "=", vectorStoreId)
    // Of no file without a hash: null equals nothing.
    .where("content_hash", "=", contentHash)
    .where("status", "=", "completed")
    .where("same_as", "is", null)
    .where("settings", "=", jsonb(settings))
    .orderBy("created_at")
    .orderBy("file_id")
    .limit(1);

/** A completed file of the store with the same name, content, attributes and settings, that has its own chunks. */
export const findCompleted = (db: Db, document: SameDocument): Promise<StoreFile | undefined> =>
  oldestTwin(db, document)
    .where("filename", "=", document.filename)
    .where((eb) => eb.fn.coalesce("attributes", jsonb({})), "=", jsonb(document.attributes ?? {}))
    .executeTakeFirst();

/** The same under any name and with any attributes, made by this version of reading and chunking. */
export const findTwin = (db: Db, document: SameDocument, madeBy: number): Promise<StoreFile | undefined> =>
  oldestTwin(db, document).where("made_by", "=", madeBy).executeTakeFirst();

/** Other files that share a file's chunks, locked until the transaction ends. */
export async function listSameAs(tx: Db, file: StoreFileKey): Promise<StoreFile[]> {
  return selectFiles(tx)
    .where("vector_store_id", "=", file.vectorStoreId)
    .where("same_as", "=", file.fileId)
    .orderBy("created_at")
    .orderBy("file_id")
    .forUpdate()
    .execute();
}

/**
 * Other files of the store with this file's name, also those under way, locked until the transaction ends.
 * @param older only those that were attached before it
 */
export async function listSameName(tx: Db, file: StoreFile, { older }: { older: boolean }): Promise<StoreFile[]> {
  return selectFiles(tx)
    .where("vector_store_id", "=", file.vectorStoreId)
    .where("filename", "=", file.filename)
    .where("file_id", "<>", file.fileId)
    .$if(older, (query) =>
      query.where((eb) => {
        const attached = eb.selectFrom(table).select(["created_at", "file_id"]).where(isFile(file));
        return eb(eb.refTuple("created_at", "file_id"), "<", attached.$asTuple("created_at", "file_id"));
      }),
    )
    .orderBy("created_at")
    .orderBy("file_id")
    .forUpdate()
    .execute();
}

/**
 * Gives a file's chunks to another file that shares them, the heir; the others that share them now share the heir's.
 */
export async function passChunksOn(
  tx: Db,
  file: StoreFile,
  heir: StoreFileKey,
  others: readonly StoreFileKey[],
): Promise<void> {
  await files(tx)
    .updateTable(table)
    .set({
      same_as: null,
      chunk_base: file.chunkBase,
      chunk_count: file.chunkCount,
      content_bytes: file.contentBytes,
      chunks_total: file.chunksTotal,
      made_by: file.madeBy,
      // Without it, later twins would not copy the vectors but pay for them.
      plan: jsonb(file.plan),
    })
    .where(isFile(heir))
    .execute();
  await files(tx)
    .updateTable(table)
    .set({ same_as: heir.fileId })
    .where("vector_store_id", "=", file.vectorStoreId)
    .where("file_id", "=", sql<string>`ANY(${others.map((each) => each.fileId)}::text[])`)
    .execute();
}
