import { describe, expect, test } from "@jest/globals";
import { startFakeProxy } from "../support/fakeProxy.js";
import { startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";
import { texts, proxy, service, id, filled, path, page, textsOf } from "./rerankSupport.js";

describe("reranked search", () => {
  test.each([
    ["rerank: true", { rerank: true }, "rerank"],
    ["rerank_model", { rerank_model: "mine" }, "mine"],
    ['rerank_model "auto"', { rerank_model: "auto" }, "rerank"],
    ["ranker", { ranking_options: { ranker: "mine-v2.5" } }, "mine-v2.5"],
    ["ranking_options", { ranking_options: { rerank: true, rerank_model: "mine" } }, "mine"],
    ["required", { rerank: "required" }, "rerank"],
  ])("%s: one call, the model's order and scores, and the scores before reranking", async (_, body, model) => {
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

  test("calls one embedding and one reranking, and the second time only the reranking", async () => {
    await page({ query: "a new question on printers", rerank: true });
    expect(proxy.calls()).toEqual(["embeddings", "rerank"]);
    await page({ query: "a new question on printers", rerank: true });
    expect(proxy.calls()).toEqual(["rerank"]);
    await page({ query: "a new question on printers" });
    await page({ query: "a new question on printers", rerank: false, rerank_model: "mine" });
    await page({ query: "a new question on printers", ranking_options: { ranker: "none" } });
    expect(proxy.calls()).toEqual([]);
  });

  test("candidates are four times the results, or the requested number", async () => {
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

  test("pages lie within the candidates, each page with one call", async () => {
    interface Paged {
      data: { id: string }[];
      has_more: boolean;
      next_page: string | null;
    }
    const paged = async (body: object) => (await page({ rerank: true, ...body })) as unknown as Paged;
    const whole = (await paged({ max_num_results: 6 })).data.map((hit) => hit.id);
    const found: string[] = [];
    let next: string | null = null;
    for (const size of [2, 2, 2]) {
      const part: Paged = await paged({ max_num_results: size, ...(next === null ? {} : { page: next }) });
      found.push(...part.data.map((hit) => hit.id));
      next = part.next_page;
    }
    expect(found).toEqual(whole);
    expect(next).toBeNull();
    const few = await paged({ max_num_results: 2, rerank_candidates: 3, offset: 2 });
    expect(few).toMatchObject({ data: [expect.anything()], has_more: false });
    const beyond = await service
      .post(path(id), { query: "x", rerank: true, max_num_results: 1, offset: 4 })
      .expect(400);
    expect((beyond.body as { error: object }).error).toMatchObject({
      param: "offset",
      message: expect.stringMatching(/only the best 4 results; raise rerank_candidates/),
    });
  });

  test("the threshold applies to the model's scores", async () => {
    const found = await page({ rerank: true, ranking_options: { score_threshold: 0.6 } });
    expect(textsOf(found)).toEqual([texts[0], texts[5]]);
  });

  test("numbers outside 0…1 become scores in the same order", async () => {
    proxy.answers.rerank = () => ({
      json: { results: [4, 2, 0].map((index, i) => ({ index, relevance_score: [7.5, 0, -3][i] })) },
    });
    const found = await page({ rerank: true, max_num_results: 6 });
    const scores = found.data.map((hit) => hit.score);
    expect(scores.slice(0, 3)).toEqual([7.5, 0, -3].map((x) => 1 / (1 + Math.exp(-x))));
    // Results that the model does not name come last, and are not lost.
    expect(scores.slice(3)).toEqual([0, 0, 0]);
    expect(textsOf(found).toSorted()).toEqual(texts.toSorted());
  });

  test("long chunks are cut to the model's window", async () => {
    const long = await createStore(service);
    const content = "many words about printers ".repeat(800);
    await service.post(batchPath(long), { embeddings: [{ content }], return: "count" }).expect(200);
    const found = await page({ rerank: true }, long);
    const document = (proxy.reranks().at(-1)?.documents[0] ?? "") as string;
    // 512 tokens according to /model/info, including the question of seven; four words are five tokens.
    expect(document.length).toBeGreaterThan(1500);
    expect(document.length).toBeLessThan(3000);
    expect(content.startsWith(document)).toBe(true);
    expect(textsOf(found)).toEqual([content]);
  });

  test("an empty store causes no rerank call", async () => {
    const empty = await createStore(service);
    const found = await page({ rerank: true }, empty);
    expect(found).toMatchObject({ data: [], reranked: false });
    expect(proxy.calls()).not.toContain("rerank");
  });

  test("several queries take one rerank call", async () => {
    await page({ query: ["cats", "printers"], rerank: true });
    expect(proxy.calls().filter((each) => each === "rerank")).toHaveLength(1);
    expect(proxy.reranks().at(-1)?.query).toBe("cats\nprinters");
  });
});

describe("a store's setting", () => {
  test.each([
    ["rerank", { rerank: true }, "rerank"],
    ["rerank_model", { rerank_model: "mine" }, "mine"],
    ["metadata, as LiteLLM passes it", { metadata: { rerank: "true", rerank_model: "mine" } }, "mine"],
  ])("in %s is the default for searches", async (_, body, model) => {
    const store = await filled(body);
    const found = await page({}, store);
    expect(found.reranked).toBe(true);
    expect(proxy.reranks().at(-1)?.model).toBe(model);
    expect((await page({ rerank: false }, store)).reranked).toBeUndefined();
    expect((await page({ ranking_options: { ranker: "none" } }, store)).reranked).toBeUndefined();
    await page({ rerank_model: "other" }, store);
    expect(proxy.reranks().at(-1)?.model).toBe("other");
  });

  test("can be read, changed and removed", async () => {
    const store = await filled({ rerank: true, rerank_model: "mine" });
    const url = `/v1/vector_stores/${store}`;
    expect((await service.get(url).expect(200)).body).toMatchObject({ rerank: true, rerank_model: "mine" });
    await service.post(url, { rerank: false }).expect(200);
    expect((await page({}, store)).reranked).toBeUndefined();
    // The store's model is still the default of a request.
    await page({ rerank: true }, store);
    expect(proxy.reranks().at(-1)?.model).toBe("mine");
    await service.post(url, { rerank: null, rerank_model: null }).expect(200);
    expect((await service.get(url).expect(200)).body).not.toHaveProperty("rerank_model");
    expect((await page({}, store)).reranked).toBeUndefined();
  });

  test("does not make it unsearchable without a rerank model", async () => {
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
  ])("and without a proxy, the error names the setting: %s", async (param, body) => {
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

  test("the error says how to add one", async () => {
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

  test("RERANK_MODEL is used", async () => {
    const bare = await startService({ environment: { ...proxy.environment, RERANK_MODEL: "of-the-settings" } });
    const store = await createStore(bare);
    await bare.post(batchPath(store), { embeddings: [{ content: "a row" }] }).expect(200);
    await bare.post(path(store), { query: "row", rerank: true }).expect(200);
    expect(proxy.reranks().at(-1)?.model).toBe("of-the-settings");
    await bare.close();
  });
});
