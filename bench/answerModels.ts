import { z } from "zod";
import { answerEmbeddings } from "./embeddingServer.js";
import { type ModelServer, startModelServer } from "./modelServer.js";

export const chatModel = "bench-chat";
const chatWindow = 128_000;

const pieces = 20;
const words = "The passages say that this is so, and that it has been so for as long as anybody remembers";
/** A typical short answer, with two citations. */
const written = Array.from({ length: pieces }, (_, i) => `${words}${i === 4 ? " [1]" : i === 9 ? " [2]" : ""}. `);

const rerankRequest = z.object({ model: z.string(), query: z.string(), documents: z.array(z.string()) });
const chatRequest = z.object({
  model: z.string(),
  messages: z.array(z.object({ content: z.string() })),
  stream: z.boolean().optional(),
});

export interface AnswerModels extends ModelServer {
  /** Length of the last prompt, in characters. */
  lastPrompt: () => number;
}

/**
 * Stands in for a LiteLLM proxy with an embedding, a rerank and a chat model.
 * @param rerankWindow context window of the rerank model, in tokens
 */
export async function startAnswerModels(
  vectorOf: (text: string) => Float32Array,
  rerankWindow: number,
): Promise<AnswerModels> {
  let prompt = 0;
  const server = await startModelServer({
    "POST /v1/embeddings": answerEmbeddings(vectorOf),
    "POST /v1/rerank": (body) => {
      const { documents } = rerankRequest.parse(body);
      // Neighbours swap places: the order changes, but the best stay among the best.
      const order = documents.map((_, i) => ((i ^ 1) < documents.length ? i ^ 1 : i));
      const results = order.map((index, place) => ({ index, relevance_score: 1 - place / documents.length }));
      return { json: { id: "bench", results } };
    },
    "POST /v1/chat/completions": (body) => {
      const { model, messages, stream = false } = chatRequest.parse(body);
      prompt = messages.reduce((sum, { content }) => sum + content.length, 0);
      const usage = { prompt_tokens: 6000, completion_tokens: 400, total_tokens: 6400 };
      if (stream) return { events: chunksOf(model, usage) };
      const message = { role: "assistant", content: written.join("") };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return { json: { id: "bench", object: "chat.completion", created: 0, model, choices, usage } };
    },
    "GET /v1/models": () => ({ json: { object: "list", data: [{ id: chatModel, object: "model" }] } }),
    "GET /model/info": () => ({
      json: {
        data: [
          { model_name: chatModel, model_info: { mode: "chat", max_input_tokens: chatWindow } },
          { model_name: "bench-rerank", model_info: { mode: "rerank", max_input_tokens: rerankWindow } },
        ],
      },
    }),
  });
  return { ...server, lastPrompt: () => prompt };
}

function chunksOf(model: string, usage: object): string[] {
  const about = { id: "bench", object: "chat.completion.chunk", created: 0, model };
  const chunk = (delta: object, finish_reason: string | null = null) =>
    JSON.stringify({ ...about, choices: [{ index: 0, delta, finish_reason }] });
  return [
    chunk({ role: "assistant", content: "" }),
    ...written.map((content) => chunk({ content })),
    chunk({}, "stop"),
    JSON.stringify({ ...about, choices: [], usage }),
    "[DONE]",
  ];
}
