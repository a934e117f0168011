import type { Db } from "../../db/database.js";
import { findStoreFile, listStoreFiles, lockStoreFile } from "../../db/tables/storeFiles.js";
import type { ChunkPage } from "../../engines/engine.js";
import type { Caller } from "../../words/caller.js";
import { invalid } from "../../words/errors.js";
import type { Attributes, FileStatus, StoreFile, StoreFileKey } from "../../words/file.js";
import type { Filter } from "../../words/filter.js";
import { type VectorStore, ownerOfStore } from "../../words/store.js";
import { recordOnOthers } from "../stores/onOthers.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";
import { type Part, changeStore, chunksOf, detachFiles, endWithoutChunks, nothing, together } from "./changes.js";
import { throwUnknownFile } from "./files.js";
import { relabelFile } from "./relabel.js";
import { briefMs, untilEnded } from "./until.js";

/** Files that are attached to a store; imported as `storeFiles`. How they are attached is in attach.ts. */

/** @throws ApiError 404 if the store or the file does not exist or is not the caller's */
export async function find(deps: Deps, caller: Caller, storeId: string, fileId: string): Promise<StoreFile> {
  const store = await stores.find(deps, caller, storeId, "read");
  return (await findStoreFile(deps.db, store.id, fileId)) ?? throwUnknownFile(fileId);
}

/** Which of a store's files to list; null: all. */
export interface Selection {
  /** Only files of this batch. */
  batchId: string | null;
  status: FileStatus | null;
  /** A condition on the files' attributes. */
  filter: Filter | null;
}

export async function list(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: Selection,
  page: stores.PageRequest,
): Promise<{ files: StoreFile[]; hasMore: boolean }> {
  const store = await stores.find(deps, caller, storeId, "read");
  return listIn(deps, store.id, selection, page);
}

/** The same for a store that was found within the caller's scope. */
export async function listIn(
  deps: Deps,
  storeId: string,
  selection: Selection,
  page: stores.PageRequest,
): Promise<{ files: StoreFile[]; hasMore: boolean }> {
  for (const id of [page.after, page.before]) {
    if (id !== null && (await findStoreFile(deps.db, storeId, id)) === undefined) throwUnknownFile(id);
  }
  return listStoreFiles(deps.db, storeId, { ...page, ...selection });
}

/** Locks a store and one of its files, in this order, as everywhere. @throws ApiError 404 */
export const holding =
  (caller: Caller, key: StoreFileKey) =>
  async (tx: Db): Promise<{ store: VectorStore; file: StoreFile }> => {
    const store = await stores.lock(tx, caller, key.vectorStoreId, "write");
    const file = (await lockStoreFile(tx, store.id, key.fileId)) ?? throwUnknownFile(key.fileId);
    return { store, file };
  };

/**
 * Replaces the attributes of a file and its chunks. A file that shared its chunks with others gets its own; the answer
 * waits up to 2 s for them.
 * @throws ApiError 404, 400 (expired); then nothing is written
 */
export async function setAttributes(
  deps: Deps,
  caller: Caller,
  storeId: string,
  fileId: string,
  attributes: Attributes | null,
): Promise<StoreFile> {
  const store = await stores.findUsable(deps, caller, storeId, "write");
  const key = { vectorStoreId: store.id, fileId };
  let before: StoreFile | undefined;
  await changeStore(deps, "correction", holding(caller, key), async (tx, held) => {
    before = held.file;
    return together([await relabelFile(tx, held.file, attributes), noted(deps, caller, "store_file.update", held)]);
  });
  await stores.markUsed(deps, caller, store.id);
  if (before?.status === "completed") {
    deps.wakeIngestion();
    return untilEnded(deps, key, briefMs);
  }
  return before === undefined ? throwUnknownFile(fileId) : { ...before, attributes };
}

/** Removes a file and its chunks from a store. The file itself stays. @throws ApiError 404 */
export async function detach(deps: Deps, caller: Caller, storeId: string, fileId: string): Promise<void> {
  const hold = holding(caller, { vectorStoreId: storeId, fileId });
  await changeStore(deps, "correction", hold, async (tx, held) =>
    together([await detachFiles(tx, [held.file]), noted(deps, caller, "store_file.delete", held)]),
  );
}

/** What an administrator does to a file of somebody else's store is written down with the change. */
function noted(
  deps: Deps,
  caller: Caller,
  action: string,
  { store, file }: { store: VectorStore; file: StoreFile },
): Part {
  const act = { action, target: store.id, details: { fileId: file.fileId, filename: file.filename } };
  return { steps: [], book: (tx) => recordOnOthers(tx, caller, deps.now(), ownerOfStore(store), act) };
}

/** Stops the ingestion of a file and removes its chunks, unless the ingestion has ended. @throws ApiError 404 */
export async function cancel(deps: Deps, caller: Caller, key: StoreFileKey): Promise<void> {
  await changeStore(deps, "correction", holding(caller, key), (_tx, { file }) =>
    file.status === "in_progress" ? endWithoutChunks(file, { status: "cancelled" }) : nothing,
  );
}

/** Chunks per page of a file's content. */
const contentPage = 1000;

/**
 * The chunks of a file in document order, a page at a time. Empty until the file is complete.
 * @param wanted.after the id of the previous page's last chunk
 * @throws ApiError 404; 400 for an `after` that is no chunk of the file
 */
export async function content(
  deps: Deps,
  caller: Caller,
  storeId: string,
  fileId: string,
  { after, embeddings }: { after: string | null; embeddings: boolean },
  signal: AbortSignal,
): Promise<ChunkPage> {
  const store = await stores.find(deps, caller, storeId, "read");
  const file = (await findStoreFile(deps.db, store.id, fileId)) ?? throwUnknownFile(fileId);
  const { sameAs } = file;
  const owner = sameAs === null ? file : ((await findStoreFile(deps.db, store.id, sameAs)) ?? throwUnknownFile(sameAs));
  if (after !== null && !(await isChunkOf(deps, store, owner, after, signal)))
    throw invalid("page", "is not a next_page of this file's content");
  if (file.status !== "completed") return { chunks: [], hasMore: false };
  const page = { limit: contentPage, order: "asc", after, before: null, embeddings } as const;
  return deps.engine.page(store, { file: chunksOf(owner) }, page, { signal });
}

/** Chunks of a file leave only with all others of it, so its pages can rely on them. */
async function isChunkOf(deps: Deps, store: VectorStore, file: StoreFile, id: string, signal: AbortSignal) {
  const own = deps.engine.ids.read(id);
  if (own === null) return false;
  const [chunk] = await deps.engine.read(store, [own], { embeddings: false }, { signal });
  return (chunk?.metadata as { file_id?: unknown } | null | undefined)?.file_id === file.fileId;
}
