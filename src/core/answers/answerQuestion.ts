import { tokenCounter } from "../../chunking/tokens.js";
import { invalid } from "../../words/errors.js";
import type { ChatAnswer, ChatMessage, ChatRequest, ChatUsage } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type Passage, choosePassages } from "./passages.js";
import { shareWindow } from "./window.js";
import { type PromptSource, citedIn, promptOf } from "./prompt.js";
import { makeStandAlone } from "../search/rewriteQuery.js";
import { type SearchRequest, searchStores } from "../search/searchStores.js";
import { type Spent, timed } from "../search/spent.js";

/** A message of the conversation before the question. */
export type RagMessage = ChatMessage;

export interface RagRequest {
  storeIds: readonly string[];
  question: string;
  /** Null: CHAT_MODEL, else the first chat model that the caller may use. */
  model: string | null;
  /** The conversation so far, oldest message first. */
  history: readonly RagMessage[];
  systemPrompt: string | null;
  /** Whether a follow-up is first rewritten to stand alone; null: only if there is a history. */
  standAlone: boolean | null;
  /** When nothing is found: `answer` tells the model so, `decline` does not ask it. */
  onEmpty: "answer" | "decline";
  search: Omit<SearchRequest, "queries" | "rewrite">;
  temperature: number | undefined;
  maxTokens: number | undefined;
}

/** What is known before the model starts to answer. */
export interface RagSources {
  passages: Passage[];
  /** The question that was searched for, rewritten or not. */
  query: string;
  reranked: boolean | null;
  warnings: string[];
  /** Milliseconds so far. */
  spent: Spent;
}

export interface RagAnswer extends ChatAnswer {
  /** The passages that the answer cites, by their numbers from 1. */
  cited: number[];
}

/** The answer when nothing was found and no model is asked. */
const declined = "The documents have nothing on this question.";

/**
 * Answers a question from what a search finds, with one call of the chat model (two when a follow-up is rewritten). It
 * is an async generator: first the sources, then the pieces of the answer, last the complete answer. The first value
 * comes once the model has begun to answer, so a refusal by the model or a store is still an error with a status. The
 * model is always asked for a stream: when a caller disconnects, LiteLLM cancels a streamed answer at the provider, but
 * a complete answer only if its `cancel_on_disconnect` is set. No database connection is held during a model call.
 * @param describe turns a passage into what the model sees of it
 * @throws ApiError 400 when no model is named or the window is too small, and as `search` and the chat model do
 */
export async function* answerQuestion(
  deps: Deps,
  caller: Caller,
  request: RagRequest,
  { describe, signal }: { describe: (passage: Passage) => PromptSource; signal: AbortSignal },
): AsyncGenerator<RagSources | string, RagAnswer> {
  const { question, history } = request;
  const spent: Spent = { database: 0, model: 0 };
  const chat = await timed(spent, "model", () => chooseModel(deps, caller, request));
  const counter = await tokenCounter();
  const known = await timed(spent, "model", () => deps.litellm.maxInputTokens(chat.model, { caller }));
  const room = shareWindow(known, { ...request, model: chat.model, most: deps.config.ceilings.context }, counter);

  const isFollowUp = request.standAlone ?? history.length > 0;
  const rewriter = deps.config.chatModel ?? chat.model;
  const namedBy = deps.config.chatModel === null ? chat.namedBy : "settings";
  const asked = isFollowUp
    ? await timed(spent, "model", () =>
        makeStandAlone(deps, { question, history, model: rewriter, namedBy }, { caller, signal }),
      )
    : { question, usage: null, warning: null };
  const wanted = { ...request.search, queries: [asked.question], rewrite: false };
  const searched = await searchStores(deps, caller, request.storeIds, wanted, signal);
  spent.database += searched.spent.database;
  spent.model += searched.spent.model;

  const passages = choosePassages(searched.found, room.passages, counter);
  const sources: RagSources = {
    passages,
    query: asked.question,
    reranked: searched.reranked,
    warnings: [...(asked.warning === null ? [] : [asked.warning]), ...searched.warnings],
    spent,
  };
  if (passages.length === 0 && request.onEmpty === "decline") {
    yield sources;
    yield declined;
    return { text: declined, model: chat.model, finishReason: "stop", usage: asked.usage, cited: [] };
  }
  const { systemPrompt } = request;
  const messages = promptOf({ question, history: room.history, systemPrompt, sources: passages.map(describe) });
  const full: ChatRequest = { ...chat, messages, temperature: request.temperature, maxTokens: request.maxTokens };
  const pieces = await timed(spent, "model", () => deps.litellm.chat.stream(full, { caller, signal }));
  yield sources;
  const answer = yield* pieces;
  return { ...answer, usage: sum(asked.usage, answer.usage), cited: citedIn(answer.text, passages.length) };
}

async function chooseModel(
  { litellm, config }: Deps,
  caller: Caller,
  { model }: RagRequest,
): Promise<Pick<ChatRequest, "model" | "namedBy">> {
  if (!litellm.state().configured) {
    throw invalid(
      null,
      "Answers need the chat models of a LiteLLM proxy, and none is set: LITELLM_PROXY_URL.",
      "no_proxy",
    );
  }
  if (model !== null) return { model, namedBy: "caller" };
  const chosen = config.chatModel ?? (await litellm.chatModels({ caller }))[0]?.id;
  if (chosen === undefined) {
    throw invalid(
      "model",
      "the proxy lists no chat model that this key may use: name one of its models here, set CHAT_MODEL for all " +
        "requests, or give one `model_info: {mode: chat}` in LiteLLM's model_list",
      "no_chat_model",
    );
  }
  return { model: chosen, namedBy: "settings" };
}

function sum(a: ChatUsage | null, b: ChatUsage | null): ChatUsage | null {
  if (a === null || b === null) return a ?? b;
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  };
}
