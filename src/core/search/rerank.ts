import type { Counter } from "../../chunking/counters.js";
import { tokenCounter } from "../../chunking/tokens.js";
import { ApiError } from "../../words/errors.js";
import type { RerankRequest } from "../../litellm/contract.js";
import type { Deps } from "../deps.js";
import type { Caller } from "../../words/caller.js";
import type { FoundChunk } from "../../words/chunk.js";
import { type Spent, timed } from "./spent.js";
import type { ResolvedSettings } from "../stores/searchSettings.js";

/** What a request says about reranking. */
export interface RerankWish {
  /** `required`: answer with an error if the results cannot be reranked. Undefined: the store decides. */
  wanted: boolean | "required" | undefined;
  /** Null: the store's model, the settings', or the proxy's first. */
  model: string | null;
  /** For messages: the field that asked for it, and a hint at its other values. */
  param: string;
  hint: string | null;
  /** How many of the best results are reranked; null: four times as many as are returned. */
  candidates: number | null;
}

/** How results will be reranked. */
export interface RerankPlan {
  wanted: boolean;
  required: boolean;
  /** Null: no reranking wanted, or no model for it. */
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
 * Chooses the model that reranks: the request's, the store's, the settings', or the first of mode `rerank` in LiteLLM's
 * /model/info.
 * @throws ApiError 400 `no_rerank_model` if the request itself asks for reranking. If only the store asks, the plan has
 * a warning: its settings must not make it unsearchable.
 */
export async function planRerank(
  deps: Deps,
  caller: Caller,
  { rerank: wish, limit, ...asked }: { rerank: RerankWish; limit: number; queries?: readonly string[] },
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
  if (asked.queries?.length === 0)
    return { ...plan, warning: "not reranked: the search has no text for a rerank model to compare" };
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
    : `There is no rerank model${wish.model === null ? "" : ` '${wish.model}'`}, because there is no LiteLLM proxy. Set LITELLM_PROXY_URL.`;
  if (wish.wanted !== undefined)
    throw new ApiError(400, said(wish, problem), { param: wish.param, code: "no_rerank_model" });
  return { ...plan, warning: `not reranked: ${problem}` };
}

/** Tokens, for a model whose window LiteLLM does not know: OpenAI's longest chunk and a query. */
const usualWindow = 4_096 + 512;

/**
 * Puts chunks in the order of the rerank model, with one call. `score` becomes the model's score, `vectorScore` keeps
 * the search's. Chunks that the model leaves out, or that would cost more than the operator allows, come last, with
 * score 0.
 * @returns the chunks in the new order; if the model fails or is slow, in the old order with a warning that says why
 * @throws ApiError 502 `rerank_failed` if reranking is required; 4xx if the proxy refuses a model that the caller named
 */
export async function rerankChunks(
  deps: Deps,
  plan: RerankPlan & { model: string; query: string },
  found: readonly FoundChunk[],
  { caller, spent, signal }: { caller: Caller; spent: Spent; signal: AbortSignal },
): Promise<{ found: FoundChunk[]; reranked: boolean; warning: string | null }> {
  const { model, namedBy, query } = plan;
  const wanted = found.slice(0, plan.candidates);
  try {
    const window = await timed(spent, "model", () => deps.litellm.maxInputTokens(model, { caller }));
    const whole = cutToWindow(window ?? usualWindow, await tokenCounter(), query, wanted);
    const documents = affordable(whole, query, deps.config.ceilings.rerank);
    const ranked = await timed(spent, "model", () =>
      deps.litellm.rerank({ model, namedBy, query, documents }, { caller, signal }),
    );
    const scores = toScores(ranked.map((each) => each.relevance));
    const first = ranked.flatMap(({ index }, i) => withScore(wanted[index], scores[i] ?? 0));
    const named = new Set(ranked.map(({ index }) => index));
    const rest = wanted.flatMap((chunk, index) => (named.has(index) ? [] : withScore(chunk, 0)));
    const warning =
      documents.length < wanted.length
        ? `only the best ${documents.length} of ${wanted.length} results were reranked; more would exceed MAX_RERANK_CHARACTERS`
        : null;
    return { found: [...first, ...rest], reranked: true, warning };
  } catch (error) {
    if (!(error instanceof ApiError) || signal.aborted) throw error;
    if (namedBy === "caller" && callersFault.includes(error.status)) throw aboutModel(error, plan);
    if (plan.required) throw failed(error);
    return { found: [...found], reranked: false, warning: `not reranked: ${error.message}` };
  }
}

/**
 * The model that the caller named does not exist or is not allowed. Falling back to the old order would hide the
 * mistake.
 */
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

const withScore = (chunk: FoundChunk | undefined, score: number): FoundChunk[] =>
  chunk === undefined ? [] : [{ ...chunk, score, vectorScore: chunk.score }];

/**
 * Turns a rerank model's relevances into scores in 0…1. If they are logits, the logistic function maps them and keeps
 * their order.
 */
export function toScores(relevances: readonly number[]): number[] {
  if (relevances.every((each) => each >= 0 && each <= 1)) return [...relevances];
  return relevances.map((each) => 1 / (1 + Math.exp(-each)));
}

/** As many of the first texts as the operator allows: a rerank model reads the query with each. */
function affordable(texts: readonly string[], query: string, most: number): string[] {
  let characters = 0;
  return texts.filter((text) => (characters += text.length + query.length) <= most);
}

/** Cuts contents to what the model reads: its window holds the query and one chunk. */
function cutToWindow(window: number, counter: Counter, query: string, found: readonly FoundChunk[]): string[] {
  // Most models count a few more tokens than this tokenizer.
  const room = Math.max(16, Math.floor(0.9 * (window - counter.measure(query, window).range(0, query.length))));
  return found.map(({ content }) =>
    // Bytes are an upper bound: a token has at least one byte, but a character may have several tokens.
    Buffer.byteLength(content) <= room ? content : content.slice(0, counter.measure(content, room).reach),
  );
}
