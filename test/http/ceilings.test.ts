import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowOf, rowsPath } from "../support/stores.js";
import { errorOf } from "./requests.js";

/** What one request may send to models. Nothing is sent beyond it, so nothing is paid for. */

let proxy: FakeProxy;
let service: TestService;
let store: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({
    environment: {
      ...proxy.environment,
      CHAT_MODEL: "chat",
      MAX_QUERY_CHARACTERS: "1000",
      MAX_RERANK_CHARACTERS: "3000",
      MAX_CONTEXT_TOKENS: "2000",
    },
  });
  store = await createStore(service);
  for (let nr = 0; nr < 6; nr += 1) {
    const row = rowOf(nr, { content: `passage ${nr} ${"lorem ipsum ".repeat(80)}` });
    await service.post(rowsPath(store), row).expect(200);
  }
});
beforeEach(() => {
  proxy.calls();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

const search = (body: object) => service.post(`/v1/vector_stores/${store}/search`, body);

test("queries: all of a request together", async () => {
  const answer = await search({ query: ["a".repeat(600), "b".repeat(401)] }).expect(400);
  expect(errorOf(answer)).toMatchObject({
    param: "query",
    message: "query: at most 1000 characters in all (MAX_QUERY_CHARACTERS), got 1001",
  });
  expect(proxy.calls()).toEqual([]);
  await search({ query: ["a".repeat(600), "b".repeat(400)] }).expect(200);
});

test("texts to rerank: each with the query", async () => {
  const rerank = (length: number) =>
    service.post("/v1/rerank", {
      query: "q".repeat(100),
      documents: Array.from({ length: 10 }, () => "d".repeat(length)),
    });
  const answer = await rerank(201).expect(400);
  expect(errorOf(answer)).toMatchObject({
    param: "documents",
    message: "documents: at most 3000 characters in all, each with the query (MAX_RERANK_CHARACTERS), got 3010",
  });
  expect(proxy.calls()).toEqual([]);
  await rerank(200).expect(200);
});

test("results to rerank: as many as fit, and a warning says how many", async () => {
  const answer = await search({ query: "passage", rerank: true }).expect(200);
  const { data } = answer.body as { data: unknown[] };
  expect(data.length).toBeGreaterThan(3);
  expect(answer.headers["x-vector-store-warning"]).toBe(
    "only the best 3 of 6 results were reranked; more would exceed MAX_RERANK_CHARACTERS",
  );
  expect(proxy.reranks().at(-1)?.documents).toHaveLength(3);
});

test("the context of an answer: as many passages as its tokens allow, whatever the model reads", async () => {
  proxy.answers.info = () => ({
    json: { data: [{ model_name: "chat", model_info: { mode: "chat", max_input_tokens: 128_000 } }] },
  });
  const answer = await service.post(`/v1/vector_stores/${store}/rag`, { query: "passage" }).expect(200);
  const { sources } = answer.body as { sources: unknown[] };
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.length).toBeLessThan(6);
  const prompt =
    proxy
      .chats()
      .at(-1)
      ?.messages.map(({ content }) => content)
      .join("\n") ?? "";
  // Some four characters are a token.
  expect(prompt.length / 4).toBeLessThan(2000);
  proxy.reset();
});
