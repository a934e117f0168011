import { describe, expect, test } from "@jest/globals";
import type { Answer } from "../litellm/support.js";
import { startFakeProxy } from "../support/fakeProxy.js";
import { startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";
import { proxy, service, id, path, search, page, refusal } from "./rerankSupport.js";

describe("a reranker that fails", () => {
  const failures: [string, Answer, RegExp][] = [
    ["401", refusal(401, "no such key"), /own key/],
    ["422 over budget", { status: 422, json: { error: { message: "spent", type: "budget_exceeded", param: null, code: "422" } } }, /budget for reranking/], // prettier-ignore
    ["429", refusal(429, "slow down"), /slow down|rate limit/],
    ["500", refusal(500, "boom"), /failed \(HTTP 500\)/],
    ["JSON that is not a ranking", { json: { data: [] } }, /not a list of results/],
    ["text that is not JSON", { text: "<html>" }, /not a list of results|not JSON/],
    ["unknown documents", { json: { results: [{ index: 99, relevance_score: 1 }] } }, /not given/],
    ["a cut connection", "drop", /cannot be reached/],
  ];
  test.each(failures)("with %s leaves the search's order, and says so", async (_, answer, sentence) => {
    const query = "printers and cats";
    // Only the first search of a query pays for its embedding, which `usage` shows.
    await page({ query });
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

  test("by being slow: the time limit is a setting", async () => {
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
  ])("%d for a model that the caller named is the caller's error", async (status, message) => {
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
    // For a model from the settings, it is not the caller's error.
    expect((await search({ rerank: true }).expect(200)).body).toMatchObject({ reranked: false });
  });

  test("no connection is held meanwhile, and a client that disconnects cancels the call", async () => {
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
