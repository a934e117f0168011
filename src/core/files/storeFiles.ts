import { isDeepStrictEqual } from "node:util";
import { findFiles } from "../../db/tables/files.js";
import { requeue } from "../../db/tables/ingestQueue.js";
import {
  type Attributes,
  type FileStatus,
  type IngestSettings,
  type Key,
  type NewStoreFile,
  type StoreFile,
  attachFiles,
  fileStatuses,
  findStoreFile,
  listStoreFiles,
  lockStoreFile,
  updateAttributes,
} from "../../db/tables/storeFiles.js";
import { type VectorStore, lockStore } from "../../db/tables/stores.js";
import type { Db } from "../../db/connection/database.js";
import { listChunks } from "../../engines/pgvector/chunks.js";
import { conflict, invalid } from "../../words/errors.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import { chunksOf, newChunkBase } from "./chunkIds.js";
import type { Deps } from "../deps.js";
import { changeAttributes, detachFile, endWithoutChunks, reservedAttributes } from "./fileChunks.js";
import { throwUnknownFile } from "./files.js";
import { type PageRequest, get, throwUnknown, use } from "../stores/stores.js";

export { fileStatuses };
export type { Attributes, FileStatus, IngestSettings, StoreFile };

/** A file that is to be attached. */
export interface AttachInput {
  fileId: string;
  attributes: Attributes | null;
  settings: IngestSettings;
}

/** How long an answer waits for a file to be ingested: small ones are done within it, and their senders need not ask again. */
const briefMs = 2000;

/**
 * Attaches a file to a store and waits a moment for it to be searchable. One that is attached already stays as it is; one that had failed
 * or was cancelled is tried again.
 * @param options.waitMs how long to wait; replaces: files of the same name in the store give way when this one is complete.
 * @throws ApiError 404, 400 (expired, reserved attributes), 409 when it is attached with other settings
 */
export async function attach(
  deps: Deps,
  caller: Caller,
  storeId: string,
  input: AttachInput,
  options: { waitMs?: number; replaces?: boolean } = {},
): Promise<StoreFile> {
  const store = await use(deps, caller, storeId);
  const [added] = await enqueue(deps, caller, store, [input], { batchId: null, replaces: options.replaces ?? false });
  if (added?.error != null) {
    await detach(deps, caller, storeId, input.fileId);
    throwUnknownFile(input.fileId);
  }
  const key = { vectorStoreId: store.id, fileId: input.fileId };
  if (added === undefined) await attachAgain(deps, caller, key, input);
  return untilEnded(deps, key, options.waitMs ?? briefMs);
}

/**
 * Puts files into the queue of a store. Files that nobody knows are listed as failed, as OpenAI does.
 * @returns those that were not attached yet.
 */
export async function enqueue(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  inputs: readonly AttachInput[],
  { batchId, replaces }: { batchId: string | null; replaces: boolean },
): Promise<NewStoreFile[]> {
  for (const { attributes } of inputs) checkAttributes(attributes);
  const now = deps.now();
  const ids = inputs.map((each) => each.fileId);
  const known = new Map((await findFiles(deps.db, scopeOf(caller), ids, now)).map((file) => [file.id, file]));
  const files = inputs.map((input): NewStoreFile => {
    const file = known.get(input.fileId);
    const error = { code: "invalid_file" as const, message: `No such File object: ${input.fileId.slice(0, 100)}` };
    return {
      ...input,
      vectorStoreId: store.id,
      batchId,
      filename: file?.filename ?? "",
      contentHash: file?.contentHash ?? null,
      createdAt: now,
      replaces,
      chunkBase: newChunkBase(now),
      error: file === undefined ? error : null,
    };
  });
  const added = await deps.db.transaction((tx) => attachFiles(tx, files));
  if (added.size > 0) deps.wakeIngestion();
  return files.filter((file) => added.has(file.fileId));
}

/** Ours in the metadata of chunks: an attribute of that name would hide it. @throws ApiError 400 */
export function checkAttributes(attributes: Attributes | null): void {
  const reserved = reservedAttributes.find((name) => attributes?.[name] !== undefined);
  if (reserved !== undefined)
    throw invalid(`attributes.${reserved}`, "this name is used by the service; choose another");
}

