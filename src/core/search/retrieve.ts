import { EngineError } from "../../engines/engine.js";
import type { FoundChunk } from "../../words/chunk.js";
import { ApiError, TextError, unavailable } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { embedQuery } from "../stores/embedding.js";
import type { ResolvedSettings } from "../stores/searchSettings.js";
import { withPrompts } from "../stores/settlePrompts.js";
import * as stores from "../stores/stores.js";
import type { Asking, EmbedAsking } from "./asking.js";
import { fitQuery } from "./fitQuery.js";
import { fuse } from "./fuse.js";

/** A text to search for, and its embedding. */
export interface Query {
  text: string;
  /** Null in keyword mode. */
  embedding: Float32Array | null;
}

/** Embeds the queries with the store's model, on the caller's key. @throws ApiError as the model does */
export async function embedQueries(
  deps: Deps,
  searched: VectorStore,
  { mode }: ResolvedSettings,
  texts: readonly string[],
  { warn, ...asking }: EmbedAsking,
): Promise<Query[]> {
  if (mode === "keyword") return texts.map((text) => ({ text, embedding: null }));
  const store = await withPrompts(deps, asking.caller, searched);
  const embed = async (text: string, i: number) => {
    const fitted = await fitQuery(deps, store, text, asking);
    if (fitted.warning !== null) warn(fitted.warning);
    return embedQuery(deps, store, fitted.text, asking).catch((error: unknown) => {
      throw error instanceof TextError ? error.named(texts.length === 1 ? "query" : `query[${i}]`) : error;
    });
  };
  const embeddings = await Promise.all(texts.map(embed));
  return texts.map((text, i) => ({ text, embedding: embeddings[i] ?? null }));
}

/** What to find in one store. */
export interface Wanted {
  settings: ResolvedSettings;
  filter: Filter | null;
  limit: number;
  query: Query;
}

/** A store changes with each file whose ingestion begins or ends; several may fall into a search on a busy machine. */
const attempts = 10;

/**
 * Searches a store. If it has changed since it was read (`gone`), reads it again and searches once more.
 * @throws ApiError 404 if it was deleted, 400 `unsupported_search_mode`, 503 if it changes during every attempt
 */
export async function retrieve(deps: Deps, store: VectorStore, wanted: Wanted, asking: Asking): Promise<FoundChunk[]> {
  let current = store;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      return await searchOne(deps, current, wanted, asking.signal);
    } catch (error) {
      if (!(error instanceof EngineError && error.kind === "gone")) throw error;
      stores.forget(deps, store.id);
      current = await stores.use(deps, asking.caller, store.id, "read");
    }
  }
  throw unavailable("The vector store changes too often at the moment: files are being added or removed.");
}

async function searchOne(
  { engine }: Deps,
  store: VectorStore,
  { settings, filter, limit, query }: Wanted,
  signal: AbortSignal,
): Promise<FoundChunk[]> {
  const byVector = (count: number) => {
    const { embedding } = query;
    if (embedding === null) return Promise.resolve([]);
    return engine.nearest(store, { embedding, filter, limit: count, recall: settings.recall }, { signal });
  };
  const byWords = (count: number) => {
    const { text } = query;
    const { language } = settings;
    if (engine.words === null || language === null) throw noWords(engine.name);
    return engine.words.matching(store, { text, language, filter, limit: count }, { signal });
  };
  switch (settings.mode) {
    case "vector":
      return byVector(limit);
    case "keyword":
      return byWords(limit);
    case "hybrid": {
      const depths = fusedDepths.slice(0, 1 + fusedDepths.filter((each) => each < limit).length);
      const depth = depths.at(-1) ?? limit;
      const [vector, keyword] = await Promise.all([byVector(depth), byWords(depth)]);
      return fuseChunks(vector, keyword, depths, settings).slice(0, limit);
    }
  }
}

/**
 * How many of each list are fused: more than a page, because a chunk that ranks second in one list and eightieth in the
 * other may be first overall. The number must not depend on the page: with longer lists scores change, and pages would
 * overlap. So the results of shorter lists come before what only longer ones hold. The last is enough for the last page
 * and one more result.
 */
const fusedDepths = [100, 300, 1001];

function fuseChunks(
  vector: readonly FoundChunk[],
  keyword: readonly FoundChunk[],
  depths: readonly number[],
  settings: ResolvedSettings,
): FoundChunk[] {
  const fused = new Map<string, FoundChunk>();
  let lowest = 1;
  for (const depth of depths) {
    const more = fuseLists(vector.slice(0, depth), keyword.slice(0, depth), settings).filter(
      ({ id }) => !fused.has(id),
    );
    for (const chunk of more) fused.set(chunk.id, { ...chunk, score: Math.min(chunk.score, lowest) });
    lowest = [...fused.values()].at(-1)?.score ?? lowest;
  }
  return [...fused.values()];
}

function fuseLists(
  vector: readonly FoundChunk[],
  keyword: readonly FoundChunk[],
  { embeddingWeight, textWeight }: ResolvedSettings,
): FoundChunk[] {
  const chunks = new Map([...keyword, ...vector].map((chunk) => [chunk.id, chunk]));
  const ids = (list: readonly FoundChunk[]) => list.map((chunk) => chunk.id);
  const weights = { vector: embeddingWeight, keyword: textWeight };
  return fuse({ vector: ids(vector), keyword: ids(keyword) }, weights).flatMap(({ id, ...ranked }) => {
    const chunk = chunks.get(id);
    return chunk === undefined ? [] : [{ ...chunk, ...ranked }];
  });
}

const noWords = (engine: string) =>
  new ApiError(
    400,
    `The engine '${engine}' of this vector store has no keyword search. Use the search mode 'vector'.`,
    { param: "search_mode", code: "unsupported_search_mode" },
  );
