import { maxIndexDimensions } from "../../db/schema/layout.js";
import { countStores, listToIndex, outgrown, recordIndexing } from "../../db/tables/storeIndexing.js";
import { type VectorStore, lockStore } from "../../db/tables/stores.js";
import { buildProgress } from "../../engines/pgvector/upkeep/indexes.js";
import { deleteKeywords } from "../../engines/pgvector/keywords/keywords.js";
import type { Deps } from "../deps.js";

const all = { kind: "all" } as const;

/** Has the words of a store made in a language, by the next round of `bringUpToDate`. Of one that has them already nothing changes. */
export async function requestKeywords(deps: Deps, id: string, language: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store === undefined || store.keywordsLanguage === language) return;
    if (store.keywordsLanguage !== null) await deleteKeywords(tx, id, null);
    await recordIndexing(tx, id, { keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 });
  });
  deps.recentStores.delete(id);
  deps.wakeIndexing();
}

/**
 * Has all that is derived from a store's rows checked against them, what is missing made and what is left over removed, and its index built
 * anew (or, for a store below INDEX_MIN_ROWS, at all), by the next round of `bringUpToDate`. Searches go on with what there is.
 */
export async function requestReindex(deps: Deps, store: VectorStore): Promise<VectorStore> {
  await recordIndexing(deps.db, store.id, { reindexRequested: true });
  deps.wakeIndexing();
  return { ...store, reindexRequested: true };
}

/** How far the indexes of all stores are. */
export interface IndexingSummary {
  /** Stores by the state of their index. */
  stores: Record<IndexingState, number>;
  /** Stores whose keywords are being made. */
  keywordsBuilding: number;
  /** Index builds under way now, by any process. `done` of `total` rows or blocks; total is 0 while it is not known. */
  builds: { phase: string; done: number; total: number }[];
  /** Rows of all stores, and the bytes of their contents. */
  chunks: number;
  contentBytes: number;
}

export async function summarize(deps: Deps): Promise<IndexingSummary> {
  const { minRows } = deps.config.indexing;
  const unfinished = await listToIndex(deps.db, minRows, maxIndexDimensions(deps.db.layout.derived.vectorType));
  const { stores: total, indexed, chunks, contentBytes } = await countStores(deps.db);
  const stores = { none: 0, waiting: 0, building: 0, ready: 0 };
  for (const store of unfinished) stores[indexingState(deps, store)] += 1;
  const unfinishedIndexed = unfinished.filter((store) => store.vectorsIndexed).length;
  stores.ready += indexed - unfinishedIndexed;
  stores.none += total - unfinished.length - (indexed - unfinishedIndexed);
  return {
    stores,
    keywordsBuilding: unfinished.filter((each) => each.keywordsLanguage !== null && !each.keywordsComplete).length,
    builds: await buildProgress(deps.db),
    chunks,
    contentBytes,
  };
}

/** What a store's index is doing. `waiting`: it is to have one; `none`: it is searched exactly, which is as quick for so few rows. */
export type IndexingState = "none" | "waiting" | "building" | "ready";

export function indexingState(deps: Deps, store: VectorStore): IndexingState {
  if (!store.vectorsComplete) return "waiting";
  if (store.vectorsNext !== null) return "building";
  if (store.vectorsIndexed) return store.reindexRequested ? "building" : "ready";
  if (store.vectorsTable !== null) return "building";
  return store.reindexRequested || wantsIndex(deps, store) ? "waiting" : "none";
}

/** Whether a store's index is to be built, for the first time or anew. */
export function wantsIndex(deps: Deps, store: VectorStore): boolean {
  const { minRows } = deps.config.indexing;
  const { embeddingDimensions: dimensions, chunkCount } = store;
  if (dimensions === null || dimensions > maxIndexDimensions(deps.db.layout.derived.vectorType)) return false;
  const grown = chunkCount > store.vectorsBuilt && chunkCount >= outgrown * store.vectorsBuilt;
  if (store.vectorsIndexed) return store.reindexRequested || grown;
  return store.reindexRequested || store.vectorsTable !== null || (minRows !== null && chunkCount >= minRows);
}
