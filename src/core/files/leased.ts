import type { Db } from "../../db/database.js";
import { lockLeased } from "../../db/tables/ingestQueue.js";
import { lockStore } from "../../db/tables/stores.js";
import type { Meter, Payer } from "../../words/caller.js";
import type { StoreFile, StoreFileKey } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { type Part, changeStore } from "./changes.js";

/**
 * The file no longer belongs to this worker: it was detached or cancelled, or another process took it over because this
 * one seemed dead. They have cleaned up already.
 */
export class LeaseLost extends Error {}

/** A file that this worker holds. */
export interface Leased {
  deps: Deps;
  key: StoreFileKey;
  lease: string;
  /** Begins no further model call. */
  stopping: AbortSignal;
  /** What the work on it has cost so far. */
  meter: Meter;
  /** Who pays; null: the service, or the file has not been read yet. */
  payer: Payer | null;
}

export interface Held {
  store: VectorStore;
  file: StoreFile;
}

const all = { kind: "all" } as const;

/**
 * Makes a change, if this worker still holds the file. The store is locked before the file, as everywhere.
 * @throws LeaseLost
 */
export function change(
  { deps, key, lease }: Leased,
  as: "ingestion" | "correction",
  plan: (tx: Db, held: Held) => Promise<Part> | Part,
): Promise<void> {
  const hold = async (tx: Db): Promise<Held> => {
    const store = await lockStore(tx, all, key.vectorStoreId);
    const file = await lockLeased(tx, key, lease);
    if (store === undefined || file === undefined) throw new LeaseLost();
    return { store, file };
  };
  return changeStore(deps, as, hold, plan);
}
