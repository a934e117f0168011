import type { Counter } from "../../chunking/counters.js";
import type { ChatMessage } from "../../litellm/contract.js";
import { invalid } from "../../words/errors.js";
import { tokensOf } from "./passages.js";

/** For a model whose window LiteLLM does not know. */
const usualWindow = 8192;
/** Tokens kept free for the answer when the request sets no limit. */
const usualAnswer = 1024;
/** Tokens of the prompt's rules, and of what surrounds each message's text. */
const promptOverhead = 300;
/** The conversation gets at most this share of what the question leaves. */
const historyShare = 1 / 3;
/** Tokens are counted with OpenAI's tokenizer; other models count a few more for the same text. */
const counted = 0.9;
/** Tokens of a passage of a hundred words. */
const smallestContext = 150;

/**
 * Shares a model's window: question and answer first, then the newest part of the conversation; the rest is for
 * passages.
 * @param known tokens that the model reads at once; null: unknown
 * @throws ApiError 400 `context_length_exceeded` when the question alone leaves no room
 */
export function shareWindow(
  known: number | null,
  asked: {
    model: string;
    question: string;
    systemPrompt: string | null;
    history: readonly ChatMessage[];
    maxTokens: number | undefined;
    /** Tokens of the window that the operator allows to be used. */
    most: number;
  },
  counter: Counter,
): { history: ChatMessage[]; passages: number } {
  const { model, question, systemPrompt, history, maxTokens, most } = asked;
  const window = Math.min(known ?? usualWindow, most);
  const forAnswer = Math.min(maxTokens ?? usualAnswer, Math.floor(window / 2));
  const usable = Math.floor(counted * window) - forAnswer - promptOverhead;
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
