import { deleteFile, findFiles, insertFile, listExpiredFiles, listFiles } from "../../db/tables/files.js";
import { listStoresOf, lockStoreFile } from "../../db/tables/storeFiles.js";
import type { Db } from "../../db/database.js";
import { lockStore } from "../../db/tables/stores.js";
import { ApiError, forbidden } from "../../words/errors.js";
import { idTimestamp, newId } from "../../words/ids.js";
import { DamagedBytes, type Written } from "../../storage/storage.js";
import { type Caller, type Scope, ownerOf, scopeOf } from "../../words/caller.js";
import { recordOnOthers } from "../stores/onOthers.js";
import type { Deps } from "../deps.js";
import { changeStore, detachFiles } from "./changes.js";
import type { StoredFile } from "../../words/file.js";

export type { StoredFile };

/** Bytes in the storage that are not a file yet. */
export interface KeptBytes {
  filename: string;
  written: Written;
}

/** Stores bytes as they arrive. If they break off, nothing stays stored. */
export async function keep(deps: Deps, filename: string, bytes: AsyncIterable<Uint8Array>): Promise<KeptBytes> {
  return { filename, written: await deps.storage.write(bytes) };
}

/** Removes stored bytes. If that fails, the sweep removes them later. */
export const drop = (deps: Deps, { written }: KeptBytes): Promise<void> =>
  deps.storage.remove(written).catch(() => undefined);

/** What a sender says about a file. `expiresAfter`: seconds; null: never. */
export type FileInput = Pick<StoredFile, "purpose"> & { expiresAfter: number | null };

/**
 * Makes a file of an upload.
 * @param receive reads the upload; if it throws, it must drop the bytes it stored
 */
export async function create(
  deps: Deps,
  caller: Caller,
  receive: () => Promise<{ kept: KeptBytes; input: () => FileInput }>,
): Promise<StoredFile> {
  // One that has no room left is refused before its bytes arrive.
  await deps.limiter.requireBytes(ownerOf(caller), 1);
  const { kept, input } = await receive();
  return register(deps, caller, kept, input);
}

/**
 * Makes a file of stored bytes, and drops them if that fails.
 * @param input called last and may throw: in a form, fields can follow the file, so they are checked after it.
 */
export async function register(
  deps: Deps,
  caller: Caller,
  kept: KeptBytes,
  input: () => FileInput,
): Promise<StoredFile> {
  try {
    const { purpose, expiresAfter } = input();
    const createdAt = deps.now();
    const expiresAt = expiresAfter === null ? null : expiryOf(createdAt, expiresAfter);
    const { filename, written } = kept;
    await deps.limiter.requireBytes(ownerOf(caller), written.bytes);
    const file = { id: newId("file-", createdAt), filename, purpose, createdAt, expiresAt, ...written };
    await insertFile(deps.db, file, ownerOf(caller));
    return file;
  } catch (error) {
    await drop(deps, kept);
    throw error;
  }
}

/** When a file expires, in Unix milliseconds. OpenAI counts from the whole second that `created_at` shows. */
export const expiryOf = (createdAt: number, seconds: number): number => (Math.floor(createdAt / 1000) + seconds) * 1000;

/** @throws ApiError 404 in OpenAI's own words */
export async function find(deps: Deps, caller: Caller, id: string): Promise<StoredFile> {
  const [file] = await findFiles(deps.db, scopeOf(caller, "read"), [id], deps.now());
  return file ?? throwUnknownFile(id);
}

/**
 * A file, and its bytes slice by slice. The first slice is read at once, so that missing bytes are an error of their
 * own, not half an answer.
 * @throws ApiError 404; 500 `file_damaged` if the storage lacks bytes, which `bytes` throws too
 */
export async function open(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<{ file: StoredFile; bytes: AsyncIterable<Buffer> }> {
  const file = await find(deps, caller, id);
  const slices = orDamaged(deps.storage.read(file));
  const first = await slices.next();
  const bytes = async function* () {
    if (first.done !== true) yield first.value;
    yield* slices;
  };
  return { file, bytes: bytes() };
}

/** The same bytes. @throws ApiError 500 `file_damaged` in the place of DamagedBytes */
export async function* orDamaged(slices: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    yield* slices;
  } catch (error) {
    throw error instanceof DamagedBytes ? new ApiError(500, error.sentence, { code: "file_damaged" }) : error;
  }
}

