import type { Db } from "../../db/database.js";
import { forgetChunks } from "../../db/tables/ingestQueue.js";
import { type LeftChunks, deleteLeft, insertLeft, isStillLeft, listLeft } from "../../db/tables/leftChunks.js";
import { lockStore } from "../../db/tables/stores.js";
import type { Engine } from "../../engines/engine.js";
import { unavailable } from "../../words/errors.js";
import type { StoreFile, StoreFileKey } from "../../words/file.js";
import type { Deps } from "../deps.js";
import { type GoesOn, portion } from "./removal.js";
import * as stores from "./stores.js";

/**
 * Removing the chunks of a large file would lock its store, and the one connection of the embedded database, for as
 * long as it takes. So they are hidden in the change that lets them go, and removed afterwards, a portion at a time.
 */

const all = { kind: "all" } as const;

/** What removing needs; an import has no more. */
export type LeavingDeps = Pick<Deps, "db" | "engine" | "now" | "recentStores">;

/** Lets the chunks of a file go, within a change that hides them. The file may get others afterwards. */
export async function leave(tx: Db, file: StoreFile, chunkBase: string): Promise<void> {
  const { vectorStoreId, fileId } = file;
  await insertLeft(tx, { vectorStoreId, fileId, chunkBase: file.chunkBase });
  await forgetChunks(tx, file, chunkBase);
}

/** Another process has removed the last of these chunks, or the store is gone. */
class Nothing extends Error {}

/**
 * Removes chunks that were let go. A crash leaves the rest to the sweep.
 * @param where `{}` for those of all stores
 * @returns false: some are left
 */
export async function removeLeft(
  deps: LeavingDeps,
  where: Partial<StoreFileKey>,
  goesOn: GoesOn = () => true,
): Promise<boolean> {
  for (let found = await listLeft(deps.db, where, 100); found.length > 0; found = await listLeft(deps.db, where, 100)) {
    for (const chunks of found) {
      try {
        do if (!goesOn()) return false;
        while ((await removePortion(deps, chunks)) === portion);
        await end(deps, chunks);
      } catch (error) {
        if (!(error instanceof Nothing)) throw error;
      }
    }
  }
  return true;
}

const holding = (chunks: LeftChunks) => async (tx: Db) => {
  const store = await lockStore(tx, all, chunks.vectorStoreId);
  if (store === undefined || !(await isStillLeft(tx, chunks))) throw new Nothing();
  return { store };
};

async function removePortion(deps: LeavingDeps, chunks: LeftChunks): Promise<number> {
  const { fileId, chunkBase } = chunks;
  return deps.engine.write({
    now: deps.now(),
    as: "correction",
    hold: holding(chunks),
    steps: () => [{ do: "remove", which: { file: { fileId, chunkBase } }, most: portion }],
    book: (_tx, { removed }) => Promise.resolve(removed.chunks),
  });
}

async function end(deps: LeavingDeps, chunks: LeftChunks): Promise<void> {
  await deps.engine.write({
    now: deps.now(),
    as: "correction",
    hold: holding(chunks),
    steps: () => [{ do: "show", fileId: chunks.fileId }],
    book: (tx) => deleteLeft(tx, chunks),
  });
  stores.forget(deps, chunks.vectorStoreId);
}

/** Of a row that is about to be stored. */
interface Labelled {
  id: string | null;
  metadata: Record<string, unknown> | null;
}

const mostAtOnce = 1_000;

/**
 * Removes the chunks that files have left in a store, as far as these rows have their ids or name their file. Such a
 * row would be taken for one that is stored already, or be hidden, and would vanish with the chunks although it was
 * acknowledged.
 * @throws ApiError 503 `being_removed` if `goesOn` ends it
 */
export async function removeLeftUnder(
  deps: LeavingDeps,
  storeId: string,
  rows: readonly Labelled[],
  goesOn: GoesOn,
): Promise<void> {
  if (!rows.some(({ id, metadata }) => id !== null || metadata?.file_id !== undefined)) return;
  const left = await listLeft(deps.db, { vectorStoreId: storeId }, mostAtOnce);
  for (const chunks of left) {
    if (!rows.some(isUnder(deps.engine, chunks))) continue;
    const { fileId } = chunks;
    if (await removeLeft(deps, { vectorStoreId: storeId, fileId }, goesOn)) continue;
    throw unavailable(`The chunks of the file '${fileId}' are still being removed. Try again shortly.`, {
      code: "being_removed",
      retryAfterSeconds: 1,
    });
  }
}

/** Tells whether a row has the id of one of these chunks, or names their file. */
function isUnder({ ids }: Pick<Engine, "ids">, { fileId, chunkBase }: LeftChunks): (row: Labelled) => boolean {
  const [first, last] = [ids.ofFile(chunkBase, 0), ids.ofFile(chunkBase, 0xffffffff)];
  return ({ id, metadata }) =>
    metadata?.file_id === fileId || (id !== null && first !== null && last !== null && first <= id && id <= last);
}
