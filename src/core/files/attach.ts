import { isDeepStrictEqual } from "node:util";
import { addToBatch, insertBatch } from "../../db/tables/fileBatches.js";
import { findFiles } from "../../db/tables/files.js";
import { requeue } from "../../db/tables/ingestQueue.js";
import { attachFiles, findStoreFile, updateAttributes } from "../../db/tables/storeFiles.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import { ApiError, conflict } from "../../words/errors.js";
import type {
  Attributes,
  FileBatch,
  IngestSettings,
  NewStoreFile,
  StoreFile,
  StoreFileKey,
  StoredFile,
} from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { requireSameModel } from "../stores/model.js";
import * as stores from "../stores/stores.js";
import { type Part, changeStore, newChunkBase, nothing, relabelChunks, together } from "./changes.js";
import { throwUnknownFile } from "./files.js";
import { checkAttributes, holding } from "./storeFiles.js";

/** A file to attach. */
export interface AttachInput {
  fileId: string;
  attributes: Attributes | null;
  settings: IngestSettings;
}

/** How long an answer waits for ingestion: small files are searchable by then, so their senders need not poll. */
const briefMs = 2000;

/**
 * Attaches a file to a store, as `attachTo`, and waits up to 2 s for it.
 * @param model the store's, as its caller names it; null: not named
 * @throws ApiError 404, 400 `vector_store_expired` or `model_mismatch`, and as `attachTo`; then nothing is written
 */
export async function attachFile(
  deps: Deps,
  caller: Caller,
  storeId: string,
  input: AttachInput,
  model: string | null,
): Promise<StoreFile> {
  const store = await stores.findUsable(deps, caller, storeId);
  requireSameModel(deps, store, model);
  const key = await attachTo(deps, caller, store, input, { replaces: false });
  await stores.markUsed(deps, caller, store.id);
  return untilEnded(deps, key, briefMs);
}

/**
 * Attaches a file to a store that has not expired. A file that is already attached gets the new attributes, if any are
 * given; one that failed or was cancelled is tried again.
 * @param options.replaces files of the same name leave the store once this one is complete
 * @throws ApiError 404 for an unknown file, 400 for reserved attributes, 409 if it is already attached with other
 * settings; then nothing is written
 */
export async function attachTo(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  input: AttachInput,
  { replaces }: { replaces: boolean },
): Promise<StoreFileKey> {
  checkAttributes(input.attributes);
  const [file] = await findFiles(deps.db, scopeOf(caller), [input.fileId], deps.now());
  if (file === undefined) throwUnknownFile(input.fileId);
  const added = await queue(deps, [fileToAttach(deps, store, input, file, { batchId: null, replaces })], null);
  const key = { vectorStoreId: store.id, fileId: input.fileId };
  if (added.length === 0) await attachAgain(deps, caller, key, input);
  return key;
}

/**
 * Attaches many files to a store. Unknown files are listed as failed, as OpenAI does.
 * @param batch recorded together with its files; null: they belong to none
 * @returns the files that are ingested now
 * @throws ApiError 400 for reserved attributes; then nothing is written
 */
export async function enqueue(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  inputs: readonly AttachInput[],
  batch: FileBatch | null,
): Promise<StoreFileKey[]> {
  for (const { attributes } of inputs) checkAttributes(attributes);
  const ids = inputs.map((input) => input.fileId);
  const known = await findFiles(deps.db, scopeOf(caller), ids, deps.now());
  const fileOf = new Map(known.map((file) => [file.id, file]));
  const about = { batchId: batch?.id ?? null, replaces: false };
  const files = inputs.map((input) => fileToAttach(deps, store, input, fileOf.get(input.fileId), about));
  const added = new Set(await queue(deps, files, batch));
  if (batch === null) return [...added];
  const before = files.filter((file) => !added.has(file) && file.error === null);
  return [...added, ...(await attachMoreAgain(deps, caller, before))];
}

/**
 * Attaches files again, as `attachAgain`, but keeps the settings that they have: a batch says only how its new files
 * are cut.
 * @returns those that are tried again
 */
