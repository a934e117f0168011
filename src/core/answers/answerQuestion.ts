import { tokenCounter } from "../../chunking/tokens.js";
import type { Counter } from "../../chunking/counters.js";
import { invalid } from "../../words/errors.js";
import type { ChatAnswer, ChatMessage, ChatRequest, ChatUsage } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type Passage, choosePassages, tokensOf } from "./passages.js";
import { type PromptSource, citedIn, promptOf } from "./prompt.js";
import { makeStandAlone } from "../search/rewriteQuery.js";
import { type SearchRequest, search } from "../search/searchStores.js";
import { type Spent, time } from "../search/spent.js";

export interface RagRequest {
  storeIds: readonly string[];
  question: string;
  /** Null: the one of the settings. */
  model: string | null;
  /** What was said before, oldest first. */
  history: readonly ChatMessage[];
  systemPrompt: string | null;
  /** Whether a follow-up is made a question of its own first; null: when there is a history. */
  standAlone: boolean | null;
  /** What is done when nothing is found: the model is told so, or it is not asked at all. */
  onEmpty: "answer" | "decline";
  search: Omit<SearchRequest, "queries" | "rewrite">;
  temperature: number | undefined;
  maxTokens: number | undefined;
}

/** What is known before the model begins to answer. */
export interface RagSources {
  passages: Passage[];
  /** The question as it was searched for. */
  query: string;
  reranked: boolean | null;
  warnings: string[];
  /** Milliseconds so far. */
  spent: Spent;
}

export interface RagAnswer extends ChatAnswer {
  /** The passages named in the answer, by their places from 1. */
  cited: number[];
}

/** Said without asking a model. */
const declined = "The documents have nothing on this question.";

/**
 * An answer with its sources, by one search and one call of the model (two when a follow-up is put into a question of its own). The first
 * value comes when the model has begun to answer, so that what it or a store refuses is still an error with a status; then the pieces of
 * the answer. The model is always asked for a stream: that a caller has left is passed on by LiteLLM to the provider of a stream, but of a
 * whole answer only where its `cancel_on_disconnect` is set. No database connection is held while a model is asked.
 * @param describe a passage's name for the model
 * @throws ApiError 400 when no model is named or the window is too small, and as `search` and the chat model do
 */
export async function* answerQuestion(
  deps: Deps,
  caller: Caller,
  request: RagRequest,
  { describe, signal }: { describe: (passage: Passage) => PromptSource; signal: AbortSignal },
): AsyncGenerator<RagSources | string, RagAnswer> {
  const { question, history } = request;
  const chat = chooseModel(deps, request);
  const spent: Spent = { database: 0, model: 0 };
  const counter = await tokenCounter();
  const known = await time(spent, "model", () => deps.litellm.maxInputTokens(chat.model, { caller }));
  const room = shareWindow(known ?? usualWindow, chat.model, request, counter);

  const isFollowUp = request.standAlone ?? history.length > 0;
  const rewriter = deps.config.chatModel ?? chat.model;
  const namedBy = deps.config.chatModel === null ? chat.namedBy : "settings";
  const asked = isFollowUp
    ? await time(spent, "model", () =>
        makeStandAlone(deps, caller, { question, history, model: rewriter, namedBy }, signal),
      )
    : { question, usage: null, warning: null };
  const wanted = { ...request.search, queries: [asked.question], rewrite: false };
  const found = await search(deps, caller, request.storeIds, wanted, signal);
  spent.database += found.spent.database;
  spent.model += found.spent.model;

  const passages = choosePassages(found.hits, room.passages, counter);
  const sources: RagSources = {
    passages,
    query: asked.question,
    reranked: found.reranked,
    warnings: [...(asked.warning === null ? [] : [asked.warning]), ...found.warnings],
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
  const pieces = await time(spent, "model", () => deps.litellm.chat.stream(full, { caller, signal }));
  yield sources;
  const answer = yield* pieces;
  return { ...answer, usage: sum(asked.usage, answer.usage), cited: citedIn(answer.text, passages.length) };
}

function chooseModel(deps: Deps, { model }: RagRequest): Pick<ChatRequest, "model" | "namedBy"> {
  if (!deps.litellm.state().configured)
    throw invalid("model", "there is no LiteLLM proxy whose models could answer. Set LITELLM_PROXY_URL.");
  if (model !== null) return { model, namedBy: "caller" };
  const { chatModel } = deps.config;
  if (chatModel === null)
    throw invalid("model", "required: name a chat model of the proxy here, or set CHAT_MODEL for all requests");
  return { model: chatModel, namedBy: "settings" };
}

/** Of a model whose window LiteLLM does not know. */
const usualWindow = 8192;
/** Kept for an answer whose length the request does not limit. */
const usualAnswer = 1024;
/** The rules of the prompt, and what messages cost beside their text. */
const promptOverhead = 300;
/** A conversation takes at most this share of what is left beside the question. */
const historyShare = 1 / 3;
/** Tokens are counted as OpenAI's models see them; others make a few more of the same text. */
const counted = 0.9;

/**
 * How a model's window is shared: question and answer first, then the newest of the conversation, and the rest is for passages.
 * @throws ApiError 400 `context_length_exceeded` when the question alone leaves no room
 */
function shareWindow(
  window: number,
  model: string,
  { question, systemPrompt, history, maxTokens }: RagRequest,
  counter: Counter,
): { history: ChatMessage[]; passages: number } {
  const usable =
    Math.floor(counted * window) - Math.min(maxTokens ?? usualAnswer, Math.floor(window / 2)) - promptOverhead;
  const lengthOf = (text: string) => tokensOf(text, counter, window);
  const left = usable - lengthOf(question) - lengthOf(systemPrompt ?? "");
  if (left < smallestContext) {
    throw invalid(
      "query",
      `question, system_prompt and max_tokens leave no room for documents in the ${window} tokens of the model '${model}'`,
      "context_length_exceeded",
    );
  }
  const kept: ChatMessage[] = [];
  let spent = 0;
  for (const message of history.toReversed()) {
    const cost = lengthOf(message.content) + 8;
    if (spent + cost > left * historyShare) break;
    spent += cost;
    kept.unshift(message);
  }
  return { history: kept, passages: left - spent };
}
/** A passage of a hundred words. */
const smallestContext = 150;

function sum(a: ChatUsage | null, b: ChatUsage | null): ChatUsage | null {
  if (a === null || b === null) return a ?? b;
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  };
}
