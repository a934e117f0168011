import { maxIndexDimensions } from "../../../db/schema/layout.js";
import type { VectorStore } from "../../../words/store.js";
import type { IndexState, IndexSummary, IndexingState } from "../../../words/indexing.js";
import type { Pgvector } from "../context.js";
import { stateOf } from "../state.js";
import { countShared } from "../vectors.js";
import { buildProgress } from "./indexes.js";
import { countIndexed, listToIndex, outgrown } from "./stores.js";

type Parts = Pick<Pgvector, "db" | "config">;

export const mostIndexed = ({ db }: Pick<Pgvector, "db">): number => maxIndexDimensions(db.layout.derived.vectorType);

export function indexState(pg: Parts, store: VectorStore): IndexState {
  const { keywordsLanguage, keywordsComplete } = stateOf(store);
  const keywords = keywordsLanguage === null ? "off" : keywordsComplete ? "ready" : "building";
  return { index: indexingState(pg, store), keywords };
}

function indexingState(pg: Parts, store: VectorStore): IndexingState {
  const state = stateOf(store);
  if (!state.vectorsComplete) return "waiting";
  if (state.vectorsNext !== null) return "building";
  if (state.vectorsIndexed) return state.reindexRequested ? "building" : "ready";
  if (state.vectorsTable !== null) return "building";
  return state.reindexRequested || wantsIndex(pg, store) ? "waiting" : "none";
}

/** Whether a store's index is to be built, for the first time or again. */
export function wantsIndex(pg: Parts, store: VectorStore): boolean {
  const { minRows } = pg.config.indexing;
  const { embeddingDimensions: dimensions, chunkCount } = store;
  const state = stateOf(store);
  if (dimensions === null || dimensions > mostIndexed(pg)) return false;
  const grown = chunkCount > state.vectorsBuilt && chunkCount >= outgrown * state.vectorsBuilt;
  if (state.vectorsIndexed) return state.reindexRequested || grown;
  return state.reindexRequested || state.vectorsTable !== null || (minRows !== null && chunkCount >= minRows);
}

/** Counts a store's fresh rows, 10,000 per millisecond; its other rows are in the index. */
export async function countIndexedRows({ db }: Parts, store: VectorStore) {
  if (stateOf(store).vectorsTable === null) return null;
  const fresh = await countShared(db, store.id, store.chunkCount);
  return { indexed: store.chunkCount - fresh, fresh };
}

export async function summarize(pg: Parts): Promise<IndexSummary> {
  const unfinished = await listToIndex(pg.db, pg.config.indexing.minRows, mostIndexed(pg));
  const total = await countIndexed(pg.db);
  const stores = { none: 0, waiting: 0, building: 0, ready: 0 };
  for (const store of unfinished) stores[indexingState(pg, store)] += 1;
  const unfinishedIndexed = unfinished.filter((store) => stateOf(store).vectorsIndexed).length;
  stores.ready += total.indexed - unfinishedIndexed;
  stores.none += total.stores - unfinished.length - (total.indexed - unfinishedIndexed);
  const keywordsBuilding = unfinished.filter((store) => indexState(pg, store).keywords === "building").length;
  return { stores, keywordsBuilding, builds: await buildProgress(pg.db) };
}
