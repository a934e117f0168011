import { errorCode } from "../db/errors.js";
import { findChunks } from "../engines/pgvector/chunks.js";
import { type KeywordHit, keywordSettings, scanKeywords, searchKeywords } from "../engines/pgvector/keywords.js";
import { type Hit as VectorHit, searchChunks } from "../engines/pgvector/search.js";
import { StoreChanged, requireSameHidden } from "../engines/pgvector/storeChanged.js";
import { visible } from "../engines/pgvector/filterSql.js";
import type { SearchSettings, VectorStore } from "../db/vectorStores.js";
import { unavailable } from "../errors.js";
import type { Filter } from "../filter.js";
import type { Caller } from "./caller.js";
import type { Deps } from "./deps.js";
import { diversify } from "./diversity.js";
import { embedderOf } from "./embeddingModel.js";
import { type Ranks, fuse } from "./fusion.js";
import { requestKeywords } from "./indexState.js";
import { joinNeighbours } from "./neighbours.js";
import { requestRangeIndexes } from "./rangeIndexes.js";
import { type ResolvedSettings, resolveSettings } from "./searchSettings.js";
import { get, use, useForSearch } from "./vectorStores.js";

export interface SearchRequest {
  /** One or more texts; a chunk found by several keeps its best score. */
  queries: readonly string[];
  filter: Filter | null;
  limit: number;
  /** Lowest score that is answered, 0…1. */
  scoreThreshold: number;
  /** The request's own wishes; the store's hold for the rest. */
  settings: Omit<SearchSettings, "language">;
  /** 0…1: how much results shall differ from each other; 0 is the plain order. */
  diversity: number;
  /** Neighbouring chunks on each side that are joined to a result. */
  expand: number;
}

/** A result. `score` is in 0…1; docs/search.md says what it means in each mode. */
export interface Hit extends VectorHit, Ranks {}

export interface SearchResult {
  hits: Hit[];
  /** Milliseconds of this search that were the database's, and the model's. */
  spent: { database: number; model: number };
}

/**
 * The chunks of a store that answer the query best, best first, at most `limit`, never fewer than there are above the threshold.
 * No database connection is held while the model is asked. `signal` ends the model call when the client has left.
 * @throws ApiError 404, 400 `vector_store_expired`, 503 while the keyword index of a large store is made, 5xx of the model.
 */
