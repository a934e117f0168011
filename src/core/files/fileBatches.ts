import { type FileBatch, findBatch, insertBatch, markCancelled } from "../../db/tables/fileBatches.js";
import { type FileCounts, countFiles, listStoreFiles, noFiles } from "../../db/tables/storeFiles.js";
import { ApiError, notFound } from "../../words/errors.js";
import { newId } from "../../words/ids.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type AttachInput, briefly, cancel as cancelFile, enqueue } from "./storeFiles.js";
import { get, use } from "../stores/stores.js";

export type BatchWithCounts = FileBatch & { counts: FileCounts };

/** Attaches many files at once. Those that nobody knows are listed as failed; those that are attached already stay as they are. */
export async function create(
  deps: Deps,
  caller: Caller,
  storeId: string,
  files: readonly AttachInput[],
): Promise<BatchWithCounts> {
  const store = await use(deps, caller, storeId);
  const createdAt = deps.now();
  const batch = { id: newId("vsfb_", createdAt), vectorStoreId: store.id, createdAt, cancelled: false };
  await insertBatch(deps.db, batch);
  const added = await enqueue(deps, caller, store, files, { batchId: batch.id, replaces: false });
  await briefly(deps, added);
  return withCounts(deps, batch);
}

/** @throws ApiError 404, or 400 for an id that no batch can have, as OpenAI answers */
export async function retrieve(deps: Deps, caller: Caller, storeId: string, id: string): Promise<BatchWithCounts> {
  const store = await get(deps, caller, storeId);
  const batch = await findBatch(deps.db, store.id, id);
  if (batch !== undefined) return withCounts(deps, batch);
  if (id.startsWith("vsfb_")) throw notFound("file batch", id.slice(0, 100), "batch_id");
  throw new ApiError(400, `Invalid 'batch_id': '${id.slice(0, 100)}'. Expected an ID that begins with 'vsfb_'.`, {
    param: "batch_id",
    code: "invalid_value",
  });
}

/** Stops the files that have not ended yet. Of a batch that has ended nothing changes. */
export async function cancel(deps: Deps, caller: Caller, storeId: string, id: string): Promise<BatchWithCounts> {
  const batch = await retrieve(deps, caller, storeId, id);
  if (batch.counts.in_progress === 0) return batch;
  await markCancelled(deps.db, id);
  const selection = {
    batchId: id,
    status: "in_progress",
    limit: 100,
    order: "asc",
    after: null,
    before: null,
  } as const;
  for (;;) {
    const { files } = await listStoreFiles(deps.db, batch.vectorStoreId, selection);
    for (const file of files) await cancelFile(deps, caller, file);
    if (files.length === 0) return retrieve(deps, caller, storeId, id);
  }
}

async function withCounts(deps: Deps, batch: FileBatch): Promise<BatchWithCounts> {
  const counts = await countFiles(deps.db, [batch.vectorStoreId], batch.id);
  return { ...batch, counts: counts.get(batch.vectorStoreId) ?? noFiles };
}
