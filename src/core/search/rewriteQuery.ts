import { ApiError } from "../../words/errors.js";
import type { ChatMessage, ChatUsage } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";

export interface Rewritten {
  queries: readonly string[];
  /** Why the queries were not rewritten, although the request asked for it. */
  warning: string | null;
}

const instructions =
  "You turn what a user writes into a query for a search engine over documents. Keep names, codes, numbers and the language. Leave out " +
  "greetings and instructions. Do not answer it. Reply with the query alone, in one line.";

/** OpenAI's API knows no such refusal, and its SDKs ask for rewriting freely. */
const unavailable = "query not rewritten: CHAT_MODEL and the proxy that serves it are not both configured";

/** In characters. A longer reply is an answer, not a query. */
const longestQuery = 2000;

/** Whether a model will rewrite a request's queries. */
export const rewrites = ({ config, litellm }: Deps, { rewrite }: { rewrite: boolean }): boolean =>
  rewrite && config.chatModel !== null && litellm.state().configured;

/**
 * Rewrites the queries with CHAT_MODEL, one call for each. Without a model, or if it fails, they stay as they are: the
 * search matters more than its wording.
 * @throws only the signal's reason once it is aborted
 */
export async function rewriteQueries(
  deps: Deps,
  request: { queries: readonly string[]; rewrite: boolean },
  asking: { caller: Caller; signal: AbortSignal },
): Promise<Rewritten> {
  const { queries } = request;
  if (!request.rewrite) return { queries, warning: null };
  const model = deps.config.chatModel;
  if (model === null || !rewrites(deps, request)) return { queries, warning: unavailable };
  try {
    const rewritten = queries.map(async (query) => {
      const messages: ChatMessage[] = [
        { role: "system", content: instructions },
        { role: "user", content: query },
      ];
      const { text } = await deps.litellm.chat.complete({ model, namedBy: "settings", messages }, asking);
      return usable(text) ?? query;
    });
    return { queries: await Promise.all(rewritten), warning: null };
  } catch (error) {
    if (!(error instanceof ApiError) || asking.signal.aborted) throw error;
    return { queries, warning: `query not rewritten: ${error.message}` };
  }
}

const standAlone =
  "You are given a conversation and a follow-up question. Write the question so that it can be understood without the conversation: put in " +
  "what 'it', 'they' or 'there' stand for. Keep names, codes, numbers and the language. Do not answer it. Reply with the question alone, in one line.";

/** The end of a conversation says what a follow-up is about, so only the end is sent. */
const toldMessages = 6;
const toldCharacters = 2000;

/**
 * Rewrites a follow-up question so that it stands alone, with one call of the chat model. If the model fails, the
 * question stays as it is.
 * @throws only the signal's reason once it is aborted
 */
export async function makeStandAlone(
  deps: Deps,
  asked: { question: string; history: readonly ChatMessage[]; model: string; namedBy: "caller" | "settings" },
  asking: { caller: Caller; signal: AbortSignal },
): Promise<{ question: string; usage: ChatUsage | null; warning: string | null }> {
  const { question, history, model, namedBy } = asked;
  const conversation = history
    .filter(({ role }) => role !== "system")
    .slice(-toldMessages)
    .map(({ role, content }) => `${role}: ${content.slice(0, toldCharacters)}`)
    .join("\n");
  const messages: ChatMessage[] = [
    { role: "system", content: standAlone },
    { role: "user", content: `Conversation:\n${conversation}\n\nFollow-up question: ${question}` },
  ];
  try {
    const { text, usage } = await deps.litellm.chat.complete({ model, namedBy, messages }, asking);
    return { question: usable(text) ?? question, usage, warning: null };
  } catch (error) {
    if (!(error instanceof ApiError) || asking.signal.aborted) throw error;
    return { question, usage: null, warning: `question not rewritten: ${error.message}` };
  }
}

/** A model's reply without quotes around it; null if it cannot be a query. */
function usable(reply: string): string | null {
  const line = reply
    .trim()
    .replace(/^(["'“`])(.*)["'”`]$/s, "$2")
    .replace(/\s+/g, " ")
    .replaceAll("\0", "")
    .trim();
  return line === "" || line.length > longestQuery ? null : line.toWellFormed();
}