/** 404 in OpenAI's words, also for a file that is not the caller's. */
export function throwUnknownFile(id: string): never {
  throw new ApiError(404, `No such File object: ${id.slice(0, 100)}`, { param: "id" });
}

export interface FilePageRequest {
  purpose: string | null;
  limit: number;
  order: "asc" | "desc";
  after: string | null;
}

/** A page of files. `after` may be the id of a file that was deleted meanwhile. @throws ApiError 404 for other ids */
export async function list(deps: Deps, caller: Caller, page: FilePageRequest) {
  const { after } = page;
  const madeAt = after?.startsWith("file-") === true ? idTimestamp(after) : null;
  if (after !== null && madeAt === null) throwUnknownFile(after);
  const cursor = after === null || madeAt === null ? null : { id: after, madeAt };
  return listFiles(deps.db, scopeOf(caller, "read"), { ...page, after: cursor }, deps.now());
}

/**
 * Removes a file, and detaches it from every store.
 * @throws ApiError 404; 403 for a file that a teammate made; 503 if its bytes are in FILES_DIR and cannot be removed:
 * then it stays as it is
 */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  const scope = scopeOf(caller, "admin");
  const [file] = await findFiles(deps.db, scope, [id], deps.now());
  if (file === undefined) {
    await find(deps, caller, id);
    throw forbidden(`You may read the file '${id}', but only its owner may delete it.`);
  }
  if (!(await erase(deps, { scope, caller }, file))) throwUnknownFile(id);
}

/**
 * Removes a file that was found within this scope.
 * @param by.caller absent: the sweep does it
 * @returns false if another request has done it meanwhile
 */
async function erase(deps: Deps, by: { scope: Scope; caller?: Caller }, file: StoredFile): Promise<boolean> {
  // Only the file's row knows of bytes in FILES_DIR, so they go first. Those in the database are found by the sweep.
  if (file.inDirectory) await deps.storage.remove(file);
  await detachEverywhere(deps, file.id);
  const gone = await deps.db.transaction(async (tx) => {
    const owner = await deleteFile(tx, by.scope, file.id);
    if (owner === undefined || by.caller === undefined) return owner !== undefined;
    const act = { action: "file.delete", target: file.id, details: { filename: file.filename } };
    await recordOnOthers(tx, by.caller, deps.now(), owner, act);
    return true;
  });
  if (!gone) return false;
  // Once more, for stores that it was attached to meanwhile.
  await detachEverywhere(deps, file.id);
  if (!file.inDirectory) {
    await deps.storage.remove(file).catch((error: unknown) => {
      deps.log.warn({ err: error, file: file.id }, "bytes of a deleted file are left; the sweep will remove them");
    });
  }
  return true;
}

/** The file was detached, or its store deleted, after the list of its stores was read. */
class NotAttached extends Error {}

/** Store by store, each in its own transaction: a file may be in many. */
async function detachEverywhere(deps: Deps, fileId: string): Promise<void> {
  for (const storeId of await listStoresOf(deps.db, fileId)) {
    const hold = async (tx: Db) => {
      const store = await lockStore(tx, { kind: "all" }, storeId);
      const file = store && (await lockStoreFile(tx, storeId, fileId));
      if (store === undefined || file === undefined) throw new NotAttached();
      return { store, file };
    };
    await changeStore(deps, "correction", hold, (tx, { file }) => detachFiles(tx, [file])).catch((error: unknown) => {
      if (!(error instanceof NotAttached)) throw error;
    });
  }
}

/**
 * How long bytes may be without a file: an upload may take an hour (OpenAI's limit), one in many parts several hours.
 */
const leftOverMs = 24 * 3_600_000;

/** Removes expired files, and bytes that belong to no file. @returns how many of both */
export async function sweepFiles(deps: Deps): Promise<number> {
  let swept = await deps.storage.sweep(deps.now() - leftOverMs);
  for (;;) {
    const expired = await listExpiredFiles(deps.db, deps.now(), 100);
    for (const file of expired) if (await erase(deps, { scope: { kind: "all" } }, file)) swept += 1;
    if (expired.length < 100) return swept;
  }
}