async function attachMoreAgain(deps: Deps, caller: Caller, files: readonly NewStoreFile[]): Promise<NewStoreFile[]> {
  const again: NewStoreFile[] = [];
  for (const file of files) {
    await changeStore(deps, "correction", holding(caller, file), (_tx, { file: known }) => {
      if (hasFailed(known)) again.push(file);
      return together([triedAgain(known, file.settings), relabeled(known, file.attributes)]);
    }).catch((error: unknown) => {
      // It was detached meanwhile.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }
  if (again.length > 0) deps.wakeIngestion();
  return again;
}

const hasFailed = ({ status }: StoreFile) => status === "failed" || status === "cancelled";

/** Puts an attached file back into the queue if it failed or was cancelled. */
const triedAgain = (file: StoreFile, settings: IngestSettings): Part =>
  hasFailed(file) ? { steps: [], book: (tx) => requeue(tx, file, settings) } : nothing;

/** Gives an attached file and its chunks these attributes. @param attributes null: it keeps those that it has */
const relabeled = (file: StoreFile, attributes: Attributes | null): Part =>
  attributes === null || isDeepStrictEqual(file.attributes, attributes)
    ? nothing
    : together([relabelChunks(file, attributes), { steps: [], book: (tx) => updateAttributes(tx, file, attributes) }]);

function fileToAttach(
  deps: Deps,
  store: VectorStore,
  input: AttachInput,
  file: StoredFile | undefined,
  about: { batchId: string | null; replaces: boolean },
): NewStoreFile {
  const now = deps.now();
  const error = { code: "invalid_file" as const, message: `No such File object: ${input.fileId.slice(0, 100)}` };
  return {
    ...input,
    ...about,
    vectorStoreId: store.id,
    filename: file?.filename ?? "",
    contentHash: file?.contentHash ?? null,
    createdAt: now,
    chunkBase: newChunkBase(now),
    error: file === undefined ? error : null,
  };
}

async function queue(deps: Deps, files: readonly NewStoreFile[], batch: FileBatch | null): Promise<NewStoreFile[]> {
  const added = await deps.db.transaction(async (tx) => {
    if (batch !== null) await insertBatch(tx, batch);
    const attached = await attachFiles(tx, files);
    const before = files.map((file) => file.fileId).filter((id) => !attached.has(id));
    if (batch !== null) await addToBatch(tx, batch, before);
    return attached;
  });
  if (added.size > 0) deps.wakeIngestion();
  return files.filter((file) => added.has(file.fileId));
}

async function attachAgain(deps: Deps, caller: Caller, key: StoreFileKey, input: AttachInput): Promise<void> {
  await changeStore(deps, "correction", holding(caller, key), (_tx, { file }) => {
    if (!hasFailed(file) && !isDeepStrictEqual(file.settings, input.settings)) {
      throw conflict(
        "file_id",
        "this file is attached already and was cut into chunks in another way; detach it first",
      );
    }
    return together([triedAgain(file, input.settings), relabeled(file, input.attributes)]);
  });
  deps.wakeIngestion();
}

/**
 * Waits until a file's ingestion has ended, or waits itself for what does not pass without a correction. It polls, at
 * growing intervals, because another replica may be ingesting the file.
 * @param waitMs at most this long, in milliseconds
 * @param signal ends the waiting
 * @returns the file as it is then, ended or not
 * @throws ApiError 404
 */
export async function untilEnded(
  deps: Deps,
  key: StoreFileKey,
  waitMs: number,
  signal?: AbortSignal,
): Promise<StoreFile> {
  const deadline = performance.now() + waitMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const file = (await findStoreFile(deps.db, key.vectorStoreId, key.fileId)) ?? throwUnknownFile(key.fileId);
    const left = deadline - performance.now();
    if (file.status !== "in_progress" || file.errorCode !== null || left <= 0 || signal?.aborted === true) return file;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
}

/** Waits up to 2 s in all for files to be ingested. @throws ApiError 404 if one was deleted meanwhile */
export async function briefly(deps: Deps, files: readonly StoreFileKey[]): Promise<void> {
  const deadline = performance.now() + briefMs;
  for (const key of files) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    await untilEnded(deps, key, left);
  }
}
