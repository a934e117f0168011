import { borderAfter, borderBefore } from "../../chunking/graphemes.js";
import { tokenCounter } from "../../chunking/tokens.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { tokenLimit } from "../stores/embedding.js";
import { modelInUse } from "../stores/model.js";
import type { Asking } from "./asking.js";

/** A text of so few bytes has no more tokens, and no model reads fewer: it needs no look at the model's limit. */
const surelyFits = 128;
/** Of a shortened query, the share that its beginning gets (docs/decisions/0035-too-long-texts.md). */
const beginning = 0.25;
/** More characters per token than any language has; what a text has beyond is not looked at. */
const charactersPerToken = 16;

/**
 * A query as its store's model can read it. LiteLLM sends the whole last message of a chat, which may be longer than
 * the model reads. Then its middle is left out: a message begins with what it is about, and ends with the question.
 * A model that LiteLLM does not know gets the whole text.
 */
export async function fitQuery(
  deps: Deps,
  store: VectorStore,
  text: string,
  asking: Asking,
): Promise<{ text: string; warning: string | null }> {
  if (Buffer.byteLength(text) <= surelyFits) return { text, warning: null };
  const limit = await tokenLimit(deps, store, "query", asking, tokenCounter);
  const shorter = limit === null ? null : await withoutMiddle(text, limit.most);
  if (limit === null || shorter === null) return { text, warning: null };
  const why = `the model '${modelInUse(deps, store)}' reads ${limit.reads} tokens`;
  return { text: shorter, warning: `query shortened: its embedding leaves out the middle, because ${why}` };
}

/** A text of at most `most` tokens, cut between characters as readers see them; null if the whole text fits. */
export async function withoutMiddle(text: string, most: number): Promise<string | null> {
  const counter = await tokenCounter();
  if (counter.measure(text, most).reach === text.length) return null;
  // One token joins the two parts.
  const head = Math.floor(beginning * (most - 1));
  const start = borderBefore(text, 0, counter.measure(text, head).reach);
  const from = borderAfter(text, start, Math.max(start, text.length - charactersPerToken * most));
  const end = text.slice(from);
  const measured = counter.measure(end, Infinity);
  const tail = borderAfter(end, 0, measured.tail(end.length, most - 1 - head));
  return `${text.slice(0, start)}\n${end.slice(tail)}`;
}
