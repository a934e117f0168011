import { findCompleted } from "../../db/tables/storeFiles.js";
import { ApiError } from "../../words/errors.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type KeptBytes, drop, register, remove } from "./files.js";
import { type Attributes, type IngestSettings, type StoreFile, attach, checkAttributes } from "./storeFiles.js";
import { type VectorStore, use } from "../stores/stores.js";

export interface UploadSettings {
  settings: IngestSettings;
  attributes: Attributes | null;
  /** Files of the same name in the store give way. */
  replaces: boolean;
}

/** Refuses before any byte is read. @throws ApiError 404, 400 (expired) */
export async function requireStore(deps: Deps, caller: Caller, storeId: string): Promise<void> {
  await use(deps, caller, storeId);
}

/**
 * Makes a file of an uploaded document and attaches it to a store. A document that the store has already, by name, content and settings,
 * is not added again.
 * @param waitMs how long to wait for it to be searchable
 */
export async function addDocument(
  deps: Deps,
  caller: Caller,
  storeId: string,
  kept: KeptBytes,
  { settings, attributes, replaces }: UploadSettings,
  waitMs: number,
): Promise<StoreFile> {
  const { filename, written } = kept;
  let store: VectorStore;
  try {
    checkAttributes(attributes);
    store = await use(deps, caller, storeId);
  } catch (error) {
    await drop(deps, kept);
    throw error;
  }
  const known = await findCompleted(deps.db, {
    vectorStoreId: store.id,
    filename,
    contentHash: written.contentHash,
    attributes,
    settings,
  });
  if (known !== undefined) {
    await drop(deps, kept);
    return known;
  }
  const file = await register(deps, caller, kept, () => ({ purpose: "assistants", expiresAfter: null }));
  return attach(deps, caller, store.id, { fileId: file.id, attributes, settings }, { waitMs, replaces });
}

/**
 * The same for a sender who waits for the end: a document that cannot be read is refused, and nothing of it is left.
 * @throws ApiError 400 with the reason
 */
export async function addReadableDocument(...args: Parameters<typeof addDocument>): Promise<StoreFile> {
  const [deps, caller] = args;
  const file = await addDocument(...args);
  if (file.status !== "failed") return file;
  await remove(deps, caller, file.fileId);
  const status = file.errorCode === "server_error" ? 502 : 400;
  throw new ApiError(status, `${file.filename.slice(0, 200)}: ${file.errorMessage ?? "could not be read"}`, {
    param: "file",
    code: file.errorCode,
  });
}
