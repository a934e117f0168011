import { z } from "zod";
import type { AnswerModels } from "./answerModels.js";
import type { Source } from "./data.js";
import type { HttpClient } from "./http.js";
import { mean } from "./load.js";
import { searchPath, serverTimes } from "./searching.js";

const ragPath = (storeId: string) => `/v1/vector_stores/${storeId}/rag`;

/** The kinds of requests to compare. */
export const askingKinds = [
  { name: "search", pathOf: searchPath, body: {} },
  { name: "search, reranked", pathOf: searchPath, body: { rerank: true } },
  { name: "answer", pathOf: ragPath, body: {} },
  { name: "answer, reranked", pathOf: ragPath, body: { rerank: true } },
  { name: "answer, streamed", pathOf: ragPath, body: { stream: true } },
];
export type AskingKind = (typeof askingKinds)[number];

/** Milliseconds of one request, without the time the client takes to parse the answer. */
export interface Asked {
  whole: number;
  /** Until the first event of a stream. */
  first: number | null;
  /** As reported by the service. */
  own: number;
  /**
   * Time of the database and the models, by their own clocks: neither the service's nor HTTP's. Meaningful only with
   * one client.
   */
  others: number;
}

export interface Asking {
  /** Sends a new question every time. @throws if the answer is incomplete, or not in the order of the rerank model */
  ask(kind: AskingKind): Promise<Asked>;
}

/** What to ask about. */
export interface AskingOf {
  models: AnswerModels;
  source: Source;
  storeId: string;
  /** Number of chunks to search for. */
  topK: number;
}

/** @param from the first of the source's questions to use */
export function createAsking(http: HttpClient, { models, source, storeId, topK }: AskingOf, from: number): Asking {
  let next = from;
  return {
    async ask({ name, pathOf, body }) {
      const query = source.query(next).text;
      next += 1;
      const bytes = Buffer.from(JSON.stringify({ query, top_k: topK, ...body }));
      models.takeTime();
      const begun = performance.now();
      const { text, headers, firstEventAt } = await http.postForHeaders(pathOf(storeId), bytes);
      const whole = performance.now() - begun;
      const { database, own } = serverTimes(headers);
      const complete = "stream" in body ? text.includes("event: rag.completed\n") : firstEventAt === null;
      if (own === null || !complete || headers["x-vector-store-warning"] !== undefined)
        throw new Error(`${name}: ${String(headers["x-vector-store-warning"] ?? text.slice(-300))}`);
      const first = firstEventAt === null ? null : firstEventAt - begun;
      return { whole, first, own, others: database + models.takeTime() };
    },
  };
}

const ragAnswer = z.object({
  sources: z.array(z.object({ chunk_ids: z.array(z.string()).min(1), text: z.string() })),
});

/** What answers to the source's first questions are based on, as means per answer. `prompt` in characters. */
export async function lookAtAnswers(
  http: HttpClient,
  { models, source, storeId, topK }: AskingOf,
  answers: number,
): Promise<{ passages: number; chunks: number; prompt: number }> {
  const seen: { passages: number; chunks: number; prompt: number }[] = [];
  for (let n = 0; n < answers; n += 1) {
    const answer = await http.post(ragPath(storeId), { query: source.query(n).text, top_k: topK });
    const { sources } = ragAnswer.parse(JSON.parse(answer));
    const chunks = sources.reduce((sum, each) => sum + each.chunk_ids.length, 0);
    seen.push({ passages: sources.length, chunks, prompt: models.lastPrompt() });
  }
  return {
    passages: mean(seen.map((each) => each.passages)),
    chunks: mean(seen.map((each) => each.chunks)),
    prompt: mean(seen.map((each) => each.prompt)),
  };
}
