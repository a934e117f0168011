/** Starts a service with its own fake proxy before the tests of each suite that imports this module. */
import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import { ragEvents } from "../../src/http/wire/rag.js";
import type { Answer } from "../litellm/support.js";
import { type FakeProxy, chatAnswer, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";

export const texts = [
  "The office cat is called Whiskers and sleeps on the printer.",
  "Shipping is free for orders over fifty dollars.",
  "Passwords must be changed every ninety days.",
  "The warehouse is closed on Sundays.",
];

export let proxy: FakeProxy;
export let service: TestService;
export let id: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({
    environment: { ...proxy.environment, CHAT_MODEL: "chat", CHAT_TIMEOUT_SECONDS: "1", DATABASE_POOL_SIZE: "1" },
  });
  id = await filled(texts);
});
afterEach(() => {
  proxy.reset();
  proxy.calls();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

export async function filled(
  contents: readonly string[],
  metadata: (n: number) => object = () => ({}),
): Promise<string> {
  const store = await createStore(service);
  const embeddings = contents.map((content, n) => ({
    id: `${store}-${n}`,
    content,
    metadata: { filename: `file ${n}.md`, ...metadata(n) },
  }));
  await service.post(batchPath(store), { embeddings, return: "count" }).expect(200);
  proxy.calls();
  return store;
}

interface Source {
  index: number;
  cited: boolean;
  vector_store_id: string;
  id: string;
  text: string;
  filename: string;
  score: number;
  chunk_ids: string[];
}
export interface Rag {
  answer: string;
  sources: Source[];
  model: string;
  usage: { total_tokens: number } | null;
  search_query: string;
  reranked?: boolean;
  finish_reason: string;
}
export const path = (store = id) => `/v1/vector_stores/${store}/rag`;
export const question = "Where does the cat sleep?";
export const ask = (body: object = {}, store = id) => service.post(path(store), { query: question, ...body });
export const rag = async (body: object = {}, store = id) => (await ask(body, store).expect(200)).body as Rag;
export const lastChat = () => proxy.chats().at(-1);
export const prompt = () => lastChat()?.messages.at(-1)?.content ?? "";
export const refusal = (status: number, message: string, more: object = {}): Answer => ({
  status,
  json: { error: { message, type: null, param: null, code: String(status), ...more } },
});
export const say = (text: string) => {
  proxy.answers.chat = (asked) => chatAnswer(asked, text);
};

export interface Event {
  event: string;
  data: Record<string, unknown>;
}
function eventsIn(text: string): Event[] {
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [event = "", data = ""] = block.split("\n");
      return { event: event.slice(7), data: JSON.parse(data.slice(6)) as Record<string, unknown> };
    });
}
export const open = (body: object, store = id, signal?: AbortSignal) =>
  fetch(`${service.url}${path(store)}`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.config.keys.server ?? ""}`, "content-type": "application/json" },
    body: JSON.stringify({ query: question, ...body }),
    ...(signal === undefined ? {} : { signal }),
  });
export async function stream(body: object = {}, store = id): Promise<Event[]> {
  const answer = await open({ stream: true, ...body }, store);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const text = await answer.text();
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  const events = eventsIn(text);
  // The fields of the OpenAPI document, and no others.
  for (const { event, data } of events) if (event !== "error") expect(ragEvents.parse(data)).toEqual(data);
  return events;
}
