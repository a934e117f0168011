import { z } from "zod";
import type { RerankQuestion } from "../../core/search/rerankDocuments.js";
import type { SearchResult } from "../../core/search/searchStores.js";
import { parseFilter } from "../../words/filter.js";
import { optional, modelName } from "./common.js";
import { resultCount } from "./ranking.js";
import { filtersField } from "./filters.js";
import { presentHit, queryText } from "./search.js";
import { isObject } from "../../words/exactJson.js";

const document = z.union([z.string(), z.custom<Record<string, unknown>>(isObject)], {
  error: "expected a string or an object",
});

const fields = {
  model: optional(modelName).describe("default: RERANK_MODEL, or the proxy's first model with mode `rerank`"),
  query: queryText,
  documents: optional(z.array(document).min(1, "must not be empty").max(1000, "at most 1000 documents")),
  vector_store_id: optional(z.string().min(1, "must not be empty").max(1000, "at most 1000 characters")),
  top_n: optional(resultCount(1000)).describe("default: all documents; for a vector store 10, at most 50"),
  filters: filtersField,
};

/** A body with `vector_store_id`: nothing of it goes to the proxy, so all its fields must be ours. */
export const rerankOfStoreBody = z.object(fields);

/**
 * Cohere's POST /v1/rerank and /v2/rerank, as LiteLLM accepts them; or `vector_store_id` instead of `documents`. With
 * documents, other fields, such as v2's `max_tokens_per_doc`, are passed to the proxy.
 */
export const rerankBody = z
  .looseObject(fields)
  .refine((body) => (body.documents === undefined) !== (body.vector_store_id === undefined), {
    path: ["documents"],
    message: "give either `documents` or `vector_store_id`, not both",
  })
  .refine((body) => body.vector_store_id === undefined || (body.top_n ?? 10) <= 50, {
    path: ["top_n"],
    message: "must be at most 50 for a vector store",
  })
  .refine((body) => body.vector_store_id !== undefined || body.filters == null, {
    path: ["filters"],
    message: "filters the chunks of a `vector_store_id`; documents have no metadata",
  })
  .meta({ id: "RerankRequest" });

/** @throws ApiError 400 for an invalid filter */
export function readRerank(body: z.output<typeof rerankBody>): RerankQuestion {
  const { model, query, documents, vector_store_id: storeId, top_n: topN, filters, ...further } = body;
  if (storeId !== undefined)
    return { storeId, model: model ?? null, query, limit: topN ?? 10, filter: parseFilter(filters) };
  const passed = { query, documents, ...(topN !== undefined && { top_n: topN }), ...further };
  return { storeId: null, model: model ?? null, query, documents: documents ?? [], body: passed };
}

export const rerankAnswer = z
  .looseObject({
    results: z.array(
      z.looseObject({
        index: z
          .int()
          .describe("the document's position in the request, or the chunk's in the order of the search, from 0"),
        relevance_score: z.number(),
      }),
    ),
  })
  .meta({ id: "RerankResponse" });

/** Cohere's results, each with its chunk. */
export function presentReranked(model: string | null, { found }: SearchResult): z.input<typeof rerankAnswer> {
  const scoreBefore = (hit: SearchResult["found"][number]) => hit.vectorScore ?? hit.score;
  const before = found.toSorted((a, b) => scoreBefore(b) - scoreBefore(a));
  return {
    ...(model === null ? {} : { model }),
    results: found.map((hit) => {
      const { content, score, ...rest } = presentHit(hit, true);
      return {
        index: before.indexOf(hit),
        relevance_score: score,
        document: { text: content[0]?.text ?? "" },
        ...rest,
      };
    }),
  };
}
