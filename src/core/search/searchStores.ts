import type { SearchSettings, VectorStore } from "../../db/tables/stores.js";
import { findChunks } from "../../engines/pgvector/chunks.js";
import type { Filter } from "../../words/filter.js";
import type { Metrics } from "../../process/metrics.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { diversify } from "./diversify.js";
import { joinNeighbours } from "./neighbours.js";
import { requestRangeIndexes } from "../upkeep/rangeIndexes.js";
import { type RerankWish, mostCandidates, planRerank, rerankHits } from "./rerank.js";
import { type Found, embedQueries, retrieve } from "./retrieve.js";
import { rewriteQueries } from "./rewriteQuery.js";
import { type ResolvedSettings, resolveSettings } from "../stores/searchSettings.js";
import { type Spent, time } from "./spent.js";
import { get, use, useForSearch } from "../stores/stores.js";

export interface SearchRequest {
  /** One or more texts; a chunk found by several keeps its best score. */
  queries: readonly string[];
  /** Whether the chat model of the settings makes better queries of them. */
  rewrite: boolean;
  filter: Filter | null;
  limit: number;
  /** Lowest score that is answered, 0…1. */
  scoreThreshold: number;
  /** The request's own wishes; the store's hold for the rest. */
  settings: Omit<SearchSettings, "language" | "rerank" | "rerankModel">;
  rerank: RerankWish;
  /** 0…1: how much results shall differ from each other; 0 is the plain order. */
  diversity: number;
  /** Neighbouring chunks on each side that are joined to a result. */
  expand: number;
}

/** A result. `score` is in 0…1; docs/search.md says what it means in each mode. */
export interface Hit extends Found {
  storeId: string;
  /** The score before a rerank model gave its own. */
  vectorScore?: number;
}

export interface SearchResult {
  hits: Hit[];
  /** The queries as they were searched for. */
  queries: readonly string[];
  /** Null: nobody asked for it. */
  reranked: boolean | null;
  /** Sentences for the caller on what was left undone. */
  warnings: string[];
  /** Milliseconds of this search that were the database's, and the models'. */
  spent: Spent;
}

/** What diversity chooses from. */
const diversityFactor = 4;

/**
 * The chunks of one or several stores that answer the query best, best first, at most `limit`, never fewer than there are above the
 * threshold. No database connection is held while a model is asked. `signal` ends the model call when the client has left.
 * @throws ApiError 404, 400 `vector_store_expired`, `no_rerank_model`, 503 while the keyword index of a large store is made, 5xx of the model.
 */
