import type { Caller } from "../../words/caller.js";
import { type FoundChunk, keyOfChunk } from "../../words/chunk.js";
import { invalid } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import type { Usage } from "../../litellm/contract.js";
import type { VectorStore } from "../../words/store.js";
import type { Metrics } from "../../process/metrics.js";
import type { Deps } from "../deps.js";
import { type RequestSettings, type ResolvedSettings, resolveSettings } from "../stores/searchSettings.js";
import * as stores from "../stores/stores.js";
import { writtenIds } from "../stores/writtenId.js";
import type { EmbedAsking } from "./asking.js";
import { diversify } from "./diversify.js";
import { requireOperators } from "./filters.js";
import { type Given, type GivenVector, givenVector, requireText, settingsFor } from "./given.js";
import { joinNeighbours } from "./neighbours.js";
import { type RerankPlan, type RerankWish, mostCandidates, planRerank, rerankChunks } from "./rerank.js";
import { embedQueries, retrieve } from "./retrieve.js";
import { rewriteQueries, rewrites } from "./rewriteQuery.js";
import { type Spent, timed } from "./spent.js";

export interface SearchRequest {
  /** Texts. A chunk that several of them find keeps its best score. None only if `given` says what to search for. */
  queries: readonly string[];
  /** Absent: the model embeds the queries. */
  given?: Given | undefined;
  /** Whether CHAT_MODEL rewrites the queries, if one is configured. */
  rewrite: boolean;
  filter: Filter | null;
  /** Results wanted. `usual`: the request does not say; it counts where the stores do not say either, up to `most`. */
  limit: number | { usual: number; most: number };
  /** How many of the best results are left out. With `limit`, at most `mostResults`. */
  offset?: number;
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
  /** Whether a search with a larger offset finds more. */
  hasMore: boolean;
  /** The queries that were searched for, rewritten or not. */
  queries: readonly string[];
  /** Null: reranking was not asked for. */
  reranked: boolean | null;
  /** Sentences that tell the caller what was not done. */
  warnings: string[];
  /** Of the embeddings of the queries; 0 if they were remembered, or the proxy did not say. */
  tokens: number;
  /** Milliseconds that the database and the models took. */
  spent: Spent;
}

/** Results that can be reached by paging. */
export const mostResults = 1000;

/** Diversity chooses among this many times `limit`. */
const diversityFactor = 4;

/**
 * The best chunks of one or several stores, best first: `limit` after the first `offset`, or all above the threshold if
 * there are fewer. No database connection is held during a model call. `signal` ends the search when the client has
 * left.
 * @throws ApiError 404, 400 `vector_store_expired`, `no_rerank_model`, 503 while the keywords of a large store are
 * being built, 5xx of the model
 */
export async function searchStores(
  deps: Deps,
  caller: Caller,
  storeIds: readonly string[],
  asked: SearchRequest,
  signal: AbortSignal,
): Promise<SearchResult> {
  const begun = performance.now();
  const spent: Spent = { database: 0, model: 0 };
  requireOperators(deps.engine, asked.filter);
  requireText(asked);
  requireShort(deps, asked.queries);
  const opened = await timed(spent, "database", () => openAll(deps, caller, storeIds, asked));
  const settings = opened.map((each) => each.settings);
  const request = { ...asked, limit: limitOf(asked.limit, settings) };
  const hasPages = request.diversity === 0 && !rewrites(deps, request);
  requirePages(request, hasPages);
  const { offset = 0 } = request;
  const openStores = opened.map((each) => each.store);
  const given = await timed(spent, "database", () => givenVector(deps, openStores, request.given, signal));
  const plan = await timed(spent, "model", () => planRerank(deps, caller, request, settings));
  const rewritten = await timed(spent, "model", () => rewriteQueries(deps, request, { caller, signal }));
  const { queries } = rewritten;
  const warnings = [plan.warning, rewritten.warning].filter((each) => each !== null);

  const limit = retrieved(request, plan);
  const wanted = { queries, given, filter: request.filter, limit };
  const usage: Usage = { tokens: 0 };
  const warn = (warning: string) => {
    if (!warnings.includes(warning)) warnings.push(warning);
  };
  let found = await retrieveAll(deps, opened, wanted, { caller, signal, spent, usage, warn });

  let reranked = plan.wanted ? false : null;
  if (plan.model !== null && found.length > 0) {
    const asked = { ...plan, model: plan.model, query: queries.join("\n") };
    const outcome = await rerankChunks(deps, asked, found, { caller, spent, signal });
    found = outcome.found;
    reranked = outcome.reranked;
    if (outcome.warning !== null) warnings.push(outcome.warning);
  }
  if (request.scoreThreshold > 0) found = found.filter((chunk) => chunk.score >= request.scoreThreshold);
  if (request.diversity > 0) found = await timed(spent, "database", () => choose(deps, opened, found, request, signal));
  const end = offset + request.limit;
  const hasMore = hasPages && found.length > end && end < mostResults;
  found = found.slice(offset, end);
  if (request.expand > 0)
    found = await timed(spent, "database", () => expand(deps, opened, found, request.expand, signal));
  observe(deps.metrics, settings[0]?.mode ?? "vector", performance.now() - begun, spent);
  if (found.length === 0) deps.metrics.emptySearches.inc();
  return { found, hasMore, queries, reranked, warnings, tokens: usage.tokens, spent };
}

/** @throws ApiError 400 if the queries would cost more than the operator allows */
function requireShort({ config }: Deps, queries: readonly string[]): void {
  const characters = queries.reduce((sum, query) => sum + query.length, 0);
  const most = config.ceilings.query;
  if (characters > most)
    throw invalid("query", `at most ${most} characters in all (MAX_QUERY_CHARACTERS), got ${characters}`);
}

