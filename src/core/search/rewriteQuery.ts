import { ApiError } from "../../words/errors.js";
import type { ChatMessage, ChatUsage } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";

export interface Rewritten {
  queries: readonly string[];
  /** Why the queries are as they were, although another wording was asked for. */
  warning: string | null;
}

const instructions =
  "You turn what a user writes into a query for a search engine over documents. Keep names, codes, numbers and the language. Leave out " +
  "greetings and instructions. Do not answer it. Reply with the query alone, in one line.";

/** A query is a line; what is longer is no query but an answer. */
const longestQuery = 2000;

/**
 * The queries in the words of a search, by the chat model of the settings, one call for each; as they are where there is no model or it
 * fails, for the search is worth more than its wording.
 * @throws only the signal's reason once it is aborted
 */
export async function rewriteQueries(
  deps: Deps,
  caller: Caller,
  request: { queries: readonly string[]; rewrite: boolean },
  signal: AbortSignal,
): Promise<Rewritten> {
  const { queries } = request;
  const model = deps.config.chatModel;
  if (!request.rewrite || model === null || !deps.litellm.state().configured) return { queries, warning: null };
  try {
    const rewritten = queries.map(async (query) => {
      const messages: ChatMessage[] = [
        { role: "system", content: instructions },
        { role: "user", content: query },
      ];
      const { text } = await deps.litellm.chat.complete({ model, namedBy: "settings", messages }, { caller, signal });
      return usable(text) ?? query;
    });
    return { queries: await Promise.all(rewritten), warning: null };
  } catch (error) {
    if (!(error instanceof ApiError) || signal.aborted) throw error;
    return { queries, warning: `query not rewritten: ${error.message}` };
  }
}

const standAlone =
  "You are given a conversation and a follow-up question. Write the question so that it can be understood without the conversation: put in " +
  "what 'it', 'they' or 'there' stand for. Keep names, codes, numbers and the language. Do not answer it. Reply with the question alone, in one line.";

/** What of a conversation is told: its end says what a follow-up is about. */
const toldMessages = 6;
const toldCharacters = 2000;

/**
 * A follow-up question as one that stands alone, by one call of the chat model; as it is when the model fails.
 * @throws only the signal's reason once it is aborted
 */
export async function makeStandAlone(
  deps: Deps,
  caller: Caller,
  asked: { question: string; history: readonly ChatMessage[]; model: string; namedBy: "caller" | "settings" },
  signal: AbortSignal,
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
    const { text, usage } = await deps.litellm.chat.complete({ model, namedBy, messages }, { caller, signal });
    return { question: usable(text) ?? question, usage, warning: null };
  } catch (error) {
    if (!(error instanceof ApiError) || signal.aborted) throw error;
    return { question, usage: null, warning: `question not rewritten: ${error.message}` };
  }
}

/** A model's reply without quotes around it; null when it is no query. */
function usable(reply: string): string | null {
  const line = reply
    .trim()
    .replace(/^(["'“`])(.*)["'”`]$/s, "$2")
    .replace(/\s+/g, " ")
    .replaceAll("\0", "")
    .trim();
  return line === "" || line.length > longestQuery ? null : line.toWellFormed();
}
