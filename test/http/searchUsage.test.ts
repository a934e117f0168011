import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Asked } from "../litellm/support.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { testDimensions } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore, rowsOf } from "../support/stores.js";
import { testVector } from "../support/vectors.js";

let proxy: FakeProxy;
let service: TestService;
let store: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: proxy.environment });
  store = await createStore(service);
  await service.post(batchPath(store), { embeddings: rowsOf(3), return: "count" }).expect(200);
});
beforeEach(() => {
  proxy.reset();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

/** An embeddings answer with this usage. */
const answering = (usage: unknown) => (asked: Asked) => {
  const data = [asked.body.input]
    .flat()
    .map((text, index) => ({ object: "embedding", index, embedding: testVector(text.length, testDimensions) }));
  return { json: { object: "list", data, model: "embed", usage } };
};
const usageOf = async (body: object, from = service, id = store) => {
  const answer = await from.post(`/v1/vector_stores/${id}/search`, body).expect(200);
  return (answer.body as { usage: unknown }).usage;
};
const tokens = (count: number) => ({ prompt_tokens: count, total_tokens: count });

test("a search says what the embedding of its query took; a repeated query takes nothing", async () => {
  proxy.answers.embeddings = answering({ prompt_tokens: 9, total_tokens: 9 });
  expect(await usageOf({ query: "paid" })).toEqual(tokens(9));
  expect(await usageOf({ query: "paid" })).toEqual(tokens(0));
  expect(await usageOf({ query: "paid", ranking_options: { search_mode: "hybrid" } })).toEqual(tokens(0));
});

test("several queries of a search share one request, whose tokens count once", async () => {
  proxy.answers.embeddings = answering({ prompt_tokens: 10, total_tokens: 10 });
  expect(await usageOf({ query: ["one of three", "two of three", "and the third"] })).toEqual(tokens(10));
});

test("searches at the same moment for the same text pay once", async () => {
  proxy.answers.embeddings = answering({ prompt_tokens: 5, total_tokens: 5 });
  const all = await Promise.all(Array.from({ length: 4 }, () => usageOf({ query: "together" })));
  const paid = (all as { total_tokens: number }[]).reduce((sum, each) => sum + each.total_tokens, 0);
  expect(paid).toBe(5);
});

test.each([[null], [undefined], [{}], [{ prompt_tokens: null }], [{ prompt_tokens: -1 }]])(
  "a proxy that says %j counts as none",
  async (usage) => {
    proxy.answers.embeddings = answering(usage);
    expect(await usageOf({ query: `said ${JSON.stringify(usage)}` })).toEqual(tokens(0));
  },
);

test("keyword searches take none, and neither does the built-in embedder", async () => {
  proxy.answers.embeddings = answering({ prompt_tokens: 9, total_tokens: 9 });
  expect(await usageOf({ query: "only words", ranking_options: { search_mode: "keyword" } })).toEqual(tokens(0));
  const alone = await startService();
  const own = await createStore(alone);
  expect(await usageOf({ query: "without a proxy" }, alone, own)).toEqual(tokens(0));
  await alone.close();
});