export async function search(
  deps: Deps,
  caller: Caller,
  storeId: string,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchResult> {
  const begun = performance.now();
  let store = await useForSearch(deps, caller, storeId);
  let settings = resolveSettings(store, request.settings);
  if (settings.mode === "keyword") {
    // Only statements on vectors say whether what is known of a store still holds.
    store = await use(deps, caller, storeId);
    settings = resolveSettings(store, request.settings);
  }
  const found = performance.now();
  const queries = await embedQueries(deps, store, settings, request.queries, signal);
  const embedded = performance.now();
  const wide = request.diversity > 0 ? { ...request, limit: Math.min(4 * request.limit, 200) } : request;
  requestRangeIndexes(deps, store, request.filter);
  const lists: Hit[][] = [];
  // One after the other: sixteen queries at once would take every connection.
  for (const query of queries) lists.push(await searchCurrent(deps, caller, store, settings, wide, query));
  const [only] = lists;
  let hits = only !== undefined && lists.length === 1 ? only : bestOf(lists, wide.limit);
  if (hits.length === 0) await get(deps, caller, storeId);
  if (request.scoreThreshold > 0) hits = hits.filter((hit) => hit.score >= request.scoreThreshold);
  if (request.diversity > 0) hits = await choose(deps, store, hits, request);
  if (request.expand > 0) hits = await joinNeighbours(deps, store, hits, request.expand);
  return { hits, spent: { database: found - begun + performance.now() - embedded, model: embedded - found } };
}

async function embedQueries(
  deps: Deps,
  store: VectorStore,
  { mode }: ResolvedSettings,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Query[]> {
  if (mode === "keyword") return texts.map((text) => ({ text, embedding: null }));
  const embedder = embedderOf(deps, store);
  const embeddings = await Promise.all(texts.map((text) => embedder.embedQuery(text, { signal })));
  return texts.map((text, i) => ({ text, embedding: embeddings[i] ?? null }));
}

interface Query {
  text: string;
  embedding: Float32Array | null;
}

/** Searches the store as it was found or, when it has changed meanwhile, as it is now. */
async function searchCurrent(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  ...rest: [ResolvedSettings, Pick<SearchRequest, "filter" | "limit">, Query]
): Promise<Hit[]> {
  try {
    return await searchOne(deps, store, ...rest);
  } catch (error) {
    if (!(error instanceof StoreChanged) && errorCode(error) !== undefinedTable) throw error;
    deps.recentStores.delete(store.id);
    return searchOne(deps, await use(deps, caller, store.id), ...rest);
  }
}
const undefinedTable = "42P01";

async function searchOne(
  deps: Deps,
  store: VectorStore,
  settings: ResolvedSettings,
  request: Pick<SearchRequest, "filter" | "limit">,
  query: Query,
): Promise<Hit[]> {
  const { filter, limit } = request;
  const byVector = (count: number) =>
    query.embedding === null
      ? Promise.resolve([])
      : searchChunks(deps.db, {
          store,
          embedding: query.embedding,
          filter,
          limit: count,
          recall: settings.recall,
          wideFilters: deps.wideFilters,
          now: deps.now(),
        });
  const byKeyword = (count: number) => keywordHits(deps, store, settings, filter, query.text, count);
  switch (settings.mode) {
    case "vector":
      return (await byVector(limit)).map((hit, i) => ({ ...hit, vectorRank: i + 1, keywordRank: null }));
    case "keyword": {
      const found = await byKeyword(limit);
      const ranked = found.map((hit, i) => ({ ...hit, vectorRank: null, keywordRank: i + 1 }));
      return withContents(deps, store, ranked, []);
    }
    case "hybrid": {
      // Deeper than asked for: what is second in one list and thirtieth in the other may be first in both together.
      const depth = Math.max(50, 2 * limit);
      const [vector, keyword] = await Promise.all([byVector(depth), byKeyword(depth)]);
      const weights = { vector: settings.embeddingWeight, keyword: settings.textWeight };
      const ids = (list: readonly { id: string }[]) => list.map((hit) => hit.id);
      const fused = fuse({ vector: ids(vector), keyword: ids(keyword) }, weights).slice(0, limit);
      return withContents(deps, store, fused, vector);
    }
  }
}

/** Rows of a store whose words are still made at search time, 60 µs each. */
const mostScanned = 50_000;

async function keywordHits(
  deps: Deps,
  store: VectorStore,
  { language }: ResolvedSettings,
  filter: Filter | null,
  text: string,
  limit: number,
): Promise<KeywordHit[]> {
  const { id: storeId, chunkCount } = store;
  const search = { storeId, text, language, filter: visible(filter, store), limit, chunkCount };
  const reading = (settings: Record<string, string>, work: typeof searchKeywords) =>
    deps.db.reading(settings, async (tx) => {
      const hits = await work(tx, search);
      await requireSameHidden(tx, store);
      return hits;
    });
  if (store.keywordsLanguage === language && store.keywordsComplete) return reading(keywordSettings, searchKeywords);
  if (store.keywordsLanguage !== language) await requestKeywords(deps, store.id, language);
  if (store.chunkCount <= mostScanned) return reading({ jit: "off" }, scanKeywords);
  throw unavailable(
    `The keyword index of this vector store (${store.chunkCount} rows, language '${language}') is being made. Try again later, or search by vector.`,
    { retryAfterSeconds: 30 },
  );
}

/** Ranked ids with the chunks they name; a chunk that was removed meanwhile is left out. */
async function withContents(
  deps: Deps,
  store: VectorStore,
  ranked: readonly ({ id: string; score: number } & Ranks)[],
  known: readonly VectorHit[],
): Promise<Hit[]> {
  const chunks = new Map<string, Pick<VectorHit, "content" | "metadata">>(known.map((hit) => [hit.id, hit]));
  const unknown = ranked.filter((each) => !chunks.has(each.id)).map((each) => each.id);
  if (unknown.length > 0) {
    const found = await findChunks(deps.db, store.id, unknown, { withEmbedding: false });
    for (const chunk of found) chunks.set(chunk.id, chunk);
  }
  return ranked.flatMap((each) => {
    const chunk = chunks.get(each.id);
    return chunk === undefined ? [] : [{ ...each, content: chunk.content, metadata: chunk.metadata }];
  });
}

/** Of several queries' lists, each chunk at its best score. */
function bestOf(lists: readonly (readonly Hit[])[], limit: number): Hit[] {
  const best = new Map<string, Hit>();
  for (const hit of lists.flat()) {
    if (hit.score > (best.get(hit.id)?.score ?? -1)) best.set(hit.id, hit);
  }
  // sort() keeps the order of equal scores.
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, limit);
}

async function choose(deps: Deps, store: VectorStore, hits: readonly Hit[], request: SearchRequest): Promise<Hit[]> {
  const ids = hits.map((hit) => hit.id);
  const chunks = await findChunks(deps.db, store.id, ids, { withEmbedding: true });
  const embeddings = new Map(chunks.map((chunk) => [chunk.id, chunk.embedding]));
  const candidates = hits.map((hit) => ({ hit, score: hit.score, embedding: embeddings.get(hit.id) ?? null }));
  return diversify(candidates, request.limit, request.diversity).map(({ hit }) => hit);
}