/** A request whose number of results is known. */
type Counted = SearchRequest & { limit: number };

/** How many results are wanted: as the request says, else the most that one of its stores says. */
function limitOf(asked: SearchRequest["limit"], settings: readonly ResolvedSettings[]): number {
  if (typeof asked === "number") return asked;
  const said = settings.flatMap((each) => each.limit ?? []);
  return Math.min(asked.most, said.length === 0 ? asked.usual : Math.max(...said));
}

/** @throws ApiError 400 for a page of what has no pages */
function requirePages({ offset = 0, limit, diversity }: Counted, hasPages: boolean): void {
  if (offset === 0) return;
  if (offset + limit > mostResults)
    throw invalid("offset", `with the number of results, at most ${mostResults}; got ${offset} + ${limit}`);
  if (diversity > 0) throw invalid("offset", "results chosen by diversity have no pages; leave out one of the two");
  if (!hasPages)
    throw invalid("offset", "each page would rewrite the query anew; send the first page's search_query as the query");
}

/** How many results are retrieved, to choose from. @throws ApiError 400 for a page beyond what is reranked */
function retrieved({ offset = 0, limit, diversity }: Counted, plan: RerankPlan): number {
  if (plan.model !== null && offset >= plan.candidates)
    throw invalid(
      "offset",
      `reranking orders only the best ${plan.candidates} results; raise rerank_candidates (at most ${mostCandidates}) or turn rerank off`,
    );
  // One more than the page: whether there is a next one.
  const wide = diversity > 0 ? Math.min(diversityFactor * limit, mostCandidates) : offset + limit + 1;
  return plan.model === null ? wide : Math.max(diversity > 0 ? wide : 0, plan.candidates);
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
  for (const id of writtenIds(deps, ids)) opened.push(await open(deps, caller, id, request));
  return opened;
}

async function open(deps: Deps, caller: Caller, id: string, request: SearchRequest): Promise<Opened> {
  const store = await stores.useForSearch(deps, caller, id);
  const resolve = (current: VectorStore) => settingsFor(request, resolveSettings(deps, current, request.settings));
  const settings = resolve(store);
  if (settings.mode !== "keyword") return { store, settings };
  // Keyword search cannot notice that a remembered store is out of date (only vector search can), so read it now.
  const current = await stores.use(deps, caller, id, "read");
  return { store: current, settings: resolve(current) };
}

/** What is searched for in every store. */
interface Search {
  queries: readonly string[];
  given: GivenVector | null;
  filter: Filter | null;
  limit: number;
}

/** Searches every store for every query, one after the other: sixteen at once would take every connection. */
async function retrieveAll(
  deps: Deps,
  opened: readonly Opened[],
  { queries, given, filter, limit }: Search,
  { spent, ...asking }: EmbedAsking & { spent: Spent },
): Promise<FoundChunk[]> {
  const lists: FoundChunk[][] = [];
  for (const { store, settings } of opened) {
    const embedded =
      given === null
        ? await timed(spent, "model", () => embedQueries(deps, store, settings, queries, asking))
        : [{ text: queries[0] ?? "", embedding: given.vector }];
    for (const query of embedded) {
      const self = given?.self ?? null;
      const wanted = { settings, filter, limit: limit + (self === null ? 0 : 1), query };
      const list = await timed(spent, "database", () => retrieve(deps, store, wanted, asking));
      lists.push(self === null ? list : list.filter((chunk) => keyOfChunk(chunk) !== self).slice(0, limit));
    }
  }
  const [only] = lists;
  const found = only !== undefined && lists.length === 1 ? only : bestOf(lists, limit);
  // Nothing found in a remembered store: check that it still exists.
  if (found.length === 0)
    for (const { store } of opened)
      await timed(spent, "database", () => stores.find(deps, asking.caller, store.id, "read"));
  return found;
}

/** Merges lists: each chunk once, with its best score. */
function bestOf(lists: readonly (readonly FoundChunk[])[], limit: number): FoundChunk[] {
  const best = new Map<string, FoundChunk>();
  for (const chunk of lists.flat()) {
    const key = keyOfChunk(chunk);
    if (chunk.score > (best.get(key)?.score ?? -1)) best.set(key, chunk);
  }
  // By id and store too, so that pages, which merge lists of different lengths, agree on the order.
  const before = (a: FoundChunk, b: FoundChunk) => (a.id === b.id ? a.storeId < b.storeId : a.id < b.id);
  return [...best.values()].sort((a, b) => b.score - a.score || (before(a, b) ? -1 : 1)).slice(0, limit);
}

async function choose(
  deps: Deps,
  opened: readonly Opened[],
  found: readonly FoundChunk[],
  { limit, diversity }: { limit: number; diversity: number },
  signal: AbortSignal,
): Promise<FoundChunk[]> {
  const embeddings = new Map<string, Float32Array | null>();
  for (const { store } of opened) {
    const ids = found.filter((chunk) => chunk.storeId === store.id).map((chunk) => chunk.id);
    if (ids.length === 0) continue;
    for (const chunk of await deps.engine.read(store, ids, { embeddings: true }, { signal }))
      embeddings.set(keyOfChunk({ storeId: store.id, id: chunk.id }), chunk.embedding);
  }
  const candidates = found.map((chunk) => ({
    chunk,
    score: chunk.score,
    embedding: embeddings.get(keyOfChunk(chunk)) ?? null,
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
    for (const chunk of await joinNeighbours(deps, store, own, { distance, signal }))
      expanded.set(keyOfChunk(chunk), chunk);
  }
  return found.map((chunk) => expanded.get(keyOfChunk(chunk)) ?? chunk);
}
