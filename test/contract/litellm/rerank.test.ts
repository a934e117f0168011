import { beforeAll, describe, expect, test } from "@jest/globals";
import {
  type Page,
  facts,
  failure,
  fill,
  fillMisplaced,
  providerCalls,
  proxy,
  search,
  sidecar,
  storeIds,
  texts,
} from "./support.js";
import { through, unheard, cat, createStore, direct, expectReranked } from "./answersSupport.js";

describe("a search with misleading vectors", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "misplaced" });
    await fillMisplaced(storeId);
  });

  test("finds the wrong sentences without a rerank model", async () => {
    for (const [i, { question }] of facts.entries()) {
      const page = await direct(storeId, { query: question });
      expect(texts(page)[0]).toBe(facts[(i + 1) % facts.length]?.text);
      expect(page.reranked).toBeUndefined();
      expect(page.data[0]?.vector_score).toBeUndefined();
    }
  });

  test.each([
    ["rerank, with the proxy's rerank model", { rerank: true }],
    ["rerank_model", { rerank_model: "rerank" }],
    ["rerank_model auto", { rerank_model: "auto" }],
    ["rerank required", { rerank: "required" }],
    ["ranking_options.rerank", { ranking_options: { rerank: true } }],
    ["ranking_options.ranker", { ranking_options: { ranker: "rerank" } }],
  ])("finds the right one first with %s", async (_, wish) => {
    for (const { question, text } of facts) {
      expectReranked(await direct(storeId, { query: question, max_num_results: 3, ...wish }), text);
    }
  });

  test.each([
    ["ranker", { ranker: "rerank" }],
    ["rerank", { rerank: true }],
    ["rerank_model", { rerank_model: "rerank" }],
  ])("finds it through LiteLLM too, which passes on ranking_options.%s", async (_, options) => {
    for (const { question, text } of facts) {
      const body = { ...through, query: question, max_num_results: 3, ranking_options: options };
      expectReranked(await search(storeId, body), text);
    }
  });

  test("many users at once each get their own order", async () => {
    const asked = Array.from({ length: 18 }, (_, i) => facts[i % facts.length] ?? facts[0]);
    const pages = await Promise.all(
      asked.map(({ question }) => direct(storeId, { query: question, rerank: true, rerank_candidates: 6, top_k: 1 })),
    );
    expect(pages.map((page) => texts(page)[0])).toEqual(asked.map(({ text }) => text));
  });
});

describe("a registered store created through LiteLLM with rerank_model in its metadata", () => {
  const storeId = storeIds.reranked;
  beforeAll(() => fillMisplaced(storeId));

  test("is always reranked, unless the search says otherwise", async () => {
    const query = cat.question;
    expectReranked(await search(storeId, { query, max_num_results: 3 }), cat.text);
    const plain = await search(storeId, { query, ranking_options: { ranker: "none" } });
    expect(texts(plain)[0]).not.toBe(cat.text);
    expect(plain.reranked).toBeUndefined();
  });

  test("gives LiteLLM's chat the right context first", async () => {
    const messages = [{ role: "user", content: cat.question }];
    const body = { model: "upstream-chat", messages, vector_store_ids: [storeId] };
    const answer = await proxy.post<{ choices: { message: { content: string } }[] }>("/chat/completions", { body });
    expect(answer.choices[0]?.message.content).toContain(`Context:\\n\\n${cat.text}`);
  });

  test("is reranked by the store and by LiteLLM in /v1/rag/query with `rerank`", async () => {
    const body = {
      model: "upstream-chat",
      messages: [{ role: "user", content: cat.question }],
      retrieval_config: { vector_store_id: storeId, ...through, top_k: 3 },
      rerank: { enabled: true, model: "hosted_vllm/rerank", top_n: 1 },
    };
    const answer = await proxy.post<{ choices: { message: { content: string } }[] }>("/rag/query", { body });
    const content = answer.choices[0]?.message.content ?? "";
    expect(facts.filter(({ text }) => content.includes(text))).toEqual([cat]);
  });
});

test("a search through LiteLLM with rewrite_query has CHAT_MODEL rewrite the query", async () => {
  const storeId = await createStore({ name: "rewritten" });
  await fill(storeId);
  const query = unheard(cat.question);
  const page = await search(storeId, { ...through, query, rewrite_query: true });
  expect(page.search_query).toEqual([query]);
  expect(texts(page)[0]).toBe(cat.text);
  expect(await providerCalls(query)).toMatchObject([{ model: "gpt-4o-mini", said: query, state: "complete" }]);
});

interface Reranked {
  results: {
    index: number;
    relevance_score: number;
    document?: { text: string };
    id?: string;
    vector_score?: number;
  }[];
}

