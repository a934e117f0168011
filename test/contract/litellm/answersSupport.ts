import { expect } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { type Page, facts, proxy, sidecar, texts } from "./support.js";

export const through = { custom_llm_provider: "pg_vector" };
export const reader = "openai/gpt-4o-mini";
/** A question that no other call to the provider uses. */
export const unheard = (question: string) => `${question} (${randomUUID()})`;
export const [returns, shipping, warehouse, , cat] = facts;

export async function createStore(body: object = {}): Promise<string> {
  return (await proxy.post<{ id: string }>("/vector_stores", { body: { ...through, ...body } })).id;
}
export const direct = (storeId: string, body: object) =>
  sidecar.post<Page>(`/vector_stores/${storeId}/search`, { body });

/** Whether a rerank model ordered this page. */
export function expectReranked(page: Page, first: string): void {
  expect(page.reranked).toBe(true);
  expect(texts(page)[0]).toBe(first);
  const scores = page.data.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  for (const { vector_score: before = NaN } of page.data) expect(before >= 0 && before <= 1).toBe(true);
  expect(page.data[0]?.vector_score).toBeLessThan(scores[0] ?? NaN);
}

interface Source {
  index: number;
  cited: boolean;
  id: string;
  vector_store_id: string;
  text: string;
  score: number;
}
export interface Rag {
  object: string;
  answer: string;
  sources: Source[];
  search_query: string;
  reranked?: boolean;
  model: string;
  usage: { total_tokens: number } | null;
  finish_reason: string;
}
export const rag = (storeId: string, body: object) => sidecar.post<Rag>(`/vector_stores/${storeId}/rag`, { body });
export const usage = (calls: number) => ({
  prompt_tokens: 7 * calls,
  completion_tokens: 3 * calls,
  total_tokens: 10 * calls,
});

export interface RagEvent {
  event: string;
  data: { delta?: string; answer?: string; cited?: number[]; sources?: Source[]; error?: object } | string;
}

/** A streamed answer, event by event; ending the loop closes the connection. */
export async function* stream(path: string, body: object): AsyncGenerator<RagEvent> {
  const answer = await fetch(`${sidecar.baseURL}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${sidecar.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of answer.body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, event = "", data = ""] = /^(?:event: (.*)\n)?data: (.*)$/.exec(block) ?? [];
      yield { event, data: data === "[DONE]" ? data : (JSON.parse(data) as Exclude<RagEvent["data"], string>) };
    }
  }
  expect(text).toBe("");
}

export async function whole(path: string, body: object): Promise<RagEvent[]> {
  const events: RagEvent[] = [];
  for await (const event of stream(path, body)) events.push(event);
  return events;
}
export const deltas = (events: readonly RagEvent[]) =>
  events.map(({ data }) => (typeof data === "string" ? "" : (data.delta ?? ""))).join("");
