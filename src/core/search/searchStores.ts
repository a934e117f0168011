import type { Caller } from "../../words/caller.js";
import type { FoundChunk } from "../../words/chunk.js";
import type { Filter } from "../../words/filter.js";
import type { VectorStore } from "../../words/store.js";
import type { Metrics } from "../../process/metrics.js";
import type { Deps } from "../deps.js";
import { type RequestSettings, type ResolvedSettings, resolveSettings } from "../stores/searchSettings.js";
import * as stores from "../stores/stores.js";
import { diversify } from "./diversify.js";
import { requireOperators } from "./filters.js";
import { joinNeighbours } from "./neighbours.js";
import { type RerankWish, mostCandidates, planRerank, rerankChunks } from "./rerank.js";
import { embedQueries, retrieve } from "./retrieve.js";
import { rewriteQueries } from "./rewriteQuery.js";
import { type Spent, timed } from "./spent.js";

export interface SearchRequest {
  /** One or more texts. A chunk that several of them find keeps its best score. */
  queries: readonly string[];
  /** Whether CHAT_MODEL rewrites the queries, if one is configured. */
  rewrite: boolean;
  filter: Filter | null;
  limit: number;
  /** Results below this score are left out; 0…1. */
  scoreThreshold: number;
  /** Settings of the request; the store's apply where the request has none. */
  settings: RequestSettings;
  rerank: RerankWish;
  /** 0…1: how much results should differ from each other; 0 keeps the order of scores. */
  diversity: number;
  /** How many neighbouring chunks on each side are joined to a result. */
  expand: number;
}

export interface SearchResult {
  found: FoundChunk[];
  /** The queries that were searched for, rewritten or not. */
  queries: readonly string[];
  /** Null: reranking was not asked for. */
  reranked: boolean | null;
  /** Sentences that tell the caller what was not done. */
  warnings: string[];
  /** Milliseconds that the database and the models took. */
  spent: Spent;
}

/** Diversity chooses among this many times `limit`. */
const diversityFactor = 4;

/**
 * The best chunks of one or several stores, best first: `limit`, or all above the threshold if there are fewer. No
 * database connection is held during a model call. `signal` ends the search when the client has left.
 * @throws ApiError 404, 400 `vector_store_expired`, `no_rerank_model`, 503 while the keywords of a large store are
 * being built, 5xx of the model
 */
export async function searchStores(
  deps: Deps,
  caller: Caller,
  storeIds: readonly string[],
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchResult> {
  const begun = performance.now();
  const spent: Spent = { database: 0, model: 0 };
  requireOperators(deps.engine, request.filter);
  const opened = await timed(spent, "database", () => openAll(deps, caller, storeIds, request));
  const settings = opened.map((each) => each.settings);
  const plan = await timed(spent, "model", () => planRerank(deps, caller, request, settings));
  const rewritten = await timed(spent, "model", () => rewriteQueries(deps, request, { caller, signal }));
  const { queries } = rewritten;
  const warnings = [plan.warning, rewritten.warning].filter((each) => each !== null);

  const wide = request.diversity > 0 ? Math.min(diversityFactor * request.limit, mostCandidates) : request.limit;
  const limit = Math.max(wide, plan.model === null ? 0 : plan.candidates);
  let found = await retrieveAll(deps, opened, { queries, filter: request.filter, limit }, { caller, signal, spent });

  let reranked = plan.wanted ? false : null;
  if (plan.model !== null && found.length > 0) {
    const asked = { ...plan, model: plan.model, query: queries.join("\n") };
    const outcome = await rerankChunks(deps, asked, found, { caller, spent, signal });
    found = outcome.found;
    reranked = outcome.warning === null;
    if (outcome.warning !== null) warnings.push(outcome.warning);
  }
  if (request.scoreThreshold > 0) found = found.filter((chunk) => chunk.score >= request.scoreThreshold);
  if (request.diversity > 0) found = await timed(spent, "database", () => choose(deps, opened, found, request, signal));
  found = found.slice(0, request.limit);
  if (request.expand > 0)
    found = await timed(spent, "database", () => expand(deps, opened, found, request.expand, signal));
  observe(deps.metrics, settings[0]?.mode ?? "vector", performance.now() - begun, spent);
  if (found.length === 0) deps.metrics.emptySearches.inc();
  return { found, queries, reranked, warnings, spent };
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

async function openAll(deps: Deps, caller: Caller, ids: readonly string[], request: SearchRequest): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const id of ids) opened.push(await open(deps, caller, id, request));
  return opened;
}

