import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { bruteForceIds } from "../support/nearest.js";
import { type TestService, startService } from "../support/service.js";
import { testDimensions } from "../support/settings.js";
import { type Found, batchPath, createStore, errorOf, rowsOf, searchPath, stubLitellm } from "../support/stores.js";
import { testVector } from "../support/vectors.js";

let asked = 0;
const litellm = stubLitellm({
  embedQuery: () => {
    asked += 1;
    return Promise.resolve(Float32Array.from(testVector(1, testDimensions)));
  },
});

let service: TestService;
let store: string;
let hybrid: string;
beforeAll(async () => {
  service = await startService({ litellm });
  const words = ["zebra", "apple"];
  const fill = async (body: object, prefix: string) => {
    const id = await createStore(service, body);
    const embeddings = rowsOf(30, (n) => ({
      id: `${prefix}/${n}`,
      content: `${words[n % 2] ?? ""} ${n}`,
      metadata: { n },
    }));
    await service.post(batchPath(id), { embeddings }).expect(200);
    return id;
  };
  store = await fill({}, "given");
  hybrid = await fill({ search_mode: "hybrid" }, "hybrid");
});
afterAll(() => service.close());
beforeEach(() => {
  asked = 0;
});

interface Answer {
  search_query: string[];
  data: Found[];
  reranked?: boolean;
}
const search = async (id: string, body: object) =>
  (await service.post(searchPath(id), body).expect(200)).body as Answer;
const idsOf = ({ data }: Answer) => data.map((each) => each.id);
const vector = (seed: number) => testVector(seed, testDimensions);
const base64 = (seed: number) => Buffer.from(Float32Array.from(vector(seed)).buffer).toString("base64");

describe("a search by a given vector", () => {
  test.each([
    ["numbers", vector],
    ["base64", base64],
  ])("as %s finds the nearest rows without a model", async (_, form) => {
    for (const seed of [3, 77]) {
      const answer = await search(store, { embedding: form(seed), max_num_results: 7 });
      expect(answer.search_query).toEqual([]);
      expect(idsOf(answer)).toEqual(await bruteForceIds(service, store, seed, 7));
    }
    const filters = { type: "gt", key: "n", value: 20 };
    const answer = await search(store, { embedding: form(3), filters, max_num_results: 7 });
    expect(idsOf(answer)).toEqual(await bruteForceIds(service, store, 3, 7, filters));
    expect(asked).toBe(0);
  });

  test("takes its store's mode only with text; the text is what keywords compare", async () => {
    const alone = await search(hybrid, { embedding: vector(4) });
    expect(idsOf(alone)).toEqual(await bruteForceIds(service, hybrid, 4, 10));
    const both = await search(hybrid, { query: "zebra", embedding: vector(4), max_num_results: 30 });
    expect(both.search_query).toEqual(["zebra"]);
    const ranks = new Map(both.data.map((each) => [each.id, each]));
    const byVector = await bruteForceIds(service, hybrid, 4, 30);
    for (const [i, id] of byVector.entries()) expect(ranks.get(id)?.vector_rank).toBe(i + 1);
    expect(both.data.filter((each) => each.keyword_rank !== null)).toHaveLength(15);
    expect(asked).toBe(0);
  });
});

describe("a search for rows like another", () => {
  test("finds the rows nearest to it, and not itself", async () => {
    for (const id of [store, hybrid]) {
      const prefix = id === store ? "given" : "hybrid";
      const answer = await search(id, { like: `${prefix}/9`, max_num_results: 6 });
      expect(idsOf(answer)).toEqual((await bruteForceIds(service, id, 9, 7)).slice(1));
    }
    const filters = { n: 9 };
    expect((await search(store, { like: "given/9", filters })).data).toEqual([]);
    expect(await search(store, { like: "given/9", max_num_results: 50 })).toMatchObject({ search_query: [] });
    expect(idsOf(await search(store, { like: "given/9", max_num_results: 50 }))).toHaveLength(29);
    expect(asked).toBe(0);
  });

  test("an unknown row, and one of another store, is 404", async () => {
    for (const like of ["none", "hybrid/1"]) {
      const answer = await service.post(searchPath(store), { like }).expect(404);
      expect(errorOf(answer)).toMatchObject({ code: "not_found", param: "like" });
    }
  });
});

const options = (ranking: object) => ({ ranking_options: ranking });
test.each<[string, object, string, RegExp]>([
  ["nothing to search for", {}, "query", /required: a string or an array of strings, unless embedding or like/],
  ["only nulls", { query: null, embedding: null, like: null }, "query", /required/],
  ["like and query", { like: "given/1", query: "x" }, "like", /by itself/],
  ["like and embedding", { like: "given/1", embedding: vector(1) }, "like", /by itself/],
  ["a vector of several texts", { embedding: vector(1), query: ["a", "b"] }, "query", /got several/],
  ["a short vector", { embedding: [1, 2] }, "embedding", /expected 8 numbers, got 2/],
  ["a vector of text", { embedding: ["1"] }, "embedding[0]", /expected a number/],
  ["an empty vector", { embedding: [] }, "embedding", /must not be empty/],
  ["a vector without a direction", { embedding: Array(8).fill(0) }, "embedding", /no direction/],
  ["bad base64", { embedding: "ab!" }, "embedding", /base64/],
  [
    "hybrid without text",
    { embedding: vector(1), ...options({ search_mode: "hybrid" }) },
    "search_mode",
    /give query too/,
  ],
  [
    "keyword with a vector",
    { query: "x", embedding: vector(1), ...options({ ranker: "keyword" }) },
    "search_mode",
    /no vectors/,
  ],
  ["hybrid like a row", { like: "given/1", ...options({ search_mode: "hybrid" }) }, "search_mode", /search by query/],
  ["reranking without text", { embedding: vector(1), rerank: true }, "rerank", /compares texts/],
  ["reranking by a model without text", { like: "given/1", rerank_model: "m" }, "rerank_model", /compares texts/],
  ["rewriting a vector", { embedding: vector(1), query: "x", rewrite_query: true }, "rewrite_query", /leave it out/],
  ["an empty id", { like: "" }, "like", /must not be empty/],
])("%s is 400", async (_, body, param, message) => {
  const answer = await service.post(searchPath(store), body).expect(400);
  expect(errorOf(answer)).toMatchObject({ param, message: expect.stringMatching(message) });
});

test("a store that reranks by default says why it does not", async () => {
  await service.post(`/v1/vector_stores/${hybrid}`, { rerank: true }).expect(200);
  const answer = await service.post(searchPath(hybrid), { like: "hybrid/1" }).expect(200);
  expect(answer.body).toMatchObject({ reranked: false });
  expect(answer.headers["x-vector-store-warning"]).toMatch(/no text/);
});
