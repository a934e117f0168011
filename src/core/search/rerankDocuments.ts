import { invalid } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { planRerank } from "./rerank.js";
import { type SearchResult, searchStores } from "./searchStores.js";

/**
 * What to rerank: the caller's texts, in a body for the proxy; or the chunks of a store. Model null or "auto":
 * `planRerank` chooses one.
 */
export type RerankQuestion =
  | { storeId: null; model: string | null; query: string; documents: readonly unknown[]; body: object }
  | { storeId: string; model: string | null; query: string; limit: number; filter: Filter | null };

/**
 * POST /v1/rerank: for texts, the proxy's answer unchanged; for a store, its best chunks in the model's order.
 * @throws ApiError 400 `no_rerank_model`; the proxy's own refusals; 502 `rerank_failed` if a store's chunks could not
 * be reranked
 */
export async function rerankDocuments(
  deps: Deps,
  caller: Caller,
  question: RerankQuestion,
  signal: AbortSignal,
): Promise<{ passed: object } | { searched: SearchResult }> {
  const model = question.model === "auto" ? null : question.model;
  const wish = { wanted: "required", model, param: "model", hint: null, candidates: null } as const;
  if (question.storeId === null) {
    requireAffordable(question, deps.config.ceilings.rerank);
    const plan = await planRerank(deps, caller, { rerank: wish, limit: 1 }, []);
    return { passed: await deps.litellm.passRerank({ ...question.body, model: plan.model ?? "" }, { caller, signal }) };
  }
  const { query, limit, filter } = question;
  const request = {
    queries: [query],
    rewrite: false,
    filter,
    limit,
    scoreThreshold: 0,
    settings: {},
    rerank: wish,
    diversity: 0,
    expand: 0,
  };
  return { searched: await searchStores(deps, caller, [question.storeId], request, signal) };
}

/** @throws ApiError 400 if the texts would cost more than the operator allows */
function requireAffordable({ query, documents }: { query: string; documents: readonly unknown[] }, most: number): void {
  const lengthOf = (document: unknown) => (typeof document === "string" ? document : JSON.stringify(document)).length;
  const characters = documents.reduce<number>((sum, document) => sum + lengthOf(document) + query.length, 0);
  if (characters <= most) return;
  throw invalid(
    "documents",
    `at most ${most} characters in all, each with the query (MAX_RERANK_CHARACTERS), got ${characters}`,
  );
}
