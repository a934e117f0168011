import { type Hit, searchChunks } from "../engines/pgvector/search.js";
import type { Filter } from "../filter.js";
import type { Caller } from "./caller.js";
import type { Deps } from "./deps.js";
import { use } from "./vectorStores.js";

export type { Hit };

export interface SearchRequest {
  /** One or more texts; a chunk found by several keeps its best score. */
  queries: readonly string[];
  filter: Filter | null;
  limit: number;
  /** Lowest score that is answered, 0…1. */
  scoreThreshold: number;
}

/**
 * The chunks of a store nearest to the query: exact, best first, at most `limit`.
 * No database connection is held while the model is asked. `signal` ends the model call when the client has left.
 * @throws ApiError 404, 400 `vector_store_expired`, 5xx of the model.
 */
export async function search(
  deps: Deps,
  caller: Caller,
  storeId: string,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<Hit[]> {
  const store = await use(deps, caller, storeId);
  const embeddings = await Promise.all(
    request.queries.map((text) => deps.litellm.embedder.embedQuery(text, { signal })),
  );
  const best = new Map<string, Hit>();
  for (const embedding of embeddings) {
    const hits = await searchChunks(deps.db, {
      storeId: store.id,
      embedding,
      filter: request.filter,
      limit: request.limit,
    });
    for (const hit of hits) {
      if (hit.score > (best.get(hit.id)?.score ?? -1)) best.set(hit.id, hit);
    }
  }
  const found = [...best.values()].filter((hit) => hit.score >= request.scoreThreshold);
  // Each query's own list is in order already; sort() keeps the order of equal scores.
  return embeddings.length === 1 ? found : found.sort((a, b) => b.score - a.score).slice(0, request.limit);
}