export async function search(
  deps: Deps,
  caller: Caller,
  storeIds: readonly string[],
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchResult> {
  const begun = performance.now();
  const spent = { database: 0, model: 0 };
  const timed = <T>(what: keyof Spent, work: () => Promise<T>) => time(spent, what, work);
  const stores: Opened[] = [];
  for (const id of storeIds) stores.push(await timed("database", () => open(deps, caller, id, request)));
  const warnings: string[] = [];
  const settings = stores.map((each) => each.settings);
  const plan = await timed("model", () => planRerank(deps, caller, request, settings));
  if (plan.warning !== null) warnings.push(plan.warning);
  const rewritten = await timed("model", () => rewriteQueries(deps, caller, request, signal));
  if (rewritten.warning !== null) warnings.push(rewritten.warning);
  const { queries } = rewritten;

  const wide = request.diversity > 0 ? Math.min(diversityFactor * request.limit, mostCandidates) : request.limit;
  const limit = Math.max(wide, plan.model === null ? 0 : plan.candidates);
  const lists: Hit[][] = [];
  for (const { store, settings: own } of stores) {
    const embedded = await timed("model", () => embedQueries(deps, caller, store, own, queries, signal));
    requestRangeIndexes(deps, store, request.filter);
    // One after the other: sixteen queries at once would take every connection.
    for (const query of embedded) {
      const wanted = { filter: request.filter, limit };
      const found = await timed("database", () => retrieve(deps, caller, store, own, wanted, query));
      lists.push(found.map((hit) => ({ ...hit, storeId: store.id })));
    }
  }
  const [only] = lists;
  let hits = only !== undefined && lists.length === 1 ? only : bestOf(lists, limit);
  // Nothing found in a store that was remembered: is it there still?
  if (hits.length === 0) for (const { store } of stores) await timed("database", () => get(deps, caller, store.id));

  let reranked = plan.wanted ? false : null;
  if (plan.model !== null && hits.length > 0) {
    const asked = { ...plan, model: plan.model, query: queries.join("\n") };
    const outcome = await rerankHits(deps, caller, asked, hits, { spent, signal });
    hits = outcome.hits;
    reranked = outcome.warning === null;
    if (outcome.warning !== null) warnings.push(outcome.warning);
  }
  if (request.scoreThreshold > 0) hits = hits.filter((hit) => hit.score >= request.scoreThreshold);
  if (request.diversity > 0) hits = await timed("database", () => choose(deps, hits, request));
  hits = hits.slice(0, request.limit);
  if (request.expand > 0) hits = await timed("database", () => expand(deps, stores, hits, request.expand));
  observe(deps.metrics, settings[0]?.mode ?? "vector", performance.now() - begun, spent);
  if (hits.length === 0) deps.metrics.emptySearches.inc();
  return { hits, queries, reranked, warnings, spent };
}

function observe({ searchDuration, searchPart }: Metrics, mode: string, milliseconds: number, spent: Spent): void {
  searchDuration.observe({ mode }, milliseconds / 1000);
  for (const part of ["database", "model"] as const) searchPart.observe({ part }, spent[part] / 1000);
  searchPart.observe({ part: "own" }, Math.max(0, milliseconds - spent.database - spent.model) / 1000);
}

interface Opened {
  store: VectorStore;
  settings: ResolvedSettings;
}

async function open(deps: Deps, caller: Caller, id: string, request: SearchRequest): Promise<Opened> {
  const store = await useForSearch(deps, caller, id);
  const settings = resolveSettings(store, request.settings);
  if (settings.mode !== "keyword") return { store, settings };
  // Only statements on vectors say whether what is known of a store still holds.
  const current = await use(deps, caller, id);
  return { store: current, settings: resolveSettings(current, request.settings) };
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

async function choose(deps: Deps, hits: readonly Hit[], request: SearchRequest): Promise<Hit[]> {
  const embeddings = new Map<string, Float32Array | null | undefined>();
  for (const [storeId, own] of byStore(hits)) {
    const ids = own.map((hit) => hit.id);
    const chunks = await findChunks(deps.db, storeId, ids, { withEmbedding: true });
    for (const chunk of chunks) embeddings.set(chunk.id, chunk.embedding);
  }
  const candidates = hits.map((hit) => ({ hit, score: hit.score, embedding: embeddings.get(hit.id) ?? null }));
  return diversify(candidates, request.limit, request.diversity).map(({ hit }) => hit);
}

async function expand(deps: Deps, stores: readonly Opened[], hits: readonly Hit[], distance: number): Promise<Hit[]> {
  const expanded = new Map<string, Hit>();
  for (const [storeId, own] of byStore(hits)) {
    const opened = stores.find(({ store }) => store.id === storeId);
    if (opened === undefined) continue;
    for (const hit of await joinNeighbours(deps, opened.store, own, distance)) expanded.set(hit.id, hit);
  }
  return hits.map((hit) => expanded.get(hit.id) ?? hit);
}

function byStore(hits: readonly Hit[]): Map<string, Hit[]> {
  const groups = new Map<string, Hit[]>();
  for (const hit of hits) groups.set(hit.storeId, [...(groups.get(hit.storeId) ?? []), hit]);
  return groups;
}
