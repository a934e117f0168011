import { z } from "zod";
import { type SearchRequest, type SearchResult, mostResults } from "../../core/search/searchStores.js";
import type { FoundChunk } from "../../words/chunk.js";
import { invalid } from "../../words/errors.js";
import { ExactNumber, isObject } from "../../words/exactJson.js";
import { parseFilter } from "../../words/filter.js";
import { asObject, optional } from "./common.js";
import { filtersField } from "./filters.js";
import { decodeEmbedding, embedding } from "./vector.js";
import { rankingFields, readRanking, resultCount } from "./ranking.js";
import { type Scalar, scalarAnswer } from "./scalars.js";

export const queryText = z
  .string()
  .max(100_000, "at most 100000 characters")
  .refine((value) => value.trim() !== "", "must not be empty")
  .meta({ minLength: 1 });

const maxQueries = 16;

/** Accepts three dialects: OpenAI's and LiteLLM's, litellm-pgvector's, litellm-vector-store's. */
export const searchBody = z
  .object({
    query: optional(
      z.union(
        [queryText, z.array(queryText).min(1, "must not be empty").max(maxQueries, `at most ${maxQueries} queries`)],
        {
          error: `expected a non-empty string, or an array of 1 to ${maxQueries} of them, each of at most 100000 characters`,
        },
      ),
    ).describe("what to search for; required unless embedding or like is given"),
    embedding: embedding.describe(
      "the query's vector, as numbers or as base64 of float32; no model is called. With query, that is the text for keywords and reranking",
    ),
    like: optional(z.string().min(1, "must not be empty").max(1000, "at most 1000 characters")).describe(
      "the id of a row: finds the rows nearest to it, without itself; no model is called",
    ),
    offset: optional(
      z
        .int()
        .min(0, "must be at least 0")
        .max(mostResults - 1, `must be at most ${mostResults - 1}`),
    ).describe(`how many of the best results to leave out; with the number of results at most ${mostResults}`),
    page: optional(z.string()).describe("next_page of the page before, with the same request"),
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

/** @throws ApiError 400 for an invalid filter, embedding or page, or not exactly one thing to search for */
export function readSearch(body: SearchBody): SearchRequest {
  const limit = body.max_num_results ?? body.limit ?? body.top_k;
  const offset = readOffset(body);
  // The last page is as long as the results that can be reached.
  const most = body.page === undefined ? Infinity : mostResults - offset;
  return {
    ...readQuery(body),
    rewrite: body.rewrite_query ?? false,
    ...readRanking(body),
    filter: parseFilter(body.filters),
    offset,
    limit: limit === undefined ? { usual: usualLimit(body), most } : Math.min(limit, most),
  };
}

function readQuery({ query, embedding: sent, like }: SearchBody): Pick<SearchRequest, "queries" | "given"> {
  const queries = query === undefined ? [] : typeof query === "string" ? [query] : query;
  if (like !== undefined) {
    if (query !== undefined || sent != null)
      throw invalid("like", "is a search by itself; leave out query and embedding");
    return { queries, given: { like } };
  }
  if (sent == null) {
    if (query === undefined)
      throw invalid("query", "required: a string or an array of strings, unless embedding or like is given");
    return { queries };
  }
  if (queries.length > 1) throw invalid("query", "an embedding is of one text; got several");
  return { queries, given: { embedding: decodeEmbedding(sent, "embedding") } };
}

/** `next_page` says where the next page begins. Callers must not rely on its form. */
const tokenOf = (offset: number) => Buffer.from(`offset:${offset}`).toString("base64url");

function readOffset({ offset, page }: SearchBody): number {
  if (page === undefined) return offset ?? 0;
  if (offset !== undefined) throw invalid("page", "says where the page begins, as offset does; leave out one of them");
  const [, digits] = /^offset:(\d{1,4})$/.exec(Buffer.from(page, "base64url").toString()) ?? [];
  const told = Number(digits ?? NaN);
  if (!(told < mostResults) || tokenOf(told) !== page) throw invalid("page", "is not a next_page of an answer");
  return told;
}

/** Each dialect has its own default, where the store has none; fields that only one has show which it is. */
function usualLimit(body: SearchBody): number {
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
    has_more: z.boolean().describe("whether next_page leads to more results"),
    next_page: z.string().nullable().describe("page of the next request, or null"),
    reranked: z.boolean().optional(),
    usage: z
      .object({ prompt_tokens: z.int(), total_tokens: z.int() })
      .describe(
        "tokens of the query's embedding, as the proxy counted them; 0 without a proxy or for a repeated query",
      ),
  })
  .meta({ id: "SearchResultsPage" });

/** OpenAI's page of results, with exactly one text part each, because LiteLLM's rerank counts parts as results. */
export function presentSearch(
  body: SearchBody,
  { queries, found, hasMore, reranked, tokens }: SearchResult,
): z.input<typeof searchAnswer> {
  return {
    object: "vector_store.search_results.page",
    search_query: [...queries],
    data: found.map((chunk) => presentHit(chunk, body.return_metadata ?? true)),
    has_more: hasMore,
    next_page: hasMore ? tokenOf(readOffset(body) + found.length) : null,
    ...(reranked === null ? {} : { reranked }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
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
