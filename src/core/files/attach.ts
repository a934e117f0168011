import { isDeepStrictEqual } from "node:util";
import type { Db } from "../../db/database.js";
import { addToBatch, insertBatch } from "../../db/tables/fileBatches.js";
import { findFiles } from "../../db/tables/files.js";
import { requeue } from "../../db/tables/ingestQueue.js";
import { attachFiles } from "../../db/tables/storeFiles.js";
import { type Caller, type Payer, payerOf, scopeOf } from "../../words/caller.js";
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
import { type Part, changeStore, newChunkBase, nothing, together } from "./changes.js";
import { throwUnknownFile } from "./files.js";
import { relabelFile } from "./relabel.js";
import { holding } from "./storeFiles.js";
import { briefMs, untilEnded } from "./until.js";

/** A file to attach. */
export interface AttachInput {
  fileId: string;
  attributes: Attributes | null;
  settings: IngestSettings;
}

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
  const store = await stores.findUsable(deps, caller, storeId, "write");
  requireSameModel(deps, store, model);
  const key = await attachTo(deps, caller, store, input, { replaces: false });
  await stores.markUsed(deps, caller, store.id);
  return untilEnded(deps, key, briefMs);
}

/**
 * Attaches a file to a store that has not expired. A file that is already attached gets the new attributes, if any are
 * given; one that failed or was cancelled is tried again.
 * @param options.replaces files of the same name leave the store once this one is complete
 * @throws ApiError 404 for an unknown file, 409 if it is already attached with other settings; then nothing is written
 */
export async function attachTo(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  input: AttachInput,
  { replaces }: { replaces: boolean },
): Promise<StoreFileKey> {
  await deps.limiter.requireRoom(store, 1);
  const [file] = await findFiles(deps.db, scopeOf(caller, "read"), [input.fileId], deps.now());
  if (file === undefined) throwUnknownFile(input.fileId);
  const added = await queue(
    deps,
    [fileToAttach(deps, store, input, file, { batchId: null, replaces, payer: payerOf(caller) })],
    null,
  );
  const key = { vectorStoreId: store.id, fileId: input.fileId };
  if (added.length === 0) await attachAgain(deps, caller, key, input);
  return key;
}

/**
 * Attaches many files to a store. Unknown files are listed as failed, as OpenAI does.
 * @param batch recorded together with its files; null: they belong to none
 * @returns the files that are ingested now
 */
export async function enqueue(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  inputs: readonly AttachInput[],
  batch: FileBatch | null,
): Promise<StoreFileKey[]> {
  if (inputs.length > 0) await deps.limiter.requireRoom(store, 1);
  const ids = inputs.map((input) => input.fileId);
  const known = await findFiles(deps.db, scopeOf(caller, "read"), ids, deps.now());
  const fileOf = new Map(known.map((file) => [file.id, file]));
  const about = { batchId: batch?.id ?? null, replaces: false, payer: payerOf(caller) };
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
    await changeStore(deps, "correction", holding(caller, file), async (tx, { file: known }) => {
      if (hasFailed(known)) again.push(file);
      return together([triedAgain(known, file.settings, payerOf(caller)), await relabeled(tx, known, file.attributes)]);
    }).catch((error: unknown) => {
      // It was detached meanwhile.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }
  // A file with other attributes may have to be read again.
  deps.wakeIngestion();
  return again;
}

const hasFailed = ({ status }: StoreFile) => status === "failed" || status === "cancelled";

/** Puts an attached file back into the queue if it failed or was cancelled. */
const triedAgain = (file: StoreFile, settings: IngestSettings, payer: Payer | null): Part =>
  hasFailed(file) ? { steps: [], book: (tx) => requeue(tx, file, { settings, payer }) } : nothing;

/** Gives an attached file and its chunks these attributes. @param attributes null: it keeps those that it has */
const relabeled = async (tx: Db, file: StoreFile, attributes: Attributes | null): Promise<Part> =>
  attributes === null ? nothing : relabelFile(tx, file, attributes);

function fileToAttach(
  deps: Deps,
  store: VectorStore,
  input: AttachInput,
  file: StoredFile | undefined,
  about: Pick<NewStoreFile, "batchId" | "replaces" | "payer">,
): NewStoreFile {
  const error = { code: "invalid_file" as const, message: `No such File object: ${input.fileId.slice(0, 100)}` };
  return {
    ...input,
    ...about,
    vectorStoreId: store.id,
    filename: file?.filename ?? "",
    contentHash: file?.contentHash ?? null,
    createdAt: deps.now(),
    chunkBase: newChunkBase(),
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
  await changeStore(deps, "correction", holding(caller, key), async (tx, { file }) => {
    if (!hasFailed(file) && !isDeepStrictEqual(file.settings, input.settings)) {
      throw conflict(
        "file_id",
        "this file is attached already and was cut into chunks in another way; detach it first",
      );
    }
    return together([triedAgain(file, input.settings, payerOf(caller)), await relabeled(tx, file, input.attributes)]);
  });
  deps.wakeIngestion();
}
