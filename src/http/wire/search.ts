import { z } from "zod";
import type { SearchRequest, SearchResult } from "../../core/search/searchStores.js";
import type { FoundChunk } from "../../words/chunk.js";
import { invalid } from "../../words/errors.js";
import { ExactNumber, parseExactJson } from "../../words/exactJson.js";
import { filterLimits, parseFilter } from "../../words/filter.js";
import { asObject, isObject, optional } from "./common.js";
import { findUnstorableText } from "../bodies/unstorableText.js";
import { rankingFields, readRanking, resultCount } from "./ranking.js";
import { type Scalar, scalarAnswer } from "./scalars.js";

export const queryText = z
  .string()
  .max(100_000, "at most 100000 characters")
  .refine((value) => value.trim() !== "", "must not be empty")
  .meta({ minLength: 1 });

const maxQueries = 16;

/** Checked by `parseFilter`, whose errors name the place. */
export const filtersField = z
  .unknown()
  .optional()
  .meta({
    description:
      'OpenAI: {"type": "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "nin", "key", "value"} or {"type": "and" | "or", "filters": […]}, ' +
      `at most ${filterLimits.depth} levels, ${filterLimits.conditions} conditions and ${filterLimits.values} values in lists; ` +
      'or the flat form {"key": value, …}: all keys must be equal. Values are compared within their type: 5 is not "5".',
    type: ["object", "null"],
  });

/** Accepts three dialects: OpenAI's and LiteLLM's, litellm-pgvector's, litellm-vector-store's. */
export const searchBody = z
  .object({
    query: z.union(
      [queryText, z.array(queryText).min(1, "must not be empty").max(maxQueries, `at most ${maxQueries} queries`)],
      {
        error: (issue) =>
          issue.input === undefined
            ? "required: a string or an array of strings"
            : `expected a non-empty string, or an array of 1 to ${maxQueries} of them, each of at most 100000 characters`,
      },
    ),
    max_num_results: optional(resultCount(50)).describe("number of results, in OpenAI's dialect; default: 10"),
    limit: optional(resultCount(100)).describe("number of results, in litellm-pgvector's dialect; default there: 20"),
    top_k: optional(resultCount(50)).describe("number of results, in litellm-vector-store's dialect; default there: 5"),
    filters: filtersField,
    ...rankingFields,
    rewrite_query: optional(z.boolean()).describe("rewrite the query with CHAT_MODEL, if one is configured"),
    return_metadata: optional(z.boolean()),
  })
  .meta({ id: "SearchRequest" });

export type SearchBody = z.output<typeof searchBody>;

/** @throws ApiError 400 for an invalid filter */
export function readSearch(body: SearchBody): SearchRequest {
  return {
    queries: typeof body.query === "string" ? [body.query] : body.query,
    rewrite: body.rewrite_query ?? false,
    ...readRanking(body),
    filter: parseFilter(body.filters),
    limit: body.max_num_results ?? body.limit ?? body.top_k ?? defaultLimit(body),
  };
}

/** Each dialect has its own default; fields that only one of them has show which it is. */
function defaultLimit(body: SearchBody): number {
  if (body.rerank !== undefined || body.rerank_model !== undefined) return 5;
  return body.return_metadata === undefined ? 10 : 20;
}

export const hitAnswer = z.object({
  file_id: z.string(),
  filename: z.string(),
  score: z.number().min(0).max(1),
  attributes: z.record(z.string(), scalarAnswer).nullable(),
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })).length(1),
  id: z.string().describe("the chunk's id"),
  chunk_index: z.int().optional(),
  page: z.int().optional(),
  section: z.string().optional(),
  slide: z.int().optional(),
  sheet: z.string().optional(),
  attachment: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  vector_rank: z.int().nullable().describe("place in the vector ranking, from 1"),
  keyword_rank: z.int().nullable().describe("place in the keyword ranking, from 1"),
  vector_score: z.number().min(0).max(1).optional().describe("the score before reranking"),
});

export const searchAnswer = z
  .object({
    object: z.literal("vector_store.search_results.page"),
    search_query: z.array(z.string()),
    data: z.array(hitAnswer),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
    reranked: z.boolean().optional(),
  })
  .meta({ id: "SearchResultsPage" });

/** OpenAI's page of results, with exactly one text part each, because LiteLLM's rerank counts parts as results. */
export function presentSearch(
  body: SearchBody,
  { queries, found, reranked }: SearchResult,
): z.input<typeof searchAnswer> {
  return {
    object: "vector_store.search_results.page",
    search_query: [...queries],
    data: found.map((chunk) => presentHit(chunk, body.return_metadata ?? true)),
    has_more: false,
    next_page: null,
    ...(reranked === null ? {} : { reranked }),
  };
}

/** One result. @param withMetadata false: `attributes` and `metadata` are null */
export function presentHit(chunk: FoundChunk, withMetadata: boolean): z.input<typeof hitAnswer> {
  const { attributes, ...rest } = presentFound(chunk);
  return {
    ...rest,
    attributes: withMetadata ? attributes : null,
    content: [{ type: "text", text: chunk.content }],
    metadata: withMetadata ? asObject(chunk.metadata) : null,
  };
}

/** Everything of a result except its text and metadata. */
export function presentFound(chunk: FoundChunk): Omit<z.input<typeof hitAnswer>, "content" | "metadata"> {
  const metadata = asObject(chunk.metadata);
  // Keys that the service adds to a file's attributes; see core/files/fileChunks.ts.
  const place = isObject(metadata.place) ? metadata.place : null;
  const ours = place === null ? [] : ["file_id", "chunk_index", ...(place.filename === undefined ? ["filename"] : [])];
  const attributes = Object.fromEntries(
    Object.entries(metadata).filter(
      (pair): pair is [string, Scalar] =>
        (["string", "number", "boolean"].includes(typeof pair[1]) || pair[1] instanceof ExactNumber) &&
        !ours.includes(pair[0]),
    ),
  );
  const { chunk_index: index } = metadata;
  const { page, section, slide, sheet, attachment } = place ?? metadata;
  return {
    // Only from the metadata: a row without a file has no file id, and its own id must not appear as one.
    file_id: firstString(metadata.file_id),
    filename: firstString(place?.filename, metadata.filename, metadata.file_name, metadata.source, metadata.title),
    score: chunk.score,
    attributes,
    id: chunk.id,
    ...(Number.isInteger(index) ? { chunk_index: index as number } : {}),
    ...(Number.isInteger(page) ? { page: page as number } : {}),
    ...(typeof section === "string" ? { section } : {}),
    ...(Number.isInteger(slide) ? { slide: slide as number } : {}),
    ...(typeof sheet === "string" ? { sheet } : {}),
    ...(typeof attachment === "string" ? { attachment } : {}),
    vector_rank: chunk.vectorRank,
    keyword_rank: chunk.keywordRank,
    ...(chunk.vectorScore === undefined ? {} : { vector_score: chunk.vectorScore }),
  };
}

const firstString = (...values: unknown[]) => values.find((value): value is string => typeof value === "string") ?? "";

/** Parses a filter given as JSON text in a query string. @throws ApiError 400 */
export function parseFilterText(json: string | undefined) {
  if (json === undefined) return null;
  let value: unknown;
  try {
    value = parseExactJson(json);
  } catch {
    throw invalid("filters", "is not valid JSON", "invalid_json");
  }
  const bad = findUnstorableText(json, value, "filters");
  if (bad !== null) throw invalid(bad.path, bad.problem);
  return parseFilter(value);
}
