import { z } from "zod";
import type { RagAnswer, RagRequest, RagSources } from "../../core/answers/answerQuestion.js";
import type { Passage } from "../../core/answers/passages.js";
import type { PromptSource } from "../../core/answers/prompt.js";
import { invalid } from "../../words/errors.js";
import type { RagMessage } from "../../core/answers/answerQuestion.js";
import { parseFilter } from "../../words/filter.js";
import { optional, modelName } from "./common.js";
import { rankingFields, readRanking, resultCount } from "./ranking.js";
import { filtersField } from "./filters.js";
import { hitAnswer, presentFound, queryText } from "./search.js";

const longestMessage = 100_000;
const part = z.object({ type: z.literal("text"), text: z.string() });
const message = z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: z
    .union([z.string(), z.array(part)], { error: "expected a string, or an array of text parts" })
    .transform((content) => (typeof content === "string" ? content : content.map(({ text }) => text).join("\n")))
    .refine((text) => text.length <= longestMessage, `at most ${longestMessage} characters`),
});

/** litellm-vector-store's RAG request, plus options for the search and the model. */
export const ragBody = z
  .object({
    query: optional(queryText).describe("the question; default: the last of `messages`, which must be the user's"),
    model: optional(modelName).describe(
      "a chat model of the proxy; default: CHAT_MODEL, else the proxy's first chat model",
    ),
    top_k: optional(resultCount(50)).describe("number of chunks to search for; default: 5"),
    max_num_results: optional(resultCount(50)).describe("OpenAI's name for `top_k`"),
    ...rankingFields,
    filters: filtersField,
    system_prompt: optional(z.string().max(longestMessage, `at most ${longestMessage} characters`)).describe(
      "replaces the model's role description; the rules on passages and citations stay",
    ),
    messages: optional(z.array(message).max(200, "at most 200 messages")).describe(
      "the conversation so far, oldest message first",
    ),
    rewrite_query: optional(z.boolean()).describe(
      "first turn a follow-up into a standalone question, with one model call; default: true if there are earlier messages",
    ),
    on_empty: optional(z.enum(["answer", "decline"])).describe(
      'if nothing is found: "answer" tells the model so, "decline" does not call it',
    ),
    stream: optional(z.boolean()).describe("answer with server-sent events: sources, pieces of the answer, usage"),
    temperature: optional(z.number().min(0, "must be at least 0").max(2, "must be at most 2")),
    max_tokens: optional(z.int().min(1, "must be at least 1").max(1_000_000, "must be at most 1000000")),
  })
  .meta({ id: "RagRequest" });

const mostStores = 10;

export const ragOverStoresBody = ragBody
  .extend({
    vector_store_ids: z
      .array(z.string().min(1, "must not be empty").max(1000, "at most 1000 characters"), {
        error: "required: an array of vector store ids",
      })
      .min(1, "must not be empty")
      .max(mostStores, `at most ${mostStores} vector stores`),
  })
  .meta({ id: "RagOverStoresRequest" });

/** @throws ApiError 400 without a question, or for an invalid filter */
export function readRag(storeIds: readonly string[], body: z.output<typeof ragBody>): RagRequest {
  const { question, history } = readConversation(body);
  return {
    storeIds: [...new Set(storeIds)],
    question,
    history,
    model: body.model ?? null,
    systemPrompt: body.system_prompt ?? null,
    standAlone: body.rewrite_query ?? null,
    onEmpty: body.on_empty ?? "answer",
    search: { filter: parseFilter(body.filters), limit: body.top_k ?? body.max_num_results ?? 5, ...readRanking(body) },
    temperature: body.temperature,
    maxTokens: body.max_tokens,
  };
}

function readConversation({ query, messages = [] }: z.output<typeof ragBody>): {
  question: string;
  history: RagMessage[];
} {
  if (query !== undefined) return { question: query, history: messages };
  const last = messages.at(-1);
  if (last === undefined) throw invalid("query", "required: the question");
  if (last.role !== "user" || last.content.trim() === "")
    throw invalid("messages", "without `query`, the last message must be the user's question");
  return { question: last.content, history: messages.slice(0, -1) };
}

const source = hitAnswer
  .omit({ content: true, metadata: true })
  .extend({
    index: z.int().describe("the number that citations use, from 1"),
    cited: z
      .boolean()
      .describe("whether the answer cites it; always false in a stream, whose last event lists the cited sources"),
    vector_store_id: z.string(),
    chunk_ids: z.array(z.string()).describe("ids of the chunks that were joined into this passage"),
    text: z.string(),
  })
  .meta({ id: "RagSource" });

const usage = z
  .object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
  .nullable()
  .describe("of all chat model calls; null if the proxy did not report it");

const about = {
  model: z.string(),
  usage,
  finish_reason: z.string().nullable(),
};
const found = {
  sources: z.array(source),
  search_query: z.string().describe("the question that was searched for, rewritten or not"),
  reranked: z.boolean().optional(),
};

export const ragAnswer = z
  .object({ object: z.literal("rag.answer"), answer: z.string(), ...found, ...about })
  .meta({ id: "RagAnswer" });

/** The events of a stream, in order. An error during the stream is the event `error`, with OpenAI's envelope. */
export const ragEvents = z
  .union([
    z.object({ type: z.literal("rag.sources"), ...found }),
    z.object({ type: z.literal("rag.delta"), delta: z.string() }),
    z.object({ type: z.literal("rag.completed"), answer: z.string(), cited: z.array(z.int()), ...about }),
  ])
  .meta({ id: "RagEvent" });
export type RagEvent = z.input<typeof ragEvents>;

/** What the model sees of a passage. */
export function describePassage({ hit, text }: Passage): PromptSource {
  const { filename, page } = presentFound(hit);
  return { text, filename, page: page ?? null };
}

/** @param cited the numbers of the passages that the answer cites, from 1 */
export function presentSources({ passages, query, reranked }: RagSources, cited: readonly number[]) {
  return {
    sources: passages.map(({ hit, text, chunkIds }, i) => ({
      index: i + 1,
      cited: cited.includes(i + 1),
      ...presentFound(hit),
      vector_store_id: hit.storeId,
      chunk_ids: chunkIds,
      text,
    })),
    search_query: query,
    ...(reranked === null ? {} : { reranked }),
  };
}

export function presentRag(sources: RagSources, answer: RagAnswer): z.input<typeof ragAnswer> {
  return { object: "rag.answer", answer: answer.text, ...presentSources(sources, answer.cited), ...presentEnd(answer) };
}

/** The last event of a stream. */
export const presentCompleted = (answer: RagAnswer): RagEvent => ({
  type: "rag.completed",
  answer: answer.text,
  cited: answer.cited,
  ...presentEnd(answer),
});

const presentEnd = ({ model, usage: used, finishReason }: RagAnswer) => ({
  model,
  usage: used,
  finish_reason: finishReason,
});