const rerank = (body: object) => sidecar.post<Reranked>("/rerank", { body });

describe("POST /v1/rerank", () => {
  const documents = facts.map(({ text }) => text);

  test("of documents answers like the proxy, and chooses a model if none is named", async () => {
    for (const { question, text } of facts) {
      const body = { query: question, documents, top_n: 4 };
      const ours = await rerank(body);
      expect(ours.results).toEqual(
        (await proxy.post<Reranked>("/rerank", { body: { model: "rerank", ...body } })).results,
      );
      expect(ours.results).toHaveLength(4);
      expect(documents[ours.results[0]?.index ?? -1]).toBe(text);
    }
  });

  test("passes on unknown fields, and documents that are objects", async () => {
    const objects = documents.map((text) => ({ text }));
    const { results } = await rerank({
      model: "rerank",
      query: cat.question,
      documents: objects,
      return_documents: true,
    });
    expect(results).toHaveLength(documents.length);
    expect(results[0]?.document).toEqual({ text: cat.text });
  });

  test("of a vector store answers with its chunks and their places in the search", async () => {
    const storeId = await createStore({ name: "rerank" });
    await fillMisplaced(storeId);
    const { results } = await rerank({ query: cat.question, vector_store_id: storeId });
    expect(results[0]).toMatchObject({ document: { text: cat.text }, id: `${storeId}:4` });
    expect(results[0]?.index).not.toBe(0);
    expect(results.map(({ index }) => index).toSorted()).toEqual([...facts.keys()]);
    const scores = results.map((each) => each.relevance_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const before = results.toSorted((a, b) => a.index - b.index).map((each) => each.vector_score ?? NaN);
    expect(before).toEqual(before.toSorted((a, b) => b - a));
    const filters = { type: "eq", key: "public", value: false };
    const few = await rerank({ query: cat.question, vector_store_id: storeId, top_n: 1, filters });
    expect(few.results.map(({ document }) => document?.text)).toEqual([cat.text]);
  });
});

describe("a rerank model that fails", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "failing" });
    await fill(storeId);
  });
  const documents = ["a", "b"];

  test.each([
    ["rerank_model", { rerank_model: "no-such-model" }],
    ["ranking_options.rerank_model", { ranking_options: { rerank_model: "no-such-model" } }],
    ["ranking_options.ranker", { ranking_options: { ranker: "no-such-model" } }],
  ])("is the caller's error if the proxy lacks the one in %s", async (param, wish) => {
    const refused = await failure(direct(storeId, { query: "x", ...wish }));
    expect(refused).toMatchObject({ status: 400, param, message: expect.stringContaining("no-such-model") });
    if (!("rerank_model" in wish)) {
      const { status, message } = await failure(search(storeId, { ...through, query: "x", ...wish }));
      expect(status).toBe(400);
      expect(message).toContain(param);
    }
  });

  test.each([["documents"], ["vector_store_id"]])("is an error in /v1/rerank of %s, too", async (what) => {
    const body = {
      model: "no-such-model",
      query: "x",
      ...(what === "documents" ? { documents } : { [what]: storeId }),
    };
    const refused = await failure(rerank(body));
    expect(refused).toMatchObject({ status: 400, param: "model", message: expect.stringContaining("no-such-model") });
  });

  test.each(["broken-rerank", "overloaded-rerank"])("leaves the search's order, and says so: %s", async (model) => {
    const body = { query: cat.question, rerank_model: model };
    const { data, response } = await sidecar.post<Page>(`/vector_stores/${storeId}/search`, { body }).withResponse();
    expect(texts(data)[0]).toBe(cat.text);
    expect(data.reranked).toBe(false);
    expect(response.headers.get("x-vector-store-warning")).toMatch(/^not reranked: /);
    expect(response.headers.get("x-vector-store-warning")).not.toMatch(/worker 7|\.py|Traceback/);
  });

  test.each(["broken-rerank", "overloaded-rerank"])("is 502 if reranking is required: %s", async (model) => {
    const required = failure(direct(storeId, { query: "x", rerank: "required", rerank_model: model }));
    expect(await required).toMatchObject({ status: 502, code: "rerank_failed" });
    const ofStore = failure(rerank({ model, query: "x", vector_store_id: storeId }));
    expect(await ofStore).toMatchObject({ status: 502, code: "rerank_failed" });
  });

  test("is 429 or 502 for the caller's own texts", async () => {
    const overloaded = await failure(rerank({ model: "overloaded-rerank", query: "x", documents }));
    expect(overloaded).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    const broken = await failure(rerank({ model: "broken-rerank", query: "x", documents }));
    expect(broken).toMatchObject({ status: 502, code: "bad_gateway" });
    expect(broken.message).not.toContain("worker 7");
  });
});
