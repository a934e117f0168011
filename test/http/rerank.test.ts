import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Answer } from "../litellm/support.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";

const texts = [
  "The office cat is called Whiskers and sleeps on the printer.",
  "Shipping is free for orders over fifty dollars.",
  "Passwords must be changed every ninety days.",
  "The warehouse is closed on Sundays.",
  "Solar panels produce a third of the electricity.",
  "The printer on the second floor is out of paper.",
];

let proxy: FakeProxy;
let service: TestService;
let id: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: { ...proxy.environment, DATABASE_POOL_SIZE: "1" } });
  id = await filled();
});
afterEach(() => {
  proxy.reset();
  proxy.calls();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

async function filled(body: object = {}): Promise<string> {
  const store = await createStore(service, body);
  const embeddings = texts.map((content, n) => ({ id: `${store}-${n}`, content, metadata: { n } }));
  await service.post(batchPath(store), { embeddings, return: "count" }).expect(200);
  proxy.calls();
  return store;
}

interface Page {
  data: { id: string; score: number; vector_score?: number; content: { text: string }[] }[];
  reranked?: boolean;
  search_query: string[];
}
const path = (store: string) => `/v1/vector_stores/${store}/search`;
const search = (body: object, store = id) =>
  service.post(path(store), { query: "the cat sleeps on the printer", ...body });
const page = async (body: object, store = id) => (await search(body, store).expect(200)).body as Page;
const textsOf = ({ data }: Page) => data.map((hit) => hit.content[0]?.text);
const refusal = (status: number, message: string): Answer => ({
  status,
  json: { error: { message, type: null, param: null, code: String(status) } },
});

describe("reranked search", () => {
  test.each([
    ["rerank: true", { rerank: true }, "rerank"],
    ["rerank_model", { rerank_model: "mine" }, "mine"],
    ['rerank_model "auto"', { rerank_model: "auto" }, "rerank"],
    ["ranker", { ranking_options: { ranker: "mine-v2.5" } }, "mine-v2.5"],
    ["ranking_options", { ranking_options: { rerank: true, rerank_model: "mine" } }, "mine"],
    ["required", { rerank: "required" }, "rerank"],
  ])("%s: one call, the order and scores of the model, and the scores from before", async (_, body, model) => {
    const found = await page({ max_num_results: 2, ...body });
    expect(proxy.calls()).toEqual(expect.arrayContaining(["rerank"]));
    const asked = proxy.reranks().at(-1);
    expect(asked).toMatchObject({ model, query: "the cat sleeps on the printer", top_n: 6 });
    expect(asked?.documents.toSorted()).toEqual(texts.toSorted());
    expect(found.reranked).toBe(true);
    expect(textsOf(found)).toEqual([texts[0], texts[5]]);
    expect(found.data.map((hit) => hit.score)).toEqual([1, 4 / 6]);
    for (const hit of found.data) expect(hit.vector_score).toEqual(expect.any(Number));
    expect(found.data[0]?.vector_score).not.toBe(1);
  });

  test("an embedding and a reranking are all that is asked, and the second time the reranking alone", async () => {
    await page({ query: "a new question on printers", rerank: true });
    expect(proxy.calls()).toEqual(["embeddings", "rerank"]);
    await page({ query: "a new question on printers", rerank: true });
    expect(proxy.calls()).toEqual(["rerank"]);
    await page({ query: "a new question on printers" });
    await page({ query: "a new question on printers", rerank: false, rerank_model: "mine" });
    await page({ query: "a new question on printers", ranking_options: { ranker: "none" } });
    expect(proxy.calls()).toEqual([]);
  });

  test("candidates are four times the results, or as many as are said", async () => {
    const wide = await createStore(service);
    const embeddings = Array.from({ length: 60 }, (_, n) => ({ content: `row ${"x".repeat(n)}` }));
    await service.post(batchPath(wide), { embeddings, return: "count" }).expect(200);
    const asked = async (body: object) => {
      await page({ rerank: true, ...body }, wide);
      return proxy.reranks().at(-1)?.documents.length;
    };
    expect(await asked({ max_num_results: 3 })).toBe(12);
    expect(await asked({ max_num_results: 3, rerank_candidates: 30 })).toBe(30);
    expect(await asked({ max_num_results: 10, ranking_options: { rerank_candidates: 2 } })).toBe(10);
    expect(await asked({ max_num_results: 50 })).toBe(60);
    expect(await asked({ max_num_results: 10, ranking_options: { diversity: 0.5 } })).toBe(40);
    const many = async (body: object) => (await page(body, wide)).data.length;
    expect(await many({ rerank: true })).toBe(5);
    expect(await many({ rerank_model: "m" })).toBe(5);
    expect(await many({ rerank: true, return_metadata: true })).toBe(5);
    expect(await many({ rerank: true, top_k: 7 })).toBe(7);
  });

  test("the threshold is that of the model's scores", async () => {
    const found = await page({ rerank: true, ranking_options: { score_threshold: 0.6 } });
    expect(textsOf(found)).toEqual([texts[0], texts[5]]);
  });

  test("numbers outside 0…1 become scores in their order", async () => {
    proxy.answers.rerank = () => ({
      json: { results: [4, 2, 0].map((index, i) => ({ index, relevance_score: [7.5, 0, -3][i] })) },
    });
    const found = await page({ rerank: true, max_num_results: 6 });
    const scores = found.data.map((hit) => hit.score);
    expect(scores.slice(0, 3)).toEqual([7.5, 0, -3].map((x) => 1 / (1 + Math.exp(-x))));
    // What the model does not name comes last, and is not lost.
    expect(scores.slice(3)).toEqual([0, 0, 0]);
    expect(textsOf(found).toSorted()).toEqual(texts.toSorted());
  });

  test("long chunks are cut to what the model takes", async () => {
    const long = await createStore(service);
    const content = "many words about printers ".repeat(800);
    await service.post(batchPath(long), { embeddings: [{ content }], return: "count" }).expect(200);
    const found = await page({ rerank: true }, long);
    const document = (proxy.reranks().at(-1)?.documents[0] ?? "") as string;
    // 512 tokens by /model/info, four words of five tokens and a question of seven in it.
    expect(document.length).toBeGreaterThan(1500);
    expect(document.length).toBeLessThan(3000);
    expect(content.startsWith(document)).toBe(true);
    expect(textsOf(found)).toEqual([content]);
  });

  test("an empty store asks no reranker", async () => {
    const empty = await createStore(service);
    const found = await page({ rerank: true }, empty);
    expect(found).toMatchObject({ data: [], reranked: false });
    expect(proxy.calls()).not.toContain("rerank");
  });

  test("several queries are one reranking", async () => {
    await page({ query: ["cats", "printers"], rerank: true });
    expect(proxy.calls().filter((each) => each === "rerank")).toHaveLength(1);
    expect(proxy.reranks().at(-1)?.query).toBe("cats\nprinters");
  });
});

describe("a store's own wish", () => {
  test.each([
    ["rerank", { rerank: true }, "rerank"],
    ["rerank_model", { rerank_model: "mine" }, "mine"],
    ["metadata, as LiteLLM passes it", { metadata: { rerank: "true", rerank_model: "mine" } }, "mine"],
  ])("by %s holds for searches that say nothing", async (_, body, model) => {
    const store = await filled(body);
    const found = await page({}, store);
    expect(found.reranked).toBe(true);
    expect(proxy.reranks().at(-1)?.model).toBe(model);
    expect((await page({ rerank: false }, store)).reranked).toBeUndefined();
    expect((await page({ ranking_options: { ranker: "none" } }, store)).reranked).toBeUndefined();
    await page({ rerank_model: "other" }, store);
    expect(proxy.reranks().at(-1)?.model).toBe("other");
  });

  test("can be seen, changed and taken away", async () => {
    const store = await filled({ rerank: true, rerank_model: "mine" });
    const url = `/v1/vector_stores/${store}`;
    expect((await service.get(url).expect(200)).body).toMatchObject({ rerank: true, rerank_model: "mine" });
    await service.post(url, { rerank: false }).expect(200);
    expect((await page({}, store)).reranked).toBeUndefined();
    // The model of the store is still the one that a request means.
    await page({ rerank: true }, store);
    expect(proxy.reranks().at(-1)?.model).toBe("mine");
    await service.post(url, { rerank: null, rerank_model: null }).expect(200);
    expect((await service.get(url).expect(200)).body).not.toHaveProperty("rerank_model");
    expect((await page({}, store)).reranked).toBeUndefined();
  });

  test("does not make it unsearchable where there is no rerank model", async () => {
    const bare = await startService();
    const store = await createStore(bare, { rerank: true });
    await bare.post(batchPath(store), { embeddings: [{ content: "a row" }] }).expect(200);
    const answer = await bare.post(path(store), { query: "row" }).expect(200);
    expect(answer.body).toMatchObject({ reranked: false });
    expect(answer.headers["x-vector-store-warning"]).toMatch(/^not reranked: .*LITELLM_PROXY_URL/);
    await bare.close();
  });
});

describe("without a rerank model", () => {
  test.each([
    ["rerank", { rerank: true }],
    ["rerank", { rerank: "required" }],
    ["rerank_model", { rerank_model: "cohere" }],
    ["ranking_options.ranker", { ranking_options: { ranker: "cohere" } }],
  ])("and without a proxy it is said what to set: %s", async (param, body) => {
    const bare = await startService();
    const store = await createStore(bare);
    const answer = await bare.post(path(store), { query: "x", ...body }).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({
      code: "no_rerank_model",
      param,
      message: expect.stringMatching(/LITELLM_PROXY_URL/),
    });
    const plain = await bare.post(path(store), { query: "x", rerank: false }).expect(200);
    expect(plain.body).not.toHaveProperty("reranked");
    expect(plain.headers["x-vector-store-warning"]).toBeUndefined();
    await bare.close();
  });

  test("a request for one is told how to add it", async () => {
    const other = await startFakeProxy();
    other.answers.info = () => ({ json: { data: [{ model_name: "chat", model_info: { mode: "chat" } }] } });
    const bare = await startService({ environment: other.environment });
    const store = await createStore(bare);
    const answer = await bare.post(path(store), { query: "x", rerank: true }).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({
      code: "no_rerank_model",
      param: "rerank",
      message: expect.stringMatching(/model_list.*mode: rerank.*RERANK_MODEL/),
    });
    await bare.close();
    await other[Symbol.asyncDispose]();
  });

  test("RERANK_MODEL is taken", async () => {
    const bare = await startService({ environment: { ...proxy.environment, RERANK_MODEL: "of-the-settings" } });
    const store = await createStore(bare);
    await bare.post(batchPath(store), { embeddings: [{ content: "a row" }] }).expect(200);
    await bare.post(path(store), { query: "row", rerank: true }).expect(200);
    expect(proxy.reranks().at(-1)?.model).toBe("of-the-settings");
    await bare.close();
  });
});

describe("a reranker that fails", () => {
  const failures: [string, Answer, RegExp][] = [
    ["401", refusal(401, "no such key"), /own key/],
    ["422 over budget", { status: 422, json: { error: { message: "spent", type: "budget_exceeded", param: null, code: "422" } } }, /budget for reranking/], // prettier-ignore
    ["429", refusal(429, "slow down"), /slow down|rate limit/],
    ["500", refusal(500, "boom"), /failed \(HTTP 500\)/],
    ["what is no ranking", { json: { data: [] } }, /not a list of results/],
    ["what is no JSON", { text: "<html>" }, /not a list of results|not JSON/],
    ["documents that it was not given", { json: { results: [{ index: 99, relevance_score: 1 }] } }, /not given/],
    ["a cut connection", "drop", /cannot be reached/],
  ];
  test.each(failures)("by %s leaves the order of the search, and says so", async (_, answer, sentence) => {
    const query = "printers and cats";
    const plain = await page({ query, max_num_results: 6 });
    proxy.answers.rerank = () => answer;
    const found = await search({ query, max_num_results: 6, rerank: true }).expect(200);
    expect(found.body).toEqual({ ...plain, reranked: false });
    expect(found.headers["x-vector-store-warning"]).toMatch(sentence);
    const required = await search({ query, rerank: "required" }).expect(502);
    expect((required.body as { error: object }).error).toMatchObject({
      code: "rerank_failed",
      message: expect.stringMatching(sentence),
    });
    expect(JSON.stringify(required.body)).not.toContain("sk-service");
  });

  test("by being slow: the limit is a setting", async () => {
    const slow = await startFakeProxy();
    const bare = await startService({ environment: { ...slow.environment, RERANK_TIMEOUT_SECONDS: "1" } });
    const store = await createStore(bare);
    await bare.post(batchPath(store), { embeddings: [{ content: "a row" }] }).expect(200);
    slow.answers.rerank = () => "hang";
    const answer = await bare.post(path(store), { query: "row", rerank: true }).expect(200);
    expect(answer.headers["x-vector-store-warning"]).toMatch(/RERANK_TIMEOUT_SECONDS/);
    await bare.close();
    await slow[Symbol.asyncDispose]();
  });

  test.each([
    [400, "Invalid model name passed in model=mine"],
    [403, "key not allowed to access model mine"],
    [404, "model mine not found"],
  ])("%d for a model that the caller named is the caller's to mend", async (status, message) => {
    proxy.answers.rerank = () => refusal(status, message);
    const answer = await search({ rerank_model: "mine" }).expect(status);
    expect((answer.body as { error: object }).error).toMatchObject({
      param: "rerank_model",
      message: expect.stringContaining(message),
    });
    const byRanker = await search({ ranking_options: { ranker: "hybird" } }).expect(status);
    expect((byRanker.body as { error: object }).error).toMatchObject({
      param: "ranking_options.ranker",
      message: expect.stringMatching(/vector, keyword, hybrid/),
    });
    // Of a model that the settings found it is no fault of the caller's.
    expect((await search({ rerank: true }).expect(200)).body).toMatchObject({ reranked: false });
  });

  test("no connection is held meanwhile, and a client that leaves ends the call", async () => {
    let arrive = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    proxy.answers.rerank = () => {
      arrive();
      return "hang";
    };
    const left = proxy.left();
    const controller = new AbortController();
    const waiting = fetch(`${service.url}${path(id)}`, {
      method: "POST",
      signal: controller.signal,
      headers: { authorization: `Bearer ${service.config.keys.server ?? ""}`, "content-type": "application/json" },
      body: JSON.stringify({ query: "printer", rerank: true }),
    });
    await arrived;
    // The pool has one connection.
    await service.get(`/v1/vector_stores/${id}`).expect(200);
    controller.abort();
    await expect(waiting).rejects.toThrow();
    while (proxy.left() === left) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("POST /v1/rerank", () => {
  test("passes documents on and answers as the proxy does", async () => {
    const body = { model: "mine", query: "cat", documents: ["a dog", "a cat"], top_n: 1, return_documents: true };
    const answer = await service.post("/v1/rerank", body).expect(200);
    expect(answer.body).toMatchObject({
      id: "r1",
      results: [{ index: 1, relevance_score: 1 }, { index: 0 }],
      meta: {},
    });
    expect(proxy.reranks().at(-1)).toEqual(body);
    await service.post("/v1/rerank", { query: "cat", documents: [{ text: "a dog" }] }).expect(200);
    expect(proxy.reranks().at(-1)?.model).toBe("rerank");
  });

  test("takes a store in place of documents", async () => {
    const answer = await service.post("/v1/rerank", { vector_store_id: id, query: "cat on the printer", top_n: 2 }).expect(200); // prettier-ignore
    const { results } = answer.body as {
      results: { index: number; relevance_score: number; document: object; id: string }[];
    };
    expect(results.map((each) => each.document)).toEqual([{ text: texts[0] }, { text: texts[5] }]);
    expect(results.map((each) => each.id)).toEqual([`${id}-0`, `${id}-5`]);
    expect(results.map((each) => each.index).toSorted()).toEqual([0, 1]);
    await service.post("/v1/rerank", { vector_store_id: id, query: "cat", filters: { n: 3 } }).expect(200);
    expect(proxy.reranks().at(-1)?.documents).toEqual([texts[3]]);
    await service.post("/v1/rerank", { vector_store_id: "vs_0", query: "cat" }).expect(404);
  });

  test.each([
    [400, "unknown model"],
    [429, "slow down"],
  ])("hands on a refusal with its status %d", async (status, message) => {
    proxy.answers.rerank = () => refusal(status, message);
    const answer = await service.post("/v1/rerank", { model: "m", query: "cat", documents: ["x"] }).expect(status);
    expect((answer.body as { error: { message: string } }).error.message).toContain(message);
  });

  test.each([
    ["neither documents nor a store", { query: "x" }, "documents"],
    ["both", { query: "x", documents: ["a"], vector_store_id: "vs_1" }, "documents"],
    ["no documents", { query: "x", documents: [] }, "documents"],
    ["a document that is a number", { query: "x", documents: [1] }, "documents[0]"],
    ["no query", { documents: ["a"] }, "query"],
    ["top_n 0", { query: "x", documents: ["a"], top_n: 0 }, "top_n"],
    ["too many of a store", { query: "x", vector_store_id: "vs_1", top_n: 51 }, "top_n"],
  ])("refuses %s", async (_, body, param) => {
    const answer = await service.post("/v1/rerank", body).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({ param });
  });

  test("the models that can are listed", async () => {
    const answer = await service.get("/v1/rerank/models").expect(200);
    expect((answer.body as { data: { id: string }[] }).data.map((each) => each.id)).toEqual(["rerank"]);
  });
});

describe("rewrite_query", () => {
  test("words the query anew by CHAT_MODEL, and is off without one", async () => {
    await page({ rewrite_query: true });
    expect(proxy.calls()).not.toContain("chat/completions");
    const rewriting = await startService({ environment: { ...proxy.environment, CHAT_MODEL: "chat" } });
    const store = await createStore(rewriting);
    const ask = async (body: object) =>
      rewriting
        .post(path(store), { query: "hey, could you tell me about cats?", rewrite_query: true, ...body })
        .expect(200);
    proxy.answers.chat = () => ({ json: { choices: [{ message: { content: ' "office cats" ' } }] } });
    proxy.calls();
    expect((await ask({})).body).toMatchObject({ search_query: ["office cats"] });
    expect(proxy.calls()).toEqual(["chat/completions", "embeddings"]);
    expect(proxy.chats().at(-1)).toMatchObject({ model: "chat", messages: [{ role: "system" }, { role: "user" }] });
    expect((await ask({ query: ["a", "b"] })).body).toMatchObject({ search_query: ["office cats", "office cats"] });
    // A model that fails, or answers with what is no query, leaves the query as it was.
    for (const answer of [
      refusal(500, "boom"),
      { json: { choices: [{ message: { content: "" } }] } },
      { json: { choices: [{ message: { content: "x".repeat(3000) } }] } },
    ]) {
      // prettier-ignore
      proxy.answers.chat = () => answer;
      const plain = await ask({ query: "cats" });
      expect(plain.body).toMatchObject({ search_query: ["cats"] });
    }
    proxy.answers.chat = () => refusal(500, "boom");
    expect((await ask({})).headers["x-vector-store-warning"]).toMatch(/not rewritten: The chat model/);
    await rewriting.close();
  });
});
