import { type FileCounts, countFiles, noFiles } from "../../db/tables/storeFiles.js";
import type { VectorStore } from "../../db/tables/stores.js";
import { countShared } from "../../engines/pgvector/vectors.js";
import type { Deps } from "../deps.js";
import { dimensionsOf, modelName } from "./model.js";
import { type IndexingState, indexingState } from "../upkeep/indexState.js";

/** What a store is made with and how far its indexes are. */
export interface StoreDetails {
  model: string;
  dimensions: number;
  index: {
    state: IndexingState;
    keywords: "off" | "building" | "ready";
    /** Rows in the index, and rows beside it that are compared one by one until they move in. Only where they were counted. */
    counts: { indexed: number; fresh: number } | null;
  };
  files: FileCounts;
}

export type DetailedStore = VectorStore & { details: StoreDetails };

/** Stores with all that can be said of them but the rows of their indexes. */
export async function withDetails(deps: Deps, stores: readonly VectorStore[]): Promise<DetailedStore[]> {
  const counts = await countFiles(
    deps.db,
    stores.map((store) => store.id),
  );
  return stores.map((store) => detailed(deps, store, counts.get(store.id) ?? noFiles));
}

function detailed(deps: Deps, store: VectorStore, files: FileCounts): DetailedStore {
  const { keywordsLanguage, keywordsComplete } = store;
  const keywords = keywordsLanguage === null ? "off" : keywordsComplete ? "ready" : "building";
  return {
    ...store,
    details: {
      model: modelName(deps, store),
      dimensions: dimensionsOf(deps, store),
      index: { state: indexingState(deps, store), keywords, counts: null },
      files,
    },
  };
}

/** The same with the rows of the index counted, a millisecond per 10,000 fresh ones. */
export async function withCounts(deps: Deps, store: VectorStore): Promise<DetailedStore> {
  const [known] = await withDetails(deps, [store]);
  if (known === undefined) throw new Error("a store has details");
  const shared = store.vectorsTable === null ? null : await countShared(deps.db, store.id, store.chunkCount);
  const counts = shared === null ? null : { indexed: store.chunkCount - shared, fresh: shared };
  return { ...known, details: { ...known.details, index: { ...known.details.index, counts } } };
}
