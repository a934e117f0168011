import { type Answer, type Asked, type Provider, base64, startProvider } from "../litellm/support.js";
import { testDimensions } from "./settings.js";
import { testVector } from "./vectors.js";

/** The body of a chat request. `startProvider` types what it records as a request for embeddings. */
interface ChatAsked {
  model: string;
  messages: { role: string; content: string }[];
  stream?: boolean;
  temperature?: number;
  max_tokens?: number;
}
interface RerankAsked {
  model: string;
  query: string;
  documents: (string | { text: string })[];
  top_n: number;
}

/** A stand-in for the LiteLLM proxy that has an embedding, a chat and a rerank model. */
export interface FakeProxy extends Provider {
  /** By path: an answer that replaces the usual one, or null for the usual one. */
  answers: Partial<
    Record<"embeddings" | "chat" | "rerank" | "info", (asked: Asked) => Answer | Promise<Answer> | null>
  >;
  /** Restores the usual answers. */
  reset(): void;
  /** Settings of a service that uses it. */
  environment: Record<string, string>;
  /** The model requests since the last call: paths after /v1, in order. */
  calls(): string[];
  chats: () => ChatAsked[];
  reranks: () => RerankAsked[];
}

/** The share of the query's words that the text contains. */
function overlap(query: string, text: string): number {
  const words = query.toLowerCase().match(/\w+/g) ?? [];
  const others = new Set(text.toLowerCase().match(/\w+/g));
  return words.length === 0 ? 0 : words.filter((word) => others.has(word)).length / words.length;
}

const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

export const chatChunk = (content: string | null, more: object = {}) =>
  JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    model: "chat-2026",
    choices: [
      { index: 0, delta: content === null ? {} : { content }, finish_reason: content === null ? "stop" : null },
    ],
    ...more,
  });

async function* inPieces(text: string): AsyncGenerator<string> {
  for (const piece of text.match(/.{1,8}/gs) ?? []) yield await Promise.resolve(chatChunk(piece));
  yield chatChunk(null);
  yield chatChunk(null, { choices: [], usage });
  yield "[DONE]";
}

/** The answer of a chat model, whole or in pieces as requested. */
export function chatAnswer(asked: Asked, text: string): Answer {
  if ((asked.body as unknown as ChatAsked).stream === true) return { events: inPieces(text) };
  const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }];
  return { json: { id: "c1", object: "chat.completion", model: "chat-2026", choices, usage } };
}

function usually(asked: Asked): Answer {
  const { path, body } = asked;
  if (path === "/model/info") {
    const data = [
      { model_name: "embed", model_info: { mode: "embedding", output_vector_size: testDimensions } },
      { model_name: "chat", model_info: { mode: "chat", max_input_tokens: 4000 } },
      { model_name: "rerank", model_info: { mode: "rerank", max_input_tokens: 512 } },
    ];
    return { json: { data } };
  }
  if (path === "/v1/models") {
    const model = { object: "model", created: 0, owned_by: "openai" };
    return { json: { object: "list", data: ["embed", "chat", "rerank"].map((name) => ({ id: name, ...model })) } };
  }
  if (path === "/v1/embeddings") {
    const data = [body.input].flat().map((text, index) => {
      const embedding = testVector(text.length, testDimensions);
      return {
        object: "embedding",
        index,
        embedding: body.encoding_format === "base64" ? base64(embedding) : embedding,
      };
    });
    return { json: { object: "list", data, model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 } } };
  }
  if (path === "/v1/rerank") {
    const { query, documents } = body as unknown as RerankAsked;
    const results = documents.map((text, index) => ({
      index,
      relevance_score: overlap(query, typeof text === "string" ? text : text.text),
    }));
    return { json: { id: "r1", results: results.sort((a, b) => b.relevance_score - a.relevance_score), meta: {} } };
  }
  return chatAnswer(asked, "Whiskers sleeps there [1].");
}

const kinds = {
  "/v1/embeddings": "embeddings",
  "/v1/chat/completions": "chat",
  "/v1/rerank": "rerank",
  "/model/info": "info",
} as const;

/** @param before answers in the place of everything else, unless it returns null */
export async function startFakeProxy(before: (asked: Asked) => Answer | null = () => null): Promise<FakeProxy> {
  const answers: FakeProxy["answers"] = {};
  const provider = await startProvider((asked) => {
    const first = before(asked);
    if (first !== null) return first;
    const kind = kinds[asked.path as keyof typeof kinds] as (typeof kinds)[keyof typeof kinds] | undefined;
    return (kind === undefined ? null : answers[kind]?.(asked)) ?? usually(asked);
  });
  let seen = 0;
  const bodies = (path: string) =>
    provider.asked.filter((each) => each.path === path).map((each) => each.body as object);
  return Object.assign(provider, {
    answers,
    reset: () => {
      for (const kind of Object.keys(answers)) Reflect.deleteProperty(answers, kind);
    },
    environment: {
      EMBEDDING__BASE_URL: provider.url,
      EMBEDDING__API_KEY: "sk-service",
      EMBEDDING__MODEL: "embed",
      EMBEDDING__RETRY_SECONDS: "0",
    },
    calls: () => {
      const since = provider.asked.slice(seen).map((each) => each.path);
      seen = provider.asked.length;
      return since.filter((path) => path.startsWith("/v1/")).map((path) => path.slice(4));
    },
    chats: () => bodies("/v1/chat/completions") as ChatAsked[],
    reranks: () => bodies("/v1/rerank") as RerankAsked[],
  });
}
