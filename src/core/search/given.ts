import { keyOfChunk } from "../../words/chunk.js";
import { invalid, notFound } from "../../words/errors.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { checkVector } from "../stores/checkVector.js";
import { findRow } from "../stores/findRow.js";
import { dimensionsOf } from "../stores/model.js";
import type { RequestSettings, ResolvedSettings } from "../stores/searchSettings.js";
import type { RerankWish } from "./rerank.js";

/** What a request gives in place of the model's vector: its own, or that of a row. */
export type Given = { embedding: Float32Array } | { like: string };

/** A vector to search with, and the row that it is of (`keyOfChunk`), which is not a result. */
export interface GivenVector {
  vector: Float32Array;
  self: string | null;
}

/** The parts of a search request that need a text, or take its place. */
interface Asked {
  given?: Given | undefined;
  queries: readonly string[];
  settings: RequestSettings;
  rerank: RerankWish;
  rewrite: boolean;
}

/** Refuses what needs the text that a request does not have. @throws ApiError 400 naming the field */
export function requireText({ given, queries, settings, rerank, rewrite }: Asked): void {
  if (given === undefined) return;
  const noText = "like" in given ? "like" : "embedding";
  if (rewrite)
    throw invalid("rewrite_query", `a search by ${noText} asks no model for the query's words; leave it out`);
  if (settings.mode === "keyword")
    throw invalid("search_mode", `'keyword' compares no vectors; leave out ${noText}, or search in another mode`);
  if (queries.length > 0) return;
  const how = noText === "embedding" ? "give query too" : "search by query";
  if (settings.mode === "hybrid")
    throw invalid("search_mode", `'hybrid' compares words as well, and ${noText} has none; ${how}`);
  if (rerank.wanted !== undefined && rerank.wanted !== false)
    throw invalid(rerank.param, `a rerank model compares texts, and ${noText} has none; ${how}`);
}

/** A store's settings for a search with a given vector: without text, only vectors can be compared. */
export function settingsFor<T extends ResolvedSettings>(
  { given, queries }: Pick<Asked, "given" | "queries">,
  settings: T,
): T {
  if (given === undefined || (queries.length > 0 && settings.mode !== "keyword")) return settings;
  return { ...settings, mode: "vector" };
}

/**
 * The vector that a request gives; null: the model makes it. A row that is hidden with its file counts as unknown.
 * @throws ApiError 400 (dimensions, no direction), 404 for an unknown row
 */
export async function givenVector(
  deps: Deps,
  openStores: readonly VectorStore[],
  given: Given | undefined,
  signal: AbortSignal,
): Promise<GivenVector | null> {
  if (given === undefined) return null;
  const found = "like" in given ? await rowLike(deps, openStores, given.like, signal) : { ...given, self: null };
  const { embedding, self } = found;
  for (const store of openStores) {
    const limits = { dimensions: dimensionsOf(deps, store), ...deps.engine.can.lengths };
    checkVector(embedding, limits, "like" in given ? "like" : "embedding");
  }
  return { vector: embedding, self };
}

async function rowLike({ engine }: Deps, openStores: readonly VectorStore[], id: string, signal: AbortSignal) {
  for (const store of openStores) {
    const row = await findRow(engine, store, id, { embeddings: true, signal });
    if (row === undefined) continue;
    if (row.embedding === null) throw invalid("like", "this row has no embedding");
    return { embedding: row.embedding, self: keyOfChunk({ storeId: store.id, id: row.id }) };
  }
  throw notFound("embedding", id.slice(0, 100), "like");
}