async function open(deps: Deps, caller: Caller, id: string, request: SearchRequest): Promise<Opened> {
  const store = await stores.useForSearch(deps, caller, id);
  const settings = resolveSettings(deps, store, request.settings);
  if (settings.mode !== "keyword") return { store, settings };
  // Keyword search cannot notice that a remembered store is out of date (only vector search can), so read it now.
  const current = await stores.use(deps, caller, id);
  return { store: current, settings: resolveSettings(deps, current, request.settings) };
}

/** Searches every store for every query, one after the other: sixteen at once would take every connection. */
async function retrieveAll(
  deps: Deps,
  opened: readonly Opened[],
  { queries, filter, limit }: { queries: readonly string[]; filter: Filter | null; limit: number },
  { spent, ...asking }: { caller: Caller; signal: AbortSignal; spent: Spent },
): Promise<FoundChunk[]> {
  const lists: FoundChunk[][] = [];
  for (const { store, settings } of opened) {
    const embedded = await timed(spent, "model", () => embedQueries(deps, store, settings, queries, asking));
    for (const query of embedded) {
      const wanted = { settings, filter, limit, query };
      lists.push(await timed(spent, "database", () => retrieve(deps, store, wanted, asking)));
    }
  }
  const [only] = lists;
  const found = only !== undefined && lists.length === 1 ? only : bestOf(lists, limit);
  // Nothing found in a remembered store: check that it still exists.
  if (found.length === 0)
    for (const { store } of opened) await timed(spent, "database", () => stores.find(deps, asking.caller, store.id));
  return found;
}

/** Merges lists: each chunk once, with its best score. */
function bestOf(lists: readonly (readonly FoundChunk[])[], limit: number): FoundChunk[] {
  const best = new Map<string, FoundChunk>();
  for (const chunk of lists.flat()) {
    if (chunk.score > (best.get(chunk.id)?.score ?? -1)) best.set(chunk.id, chunk);
  }
  // sort() keeps the order of equal scores.
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, limit);
}

async function choose(
  deps: Deps,
  opened: readonly Opened[],
  found: readonly FoundChunk[],
  { limit, diversity }: SearchRequest,
  signal: AbortSignal,
): Promise<FoundChunk[]> {
  const embeddings = new Map<string, Float32Array | null>();
  for (const { store } of opened) {
    const ids = found.filter((chunk) => chunk.storeId === store.id).map((chunk) => chunk.id);
    if (ids.length === 0) continue;
    for (const chunk of await deps.engine.read(store, ids, { embeddings: true }, { signal }))
      embeddings.set(chunk.id, chunk.embedding);
  }
  const candidates = found.map((chunk) => ({
    chunk,
    score: chunk.score,
    embedding: embeddings.get(chunk.id) ?? null,
  }));
  return diversify(candidates, limit, diversity).map(({ chunk }) => chunk);
}

async function expand(
  deps: Deps,
  opened: readonly Opened[],
  found: readonly FoundChunk[],
  distance: number,
  signal: AbortSignal,
): Promise<FoundChunk[]> {
  const expanded = new Map<string, FoundChunk>();
  for (const { store } of opened) {
    const own = found.filter((chunk) => chunk.storeId === store.id);
    for (const chunk of await joinNeighbours(deps, store, own, { distance, signal })) expanded.set(chunk.id, chunk);
  }
  return found.map((chunk) => expanded.get(chunk.id) ?? chunk);
}
