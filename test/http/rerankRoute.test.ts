import { describe, expect, test } from "@jest/globals";
import { startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { texts, proxy, service, id, path, page, refusal } from "./rerankSupport.js";

describe("POST /v1/rerank", () => {
  test("passes documents on and answers like the proxy", async () => {
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

  test.each(["/v2/rerank", "/v1/v2/rerank"])("%s takes Cohere's v2 requests", async (url) => {
    // As LiteLLM's client for Cohere's v2 sends it, with null for what its caller left out.
    const body = { model: "mine", query: "cat", documents: ["a dog", "a cat"], top_n: 1, max_tokens_per_doc: 64 };
    const answer = await service.post(url, { ...body, rank_fields: null, return_documents: null }).expect(200);
    expect(answer.body).toMatchObject({ id: "r1", results: [{ index: 1, relevance_score: 1 }, {}], meta: {} });
    expect(proxy.reranks().at(-1)).toMatchObject(body);
    const found = await service.post(url, { vector_store_id: id, query: "cat on the printer", top_n: 2 }).expect(200);
    expect(found.body).toMatchObject({ results: [{ relevance_score: expect.any(Number), id: `${id}-0` }, {}] });
    await service.post(url, { query: "cat" }).expect(400);
  });

  test("accepts a store instead of documents", async () => {
    const answer = await service
      .post("/v1/rerank", { vector_store_id: id, query: "cat on the printer", top_n: 2 })
      .expect(200);
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
  ])("passes on a refusal with its status %d", async (status, message) => {
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

  test("the rerank models are listed", async () => {
    const answer = await service.get("/v1/rerank/models").expect(200);
    expect((answer.body as { data: { id: string }[] }).data.map((each) => each.id)).toEqual(["rerank"]);
  });
});

describe("rewrite_query", () => {
  test("rewrites the query with CHAT_MODEL, and is off without one", async () => {
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
    // Each page would be of another query.
    const refused = await rewriting.post(path(store), { query: "cats", rewrite_query: true, offset: 1 }).expect(400);
    expect((refused.body as { error: object }).error).toMatchObject({
      param: "offset",
      message: expect.stringMatching(/search_query/),
    });
    expect((await ask({ query: ["a", "b"] })).body).toMatchObject({ search_query: ["office cats", "office cats"] });
    // A model that fails, or does not answer with a query, leaves the query unchanged.
    for (const answer of [
      refusal(500, "boom"),
      { json: { choices: [{ message: { content: "" } }] } },
      { json: { choices: [{ message: { content: "x".repeat(3000) } }] } },
    ]) {
      proxy.answers.chat = () => answer;
      const plain = await ask({ query: "cats" });
      expect(plain.body).toMatchObject({ search_query: ["cats"] });
    }
    proxy.answers.chat = () => refusal(500, "boom");
    expect((await ask({})).headers["x-vector-store-warning"]).toMatch(/not rewritten: The chat model/);
    await rewriting.close();
  });
});