async function attachAgain(deps: Deps, caller: Caller, key: Key, input: AttachInput): Promise<void> {
  await held(deps, caller, key, async (tx, store, file) => {
    const again = file.status === "failed" || file.status === "cancelled";
    if (again) {
      await requeue(tx, file, input.settings);
    } else if (!isDeepStrictEqual(file.settings, input.settings)) {
      throw conflict(
        "file_id",
        "this file is attached already and was cut into chunks in another way; detach it first",
      );
    }
    if (input.attributes !== null && !isDeepStrictEqual(file.attributes, input.attributes)) {
      await changeAttributes(tx, store, file, input.attributes);
      await updateAttributes(tx, file, input.attributes);
    }
  });
  deps.wakeIngestion();
}

/** A transaction that holds the store and one of its files, in this order as everywhere. @throws ApiError 404 */
async function held<T>(
  deps: Deps,
  caller: Caller,
  key: Key,
  work: (tx: Db, store: VectorStore, file: StoreFile) => Promise<T>,
): Promise<T> {
  const result = await deps.db.transaction(async (tx) => {
    const store = (await lockStore(tx, scopeOf(caller), key.vectorStoreId)) ?? throwUnknown(key.vectorStoreId);
    const file = (await lockStoreFile(tx, store.id, key.fileId)) ?? throwUnknownFile(key.fileId);
    return work(tx, store, file);
  });
  deps.recentStores.delete(key.vectorStoreId);
  return result;
}

/** Looks again and again, in growing strides: another replica may be at it. @returns the file as it is then */
export async function untilEnded(deps: Deps, key: Key, waitMs: number): Promise<StoreFile> {
  const deadline = performance.now() + waitMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const file = (await findStoreFile(deps.db, key.vectorStoreId, key.fileId)) ?? throwUnknownFile(key.fileId);
    const left = deadline - performance.now();
    if (file.status !== "in_progress" || left <= 0) return file;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
}

/** Waits a moment for files to end. */
export async function briefly(deps: Deps, keys: readonly Key[]): Promise<void> {
  const deadline = performance.now() + briefMs;
  for (const key of keys) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    await untilEnded(deps, key, left);
  }
}

/** @throws ApiError 404 for a store or a file that is not there, or not the caller's */
export async function retrieve(deps: Deps, caller: Caller, storeId: string, fileId: string): Promise<StoreFile> {
  const store = await get(deps, caller, storeId);
  return (await findStoreFile(deps.db, store.id, fileId)) ?? throwUnknownFile(fileId);
}

/** @param selection.batchId only files of this batch */
export async function list(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: { batchId: string | null; status: FileStatus | null },
  page: PageRequest,
) {
  const store = await get(deps, caller, storeId);
  for (const id of [page.after, page.before]) {
    if (id !== null && (await findStoreFile(deps.db, store.id, id)) === undefined) throwUnknownFile(id);
  }
  return listStoreFiles(deps.db, store.id, { ...page, ...selection });
}

/** Gives a file other attributes, and its chunks with it. */
export async function setAttributes(
  deps: Deps,
  caller: Caller,
  storeId: string,
  fileId: string,
  attributes: Attributes | null,
): Promise<StoreFile> {
  checkAttributes(attributes);
  const store = await use(deps, caller, storeId);
  return held(deps, caller, { vectorStoreId: store.id, fileId }, async (tx, current, file) => {
    await changeAttributes(tx, current, file, attributes);
    await updateAttributes(tx, file, attributes);
    return { ...file, attributes };
  });
}

/** Takes a file out of a store; the file itself stays. */
export async function detach(deps: Deps, caller: Caller, storeId: string, fileId: string): Promise<void> {
  await held(deps, caller, { vectorStoreId: storeId, fileId }, detachFile);
}

/** Stops the ingestion of a file, if it has not ended. What it has of chunks goes. */
export async function cancel(deps: Deps, caller: Caller, key: Key): Promise<void> {
  await held(deps, caller, key, async (tx, store, file) => {
    if (file.status !== "in_progress") return;
    await endWithoutChunks(tx, store, file, { status: "cancelled" });
  });
}

/** Chunks of one page of a file's content. */
const contentPage = 1000;

/**
 * The chunks of a file in their order, a page at a time.
 * @param after the id of the chunk to go on after
 */
export async function content(deps: Deps, caller: Caller, storeId: string, fileId: string, after: string | null) {
  const file = await retrieve(deps, caller, storeId, fileId);
  if (file.status !== "completed") return { chunks: [], hasMore: false };
  const owner = file.sameAs === null ? file : await retrieve(deps, caller, storeId, file.sameAs);
  const selection = { filter: null, ids: null, file: chunksOf(deps.db.layout.embeddings.idType, owner) };
  const page = { limit: contentPage, order: "asc", after, before: null, withEmbedding: false } as const;
  return listChunks(deps.db, file.vectorStoreId, selection, page);
}
