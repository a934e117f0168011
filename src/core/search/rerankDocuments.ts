import type { Filter } from "../../words/filter.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { planRerank } from "./rerank.js";
import { type SearchResult, search } from "./searchStores.js";

/** Texts of the caller's own, with all the proxy shall be told; or the chunks of a store. A null model: as `planRerank` finds one. */
export type RerankQuestion =
  | { storeId: null; model: string | null; body: object }
  | { storeId: string; model: string | null; query: string; limit: number; filter: Filter | null };

/**
 * POST /v1/rerank: of texts the proxy's answer as it is, of a store the best chunks in the order of the model.
 * @throws ApiError 400 `no_rerank_model`; as the proxy refuses; 502 `rerank_failed` for a store whose chunks could not be reranked
 */
export async function rerankDocuments(
  deps: Deps,
  caller: Caller,
  question: RerankQuestion,
  signal: AbortSignal,
): Promise<{ passed: object } | { found: SearchResult }> {
  const model = question.model === "auto" ? null : question.model;
  const wish = { wanted: "required", model, param: "model", hint: null, candidates: null } as const;
  if (question.storeId === null) {
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
  return { found: await search(deps, caller, [question.storeId], request, signal) };
}
