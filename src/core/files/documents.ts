import { isDeepStrictEqual } from "node:util";
import { findCompleted, listSameName } from "../../db/tables/twins.js";
import type { Caller } from "../../words/caller.js";
import { ApiError, clientLeft, conflict, invalid } from "../../words/errors.js";
import type { Attributes, IngestSettings, StoreFile } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { requireComparable } from "../stores/embedding.js";
import * as stores from "../stores/stores.js";
import { attachTo } from "./attach.js";
import { changeStore, detachFiles, nothing } from "./changes.js";
import * as files from "./files.js";
import { holding } from "./storeFiles.js";
import { untilEnded } from "./until.js";

/** How a sender wants documents to be added. */
export interface DocumentSettings {
  settings: IngestSettings;
  attributes: Attributes | null;
  /** Files of the same name leave the store once this one is complete. */
  replaces: boolean;
}

/** Less than 600 s, after which the server closes a silent connection. */
const uploadWaitMs = 590_000;

/**
 * Adds the documents of an upload to a store. An unknown or expired store is refused before any byte is read. If the
 * sender leaves before the answer, its document under way is removed, and those after it are not added.
 * @param receive reads the upload; if it throws, it must drop the bytes it stored
 * @param options.later answer without waiting for ingestion; then the documents are added whether the sender stays
 *   or not
 * @throws ApiError 404, 400 (expired, or two files of one name that replace others); then nothing is left of the
 * upload. 400 with the reason if a single document cannot be read, 502 if a model failed; then nothing is left of that
 * document. 409 `model_mismatch`
 */
export async function uploadDocuments(
  deps: Deps,
  caller: Caller,
  storeId: string,
  receive: () => Promise<{ kept: readonly files.KeptBytes[]; settings: DocumentSettings }>,
  { later, signal }: { later: boolean; signal: AbortSignal },
): Promise<StoreFile[]> {
  const store = await stores.findUsable(deps, caller, storeId, "write");
  requireComparable(deps, store);
  await deps.limiter.requireRoom(store, 1);
  const { kept, settings } = await receive();
  try {
    if (settings.replaces) requireDifferentNames(kept);
  } catch (error) {
    for (const each of kept) await files.drop(deps, each);
    throw error;
  }
  const added: StoreFile[] = [];
  const waiting = later ? { ms: 0, signal: undefined } : { ms: uploadWaitMs, signal };
  for (const [i, each] of kept.entries()) {
    const file = await addDocument(deps, caller, store, each, settings, waiting);
    added.push(file);
    // When the process stops, it closes connections too: then the file goes on in another one.
    if (waiting.signal?.aborted !== true || deps.stopping.aborted) continue;
    await abandon(deps, caller, file);
    for (const unread of kept.slice(i + 1)) await files.drop(deps, unread);
    throw clientLeft();
  }
  const [only] = added;
  if (added.length === 1 && only?.errorCode != null && !later) await refuse(deps, caller, only);
  // Only now, because a refused upload is no use of the store. Ingestion has marked it whenever it added chunks.
  await stores.markUsed(deps, caller, store.id);
  return added;
}

/**
 * Makes a file of a document's bytes and attaches it to a store. If the store already has the document, with the same
 * name, content, attributes and settings, it is not added again; but it replaces others if it is to.
 * @param waiting how long to wait until it is searchable, in milliseconds; not after the signal aborts
 * @throws ApiError 409 if it is removed, or replaced by another document, meanwhile
 */
export async function addDocument(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  kept: files.KeptBytes,
  { settings, attributes, replaces }: DocumentSettings,
  waiting: { ms: number; signal?: AbortSignal | undefined },
): Promise<StoreFile> {
  const { filename, written } = kept;
  const { contentHash } = written;
  const same = { vectorStoreId: store.id, filename, contentHash, attributes, settings };
  const known = await findCompleted(deps.db, same);
  if (known !== undefined && (!replaces || (await replaceOthers(deps, caller, known)))) {
    await files.drop(deps, kept);
    return known;
  }
  const file = await files.register(deps, caller, kept, () => ({ purpose: "assistants", expiresAfter: null }));
  const key = await attachTo(deps, caller, store, { fileId: file.id, attributes, settings }, { replaces });
  return untilEnded(deps, key, waiting.ms, waiting.signal).catch(async (error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    await files.remove(deps, caller, file.id).catch(() => undefined);
    // Sent twice at once, the later one has replaced it: the store has the document all the same.
    const later = await findCompleted(deps.db, same);
    if (later !== undefined) return later;
    throw conflict("file", `${filename.slice(0, 200)} was removed, or replaced by a later one, while it was read`);
  });
}

/** Each document of an upload would replace the one before it. @throws ApiError 400 */
function requireDifferentNames(kept: readonly files.KeptBytes[]): void {
  const names = kept.map(({ filename }) => filename);
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated === undefined) return;
  throw invalid(
    "files",
    `"${repeated.slice(0, 200)}" is there twice, and with replace the second would remove the first`,
  );
}

/**
 * The other files of the name leave, those under way too: they were sent before, and would replace this one later.
 * @returns false: this one has left or changed meanwhile
 */
async function replaceOthers(deps: Deps, caller: Caller, known: StoreFile): Promise<boolean> {
  const state = { isKept: false };
  await changeStore(deps, "correction", holding(caller, known), async (tx, { file }) => {
    state.isKept = file.status === "completed" && isDeepStrictEqual(file.attributes, known.attributes);
    return state.isKept ? detachFiles(tx, await listSameName(tx, file, { older: false })) : nothing;
  }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
  return state.isKept;
}

/** Removes a document whose sender has left, unless its ingestion has ended: it may have replaced another one. */
async function abandon(deps: Deps, caller: Caller, file: StoreFile): Promise<void> {
  const state = { isRemoved: false };
  await changeStore(deps, "correction", holding(caller, file), (tx, { file: now }) => {
    if (now.status !== "in_progress") return nothing;
    state.isRemoved = true;
    return detachFiles(tx, [now]);
  });
  if (state.isRemoved) await files.remove(deps, caller, file.fileId);
}

async function refuse(deps: Deps, caller: Caller, file: StoreFile): Promise<never> {
  if (file.status === "failed") await files.remove(deps, caller, file.fileId);
  else await abandon(deps, caller, file);
  const status = file.errorCode === "server_error" ? 502 : 400;
  throw new ApiError(status, `${file.filename.slice(0, 200)}: ${file.errorMessage ?? "could not be read"}`, {
    param: "file",
    code: file.errorCode,
  });
}
