import { expect } from "@jest/globals";
import type { Litellm } from "../../src/litellm/contract.js";
import type { Caller } from "../../src/words/caller.js";
import { type Answer, type Asked, embeddings } from "./support.js";
import { noPrompts } from "../../src/words/prompts.js";

const { signal } = new AbortController();

async function* chatPieces(): AsyncGenerator<string> {
  yield await Promise.resolve(JSON.stringify({ choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }] }));
  yield "[DONE]";
}

/** Answers every kind of request. */
export function anything(asked: Asked): Answer {
  const body = asked.body as { stream?: boolean };
  switch (asked.path) {
    case "/v1/models":
      return { json: { data: [{ id: "test-model" }] } };
    case "/model/info":
      return { json: { data: [{ model_name: "m", model_info: { mode: "rerank", max_input_tokens: 512 } }] } };
    case "/v1/rerank":
      return { json: { results: [{ index: 0, relevance_score: 0.5 }] } };
    case "/v1/chat/completions":
      return body.stream === true
        ? { events: chatPieces() }
        : { json: { choices: [{ message: { role: "assistant", content: "Hello" } }] } };
    default:
      return embeddings(asked);
  }
}

export const chat = { model: "chat", namedBy: "settings", messages: [{ role: "user", content: "Hi" }] } as const;
export const other = { model: "other", dimensions: 3, sendDimensions: false };
export const rerank = { model: "m", namedBy: "caller", query: "q", documents: ["d"] } as const;
const picture = { image: new Uint8Array([1]), mediaType: "image/png", model: "v", prompt: "p" } as const;

/** Every function that calls the proxy. */
export const calls: [string, (litellm: Litellm, caller: Caller) => Promise<unknown>][] = [
  ["embed", ({ embedder }, caller) => embedder.embed(["a"], { caller })],
  ["embedQuery", ({ embedder }, caller) => embedder.embedQuery("a", { caller })],
  ["embed of a store's model", (litellm, caller) => litellm.embedderFor(other).embed(["a"], { caller })],
  ["embedQuery of a store's model", (litellm, caller) => litellm.embedderFor(other).embedQuery("a", { caller })],
  [
    "dimensionsOf",
    (litellm, caller) => litellm.dimensionsOf({ model: "m", dimensions: null, prompts: noPrompts }, { caller }),
  ],
  ["promptsOf", (litellm, caller) => litellm.promptsOf("m", { caller })],
  ["createEmbeddings", (litellm, caller) => litellm.createEmbeddings({ model: "m", input: ["a"] }, { caller })],
  ["models", (litellm, caller) => litellm.models({ caller })],
  ["embeddingModels", (litellm, caller) => litellm.embeddingModels({ caller })],
  ["visionModels", (litellm, caller) => litellm.visionModels({ caller })],
  ["rerankModels", (litellm, caller) => litellm.rerankModels({ caller })],
  ["maxInputTokens", (litellm, caller) => litellm.maxInputTokens("m", { caller })],
  ["chat.complete", (litellm, caller) => litellm.chat.complete(chat, { caller, signal })],
  [
    "chat.stream",
    async (litellm, caller) => {
      for await (const piece of await litellm.chat.stream(chat, { caller, signal })) expect(piece).toBe("Hello");
    },
  ],
  ["rerank", (litellm, caller) => litellm.rerank(rerank, { caller, signal })],
  ["passRerank", (litellm, caller) => litellm.passRerank({ model: "m" }, { caller, signal })],
  ["describePicture", (litellm, caller) => litellm.describePicture(picture, { caller, signal })],
];
