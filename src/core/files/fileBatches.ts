import { findBatch, markCancelled } from "../../db/tables/fileBatches.js";
import { countBatch } from "../../db/tables/fileCounts.js";
import { listStoreFiles } from "../../db/tables/storeFiles.js";
import type { Caller } from "../../words/caller.js";
import { ApiError, notFound } from "../../words/errors.js";
import type { FileBatch, FileCounts, StoreFile } from "../../words/file.js";
import { newId } from "../../words/ids.js";
import type { Deps } from "../deps.js";
import { requireSameModel } from "../stores/model.js";
import * as stores from "../stores/stores.js";
import { type AttachInput, enqueue } from "./attach.js";
import * as storeFiles from "./storeFiles.js";
import { briefly } from "./until.js";

/** OpenAI's file batches; imported as `fileBatches`. */

export type BatchWithCounts = FileBatch & { counts: FileCounts };

/**
 * Attaches many files at once. Unknown files are listed as failed. Files that are already attached belong to the batch
 * with the state that they have, and get the new attributes, if any are given; those that failed or were cancelled are
 * tried again.
 * @param model the store's, as its caller names it; null: not named
 * @throws ApiError 404, 400 (expired, or another model); then nothing is written
 */
export async function create(
  deps: Deps,
  caller: Caller,
  storeId: string,
  files: readonly AttachInput[],
  model: string | null,
): Promise<BatchWithCounts> {
  const store = await stores.findUsable(deps, caller, storeId, "write");
  requireSameModel(deps, store, model);
  const createdAt = deps.now();
  const batch = { id: newId("vsfb_", createdAt), vectorStoreId: store.id, createdAt, cancelled: false };
  const added = await enqueue(deps, caller, store, files, batch);
  await stores.markUsed(deps, caller, store.id);
  await briefly(deps, added);
  return withCounts(deps, batch);
}

/** @throws ApiError 404, or 400 for a malformed id, as OpenAI answers */
export async function find(deps: Deps, caller: Caller, storeId: string, id: string): Promise<BatchWithCounts> {
  const store = await stores.find(deps, caller, storeId, "read");
  return withCounts(deps, await findIn(deps, store.id, id));
}

/** @throws as `find` */
async function findIn(deps: Deps, storeId: string, id: string): Promise<FileBatch> {
  const batch = await findBatch(deps.db, storeId, id);
  if (batch !== undefined) return batch;
  if (id.startsWith("vsfb_")) throw notFound("file batch", id.slice(0, 100), "batch_id");
  throw new ApiError(400, `Invalid 'batch_id': '${id.slice(0, 100)}'. Expected an ID that begins with 'vsfb_'.`, {
    param: "batch_id",
    code: "invalid_value",
  });
}

/** A page of a batch's files. @throws as `find` */
export async function listFiles(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: storeFiles.Selection & { batchId: string },
  page: stores.PageRequest,
): Promise<{ files: StoreFile[]; hasMore: boolean }> {
  const store = await stores.find(deps, caller, storeId, "read");
  await findIn(deps, store.id, selection.batchId);
  return storeFiles.listIn(deps, store.id, selection, page);
}

/**
 * Stops the files that the batch attached and that have not ended; files that were attached before go on. A batch that
 * has ended does not change.
 */
export async function cancel(deps: Deps, caller: Caller, storeId: string, id: string): Promise<BatchWithCounts> {
  const store = await stores.find(deps, caller, storeId, "write");
  const batch = await withCounts(deps, await findIn(deps, store.id, id));
  if (batch.counts.in_progress === 0) return batch;
  await markCancelled(deps.db, batch.vectorStoreId, id);
  const which = { batchId: id, attachedBy: id, status: "in_progress", filter: null } as const;
  const page = { ...which, limit: 100, order: "asc", after: null, before: null } as const;
  for (;;) {
    const { files } = await listStoreFiles(deps.db, batch.vectorStoreId, page);
    for (const file of files) await storeFiles.cancel(deps, caller, file);
    if (files.length === 0) return find(deps, caller, storeId, id);
  }
}

async function withCounts(deps: Deps, batch: FileBatch): Promise<BatchWithCounts> {
  return { ...batch, counts: await countBatch(deps.db, batch.vectorStoreId, batch.id) };
}
