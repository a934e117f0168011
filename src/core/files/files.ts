import {
  type StoredFile,
  deleteFile,
  findFiles,
  insertFile,
  listExpiredFiles,
  listFiles,
} from "../../db/tables/files.js";
import { sweepSlices } from "../../db/tables/fileSlices.js";
import { listStoresOf, lockStoreFile } from "../../db/tables/storeFiles.js";
import { lockStore } from "../../db/tables/stores.js";
import { ApiError } from "../../words/errors.js";
import { idTimestamp, newId } from "../../words/ids.js";
import type { Written } from "../../storage/storage.js";
import { type Caller, ownerOf, scopeOf } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { detachFile } from "./fileChunks.js";

export type { StoredFile };

/** Bytes that are kept but are no file yet. */
export interface KeptBytes {
  filename: string;
  written: Written;
}

/** Keeps bytes while they come. Where they break off, nothing is left. */
export async function keep(deps: Deps, filename: string, bytes: AsyncIterable<Uint8Array>): Promise<KeptBytes> {
  return { filename, written: await deps.storage.write(bytes) };
}

/** What cannot be removed now the sweep takes. */
export const drop = (deps: Deps, { written }: KeptBytes): Promise<void> =>
  deps.storage.remove(written).catch(() => undefined);

/**
 * Makes a file of kept bytes; where that fails, they are dropped.
 * @param input may throw: a form's fields can come behind its file, and are looked at last.
 */
export async function register(
  deps: Deps,
  caller: Caller,
  kept: KeptBytes,
  input: () => Pick<StoredFile, "purpose"> & { expiresAfter: number | null },
): Promise<StoredFile> {
  try {
    const { purpose, expiresAfter } = input();
    const createdAt = deps.now();
    const expiresAt = expiresAfter === null ? null : expiryOf(createdAt, expiresAfter);
    const { filename, written } = kept;
    const file = { id: newId("file-", createdAt), filename, purpose, createdAt, expiresAt, ...written };
    await insertFile(deps.db, file, ownerOf(caller));
    return file;
  } catch (error) {
    await drop(deps, kept);
    throw error;
  }
}

/** OpenAI counts from the second that `created_at` shows. */
export const expiryOf = (createdAt: number, seconds: number): number => (Math.floor(createdAt / 1000) + seconds) * 1000;

export const read = (deps: Deps, file: StoredFile): AsyncIterable<Buffer> => deps.storage.read(file);

/** @throws ApiError 404 in OpenAI's own words */
export async function get(deps: Deps, caller: Caller, id: string): Promise<StoredFile> {
  const [file] = await findFiles(deps.db, scopeOf(caller), [id], deps.now());
  return file ?? throwUnknownFile(id);
}

export function throwUnknownFile(id: string): never {
  throw new ApiError(404, `No such File object: ${id.slice(0, 100)}`, { param: "id" });
}

export interface FilePageRequest {
  purpose: string | null;
  limit: number;
  order: "asc" | "desc";
  after: string | null;
}

/** A page of files. `after` may be the id of a file that was deleted meanwhile. */
export async function list(deps: Deps, caller: Caller, page: FilePageRequest) {
  const { after } = page;
  const madeAt = after === null ? null : idTimestamp(after);
  if (after !== null && madeAt === null) throwUnknownFile(after);
  const cursor = after === null || madeAt === null ? null : { id: after, madeAt };
  return listFiles(deps.db, scopeOf(caller), { ...page, after: cursor }, deps.now());
}

/** Removes a file, also from all stores that it is attached to. @throws ApiError 404 */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  await get(deps, caller, id);
  await takeOut(deps, id);
  const gone = (await deleteFile(deps.db, scopeOf(caller), id)) ?? throwUnknownFile(id);
  await deps.storage.remove(gone);
}

/** Store by store, each in a transaction of its own: a file may be in many. */
async function takeOut(deps: Deps, fileId: string): Promise<void> {
  for (const storeId of await listStoresOf(deps.db, fileId)) {
    await deps.db.transaction(async (tx) => {
      const store = await lockStore(tx, { kind: "all" }, storeId);
      const file = store && (await lockStoreFile(tx, storeId, fileId));
      if (store !== undefined && file !== undefined) await detachFile(tx, store, file);
    });
    deps.recentStores.delete(storeId);
  }
}

/** How long bytes may lie without a file: an upload may take an hour (OpenAI's limit), and one of many parts several. */
const leftOverMs = 24 * 3_600_000;

/** Removes files that have expired, and bytes that nobody has any use of. @returns how many of both */
export async function sweepFiles(deps: Deps): Promise<number> {
  let swept = await sweepSlices(deps.db, deps.now() - leftOverMs);
  for (;;) {
    const ids = await listExpiredFiles(deps.db, deps.now(), 100);
    for (const id of ids) {
      await takeOut(deps, id);
      const gone = await deleteFile(deps.db, { kind: "all" }, id);
      if (gone !== undefined) await deps.storage.remove(gone);
      swept += 1;
    }
    if (ids.length < 100) return swept;
  }
}
