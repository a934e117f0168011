import { deleteStore, lockLeaving, markLeaving } from "../../db/tables/stores.js";
import { listLeaving } from "../../db/tables/storeList.js";
import type { Db } from "../../db/database.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";

/** Chunks per transaction, 0.1 to 0.4 s. A store or file with more is removed in portions: no lock is held for long. */
export const portion = 2_000;

/** Whether to remove another portion. */
export type GoesOn = () => boolean;

/** A request waits for ten portions, 1 to 4 s, unless its client leaves. The sweep removes the rest. */
export function whileRequested(signal?: AbortSignal): GoesOn {
  let portions = 10;
  return () => signal?.aborted !== true && (portions -= 1) >= 0;
}

/** Who may remove the store was checked when it was locked. */
const all = { kind: "all" } as const;

/**
 * Removes a store and everything in it. A large one disappears at once, and its chunks are removed afterwards, a
 * portion at a time; if that fails, the sweep removes the rest.
 * @param hold locks the store's row; throws to cancel
 * @param note writes in the transaction in which the store disappears
 */
export async function dropStore(
  deps: Deps,
  hold: (tx: Db) => Promise<VectorStore>,
  note: (tx: Db, store: VectorStore) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const large = await deps.db.transaction(async (tx) => {
    const store = await hold(tx);
    if (store.chunkCount <= portion) return null;
    await markLeaving(tx, [store.id]);
    await note(tx, store);
    return store.id;
  });
  if (large === null) {
    const book = async (tx: Db, store: VectorStore) => {
      await note(tx, store);
      return deleteStore(tx, all, store.id);
    };
    await deps.engine.drop({ hold, book });
    return;
  }
  deps.recentStores.delete(large);
  const emptied = await empty(deps, large, whileRequested()).catch((error: unknown) => {
    deps.log.warn({ err: error, vectorStore: large }, "a deleted store could not be emptied; the sweep will do it");
    return true;
  });
  if (!emptied) deps.wakeSweep();
}

/** Finishes the removal of stores that a request has begun. */
export async function sweepLeaving(deps: Deps): Promise<void> {
  for (const id of await listLeaving(deps.db)) await empty(deps, id, () => !deps.stopping.aborted);
}

/** Another process has removed the store. */
class Gone extends Error {}

/** @returns false: it is not empty yet */
async function empty(deps: Deps, id: string, goesOn: GoesOn): Promise<boolean> {
  const hold = async (tx: Db) => (await lockLeaving(tx, id)) ?? throwGone();
  const removePortion = () =>
    deps.engine.write({
      now: deps.now(),
      as: "correction",
      hold: async (tx) => ({ store: await hold(tx) }),
      steps: () => [{ do: "remove", which: {}, most: portion }],
      book: (_tx, { removed }) => Promise.resolve(removed.chunks),
    });
  try {
    do if (!goesOn()) return false;
    while ((await removePortion()) === portion);
    await deps.engine.drop({ hold, book: (tx) => deleteStore(tx, all, id) });
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
  return true;
}

function throwGone(): never {
  throw new Gone();
}
