import { errorCode } from "../../db/connection/errors.js";
import type { VectorStore } from "../../db/tables/stores.js";
import { findChunks } from "../../engines/pgvector/chunks.js";
import { visible } from "../../engines/pgvector/filterSql.js";
import {
  type KeywordHit,
  keywordSettings,
  scanKeywords,
  searchKeywords,
} from "../../engines/pgvector/keywords/keywords.js";
import { type Hit as VectorHit, searchChunks } from "../../engines/pgvector/nearest.js";
import { StoreChanged, requireSameHidden } from "../../engines/pgvector/storeChanged.js";
import { unavailable } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { embedderOf } from "../stores/model.js";
import { type Ranks, fuse } from "./fuse.js";
import { requestKeywords } from "../upkeep/indexState.js";
import type { ResolvedSettings } from "../stores/searchSettings.js";
import { use } from "../stores/stores.js";

/** A chunk that was found; its score is in 0…1, and docs/search.md says what it means in each mode. */
export interface Found extends VectorHit, Ranks {}

/** The texts as what the store's mode compares. @throws ApiError of the model */
export async function embedQueries(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  { mode }: ResolvedSettings,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Query[]> {
  if (mode === "keyword") return texts.map((text) => ({ text, embedding: null }));
  const embedder = embedderOf(deps, store);
  const embeddings = await Promise.all(texts.map((text) => embedder.embedQuery(text, { caller, signal })));
  return texts.map((text, i) => ({ text, embedding: embeddings[i] ?? null }));
}

interface Wanted {
  filter: Filter | null;
  limit: number;
}

export interface Query {
  text: string;
  embedding: Float32Array | null;
}

/** Searches the store as it was found or, when it has changed meanwhile, as it is now. */
export async function retrieve(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  ...rest: [ResolvedSettings, Wanted, Query]
): Promise<Found[]> {
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
  request: Wanted,
  query: Query,
): Promise<Found[]> {
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
): Promise<Found[]> {
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
