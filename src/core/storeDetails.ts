import type { VectorStore } from "../db/vectorStores.js";
import { countShared } from "../engines/pgvector/vectors.js";
import type { Deps } from "./deps.js";
import { dimensionsOf, modelName } from "./embeddingModel.js";
import { type IndexingState, indexingState } from "./indexState.js";

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
}

export type DetailedStore = VectorStore & { details: StoreDetails };

export function withDetails(deps: Deps, store: VectorStore): DetailedStore {
  const { keywordsLanguage, keywordsComplete } = store;
  const keywords = keywordsLanguage === null ? "off" : keywordsComplete ? "ready" : "building";
  return {
    ...store,
    details: {
      model: modelName(deps, store),
      dimensions: dimensionsOf(deps, store),
      index: { state: indexingState(deps, store), keywords, counts: null },
    },
  };
}

/** The same with the rows of the index counted, a millisecond per 10,000 fresh ones. */
export async function withCounts(deps: Deps, store: VectorStore): Promise<DetailedStore> {
  const detailed = withDetails(deps, store);
  const shared = store.vectorsTable === null ? null : await countShared(deps.db, store.id, store.chunkCount);
  const counts = shared === null ? null : { indexed: store.chunkCount - shared, fresh: shared };
  return { ...detailed, details: { ...detailed.details, index: { ...detailed.details.index, counts } } };
}
