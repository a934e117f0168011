import type { Counter } from "../../chunking/counters.js";
import { tokenCounter } from "../../chunking/tokens.js";
import type { Caller } from "../../words/caller.js";
import { ApiError } from "../../words/errors.js";
import type { RerankRequest } from "../../litellm/contract.js";
import type { Deps } from "../deps.js";
import type { Hit } from "./searchStores.js";
import { type Spent, time } from "./spent.js";
import type { ResolvedSettings } from "../stores/searchSettings.js";

/** What a request says of reranking. */
export interface RerankWish {
  /** `required`: no answer is better than one in another order. Undefined: as the store is set. */
  wanted: boolean | "required" | undefined;
  /** Null: the store's, the settings', or the proxy's first. */
  model: string | null;
  /** The field that wants it, for what is said of it, and what else it could have held. */
  param: string;
  hint: string | null;
  /** How many of the best are put in order; null: four times the results. */
  candidates: number | null;
}

/** Reranking as it is to be done. */
export interface RerankPlan {
  wanted: boolean;
  required: boolean;
  /** Null: nothing is to be reranked, or there is nothing that could. */
  model: string | null;
  namedBy: RerankRequest["namedBy"];
  param: string;
  hint: string | null;
  candidates: number;
  warning: string | null;
}

const candidatesPerResult = 4;
/** One request with 200 chunks of OpenAI's default length are 160,000 tokens. */
export const mostCandidates = 200;

const howToAdd =
  "Add one to LiteLLM's model_list with `model_info: {mode: rerank}`, or name one that the proxy serves in rerank_model or RERANK_MODEL.";

/**
 * Who puts the results in order: the model of the request, of the store, of the settings, or the first of mode `rerank` that LiteLLM's
 * /model/info names.
 * @throws ApiError 400 `no_rerank_model` when the request itself wants it. A store's wish alone must not make it unsearchable.
 */
export async function planRerank(
  deps: Deps,
  caller: Caller,
  { rerank: wish, limit }: { rerank: RerankWish; limit: number },
  stores: readonly Pick<ResolvedSettings, "rerank" | "rerankModel">[],
): Promise<RerankPlan> {
  const byStore = stores.some((each) => each.rerank ?? each.rerankModel !== null);
  const storesModel = stores.find((each) => each.rerankModel !== null)?.rerankModel ?? null;
  const wanted = wish.wanted ?? byStore;
  const plan: RerankPlan = {
    wanted: wanted !== false,
    required: wanted === "required",
    model: null,
    namedBy: wish.model === null ? "settings" : "caller",
    param: wish.param,
    hint: wish.hint,
    candidates: Math.min(mostCandidates, Math.max(limit, wish.candidates ?? candidatesPerResult * limit)),
    warning: null,
  };
  if (!plan.wanted) return plan;
  plan.model = wish.model ?? storesModel ?? deps.config.rerankModel;
  if (!deps.litellm.state().configured) plan.model = null;
  else if (plan.model === null) {
    try {
      plan.model = (await deps.litellm.rerankModels({ caller }))[0]?.id ?? null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (plan.required) throw failed(error);
      return { ...plan, warning: `not reranked: ${error.message}` };
    }
  }
  if (plan.model !== null) return plan;
  const problem = deps.litellm.state().configured
    ? `There is no rerank model. ${howToAdd}`
    : `There is no rerank model${wish.model === null ? "" : ` '${wish.model}'`}, for there is no LiteLLM proxy. Set LITELLM_PROXY_URL.`;
  if (wish.wanted !== undefined)
    throw new ApiError(400, said(wish, problem), { param: wish.param, code: "no_rerank_model" });
  return { ...plan, warning: `not reranked: ${problem}` };
}

/** Of a model whose window LiteLLM does not know: a chunk of OpenAI's longest length and its question. */
const usualWindow = 4_096 + 512;

/**
 * The hits in the order of the rerank model, asked once; `score` is the model's, `vectorScore` what it was. Hits that the model does
 * not name come last, with the score 0.
 * @returns the hits as they were, and why, when the model fails or is slow.
 * @throws ApiError 502 `rerank_failed` where reranking is required; 4xx for a model of the caller's that the proxy refuses
 */
export async function rerankHits(
  deps: Deps,
  caller: Caller,
  plan: RerankPlan & { model: string; query: string },
  hits: readonly Hit[],
  { spent, signal }: { spent: Spent; signal: AbortSignal },
): Promise<{ hits: Hit[]; warning: string | null }> {
  const { model, namedBy, query } = plan;
  const candidates = hits.slice(0, plan.candidates);
  try {
    const window = await time(spent, "model", () => deps.litellm.maxInputTokens(model, { caller }));
    const documents = cutToWindow(window ?? usualWindow, await tokenCounter(), query, candidates);
    const ranked = await time(spent, "model", () =>
      deps.litellm.rerank({ model, namedBy, query, documents }, { caller, signal }),
    );
    const scores = toScores(ranked.map((each) => each.relevance));
    const first = ranked.flatMap(({ index }, i) => withScore(candidates[index], scores[i] ?? 0));
    const named = new Set(ranked.map(({ index }) => index));
    const rest = candidates.flatMap((hit, index) => (named.has(index) ? [] : withScore(hit, 0)));
    return { hits: [...first, ...rest], warning: null };
  } catch (error) {
    if (!(error instanceof ApiError) || signal.aborted) throw error;
    if (namedBy === "caller" && callersFault.includes(error.status)) throw aboutModel(error, plan);
    if (plan.required) throw failed(error);
    return { hits: [...hits], warning: `not reranked: ${error.message}` };
  }
}

/** A model that is not there or not allowed: another order than the one asked for would hide the mistake. */
const callersFault = [400, 403, 404];

const aboutModel = (error: ApiError, plan: Pick<RerankWish, "param" | "hint">) =>
  new ApiError(error.status, said(plan, error.message), { ...error.details, param: plan.param });

const said = ({ param, hint }: Pick<RerankWish, "param" | "hint">, problem: string) =>
  `${param}: ${problem}${hint === null ? "" : ` ${hint}`}`;

const failed = (error: ApiError) =>
  new ApiError(502, `The results could not be reranked: ${error.message}`, {
    code: "rerank_failed",
    cause: error,
    ...(error.details.retryAfterSeconds !== undefined && { retryAfterSeconds: error.details.retryAfterSeconds }),
  });

const withScore = (hit: Hit | undefined, score: number): Hit[] =>
  hit === undefined ? [] : [{ ...hit, score, vectorScore: hit.score }];

/**
 * Numbers of a rerank model as scores in 0…1. Most models give such; those that give logits have them put through the logistic function,
 * which keeps their order.
 */
export function toScores(relevances: readonly number[]): number[] {
  if (relevances.every((each) => each >= 0 && each <= 1)) return [...relevances];
  return relevances.map((each) => 1 / (1 + Math.exp(-each)));
}

/** Chunks without what the model would not read, or would refuse: query and one chunk together are its input. */
function cutToWindow(window: number, counter: Counter, query: string, hits: readonly Hit[]): string[] {
  // The tokens of other models' texts are a little more than those counted here.
  const room = Math.max(16, Math.floor(0.9 * (window - counter.measure(query, window).range(0, query.length))));
  return hits.map(({ content }) =>
    // A token is a byte at least; of characters some have several tokens.
    Buffer.byteLength(content) <= room ? content : content.slice(0, counter.measure(content, room).reach),
  );
}
