import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { createStore, errorOf, rowsPath, searchPath } from "../support/stores.js";
import { contents, direction, embedded, litellm, modeStores, query } from "./modeStores.js";

let service: TestService;
const { fill, search, ids } = modeStores(() => service);
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());

const all = ["r0", "r1", "r2", "r3", "r4", "r5", "r6"];

/** The mode that was used, derived from the results. */
async function modeOf(store: string, options: object = {}): Promise<string> {
  const hits = await search(store, options);
  const [by, words] = [hits.some((hit) => hit.vector_rank !== null), hits.some((hit) => hit.keyword_rank !== null)];
  return by && words ? "hybrid" : by ? "vector" : words ? "keyword" : "none";
}

describe("results", () => {
  let store: string;
  beforeAll(async () => {
    store = await fill();
  });

  test("of vector search are in the order of vectors", async () => {
    const hits = await search(store, { search_mode: "vector" });
    expect(hits.map((hit) => hit.id)).toEqual(all);
    expect(hits.map((hit) => hit.vector_rank)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(hits.every((hit) => hit.keyword_rank === null)).toBe(true);
    expect(hits[0]?.score).toBeCloseTo((1 + Math.cos(0.2)) / 2, 5);
  });

  test("of keyword search contain a word of the query, with the code first", async () => {
    const hits = await search(store, { search_mode: "keyword" });
    expect(hits.slice(0, 2).map((hit) => hit.id)).toEqual(["r3", "r1"]);
    expect(hits.map((hit) => hit.id).sort()).toEqual(["r1", "r2", "r3", "r5"]);
    expect(hits.map((hit) => hit.keyword_rank)).toEqual([1, 2, 3, 4]);
    expect(hits.every((hit) => hit.vector_rank === null)).toBe(true);
    expect(hits[0]).toMatchObject({ content: [{ type: "text", text: contents[3] }], metadata: { n: 3, even: false } });
  });

  test("of hybrid search have their ranks in both", async () => {
    const hits = await search(store, { search_mode: "hybrid" });
    const words = await search(store, { search_mode: "keyword" });
    expect(hits.map((hit) => hit.id).sort()).toEqual(all);
    for (const hit of hits) {
      expect(hit.vector_rank).toBe(all.indexOf(hit.id) + 1);
      expect(hit.keyword_rank).toBe(words.find((each) => each.id === hit.id)?.keyword_rank ?? null);
      const share = (rank: number | null) => (rank === null ? 0 : 61 / (60 + rank));
      expect(hit.score).toBeCloseTo((share(hit.vector_rank) + share(hit.keyword_rank)) / 2, 10);
    }
    // Ranks 2 and 2; ranks 4 and 1.
    expect(hits.slice(0, 2).map((hit) => hit.id)).toEqual(["r1", "r3"]);
  });

  test("are weighted as requested", async () => {
    const weighed = (embedding_weight: number, text_weight: number) =>
      ids(store, { search_mode: "hybrid", hybrid_search: { embedding_weight, text_weight } });
    expect(await weighed(0, 1)).toEqual(await ids(store, { search_mode: "keyword" }));
    expect(await weighed(1, 0)).toEqual(all);
    expect((await weighed(0.01, 1))[0]).toBe("r3");
    expect((await weighed(1, 0.01))[0]).toBe("r0");
    const refused = await service
      .post(searchPath(store), { query, ranking_options: { hybrid_search: { embedding_weight: 0, text_weight: 0 } } })
      .expect(400);
    expect(errorOf(refused).param).toBe("ranking_options.hybrid_search");
  });

  test.each([
    ["vector", ["r0", "r2", "r4", "r6"]],
    ["keyword", ["r2"]],
    ["hybrid", ["r0", "r2", "r4", "r6"]],
  ])("of %s search pass the filter", async (mode, expected) => {
    expect((await ids(store, { search_mode: mode }, { filters: { even: true } })).sort()).toEqual(expected);
    expect(await ids(store, { search_mode: mode }, { filters: { even: "true" } })).toEqual([]);
  });

  test.each(["vector", "keyword", "hybrid"])(
    "of %s search are the best ones, at most the requested number",
    async (mode) => {
      const whole = await ids(store, { search_mode: mode });
      for (const count of [1, 2, 3]) {
        expect(await ids(store, { search_mode: mode }, { max_num_results: count })).toEqual(whole.slice(0, count));
      }
    },
  );

  test.each(["vector", "keyword", "hybrid"])("of %s search reach the threshold", async (mode) => {
    const whole = await search(store, { search_mode: mode });
    const third = whole[2]?.score ?? 1;
    const above = await ids(store, { search_mode: mode, score_threshold: third });
    expect(above).toEqual(whole.filter((hit) => hit.score >= third).map((hit) => hit.id));
    expect(above.length).toBeLessThan(whole.length);
  });

  test.each(["vector", "keyword", "hybrid"])(
    "of %s search for several queries appear once, with their best score",
    async (mode) => {
      const [one, other] = [
        await search(store, { search_mode: mode }, {}, "E-4711"),
        await search(store, { search_mode: mode }, {}, "kettle"),
      ];
      const both = await search(store, { search_mode: mode }, {}, ["E-4711", "kettle"]);
      expect(new Set(both.map((hit) => hit.id))).toEqual(new Set([...one, ...other].map((hit) => hit.id)));
      expect(new Set(both.map((hit) => hit.id)).size).toBe(both.length);
      for (const hit of both) {
        const scores = [...one, ...other].filter((each) => each.id === hit.id).map((each) => each.score);
        expect(hit.score).toBe(Math.max(...scores));
      }
    },
  );

  test("of hybrid search are those of one ranking if the other is empty", async () => {
    expect(await ids(store, { search_mode: "hybrid" }, {}, "zzzyx")).toEqual(all);
    expect(await ids(store, { search_mode: "keyword" }, {}, "zzzyx")).toEqual([]);
    const punctuation = await search(store, { search_mode: "hybrid" }, {}, "?! …");
    expect(punctuation.map((hit) => hit.id)).toEqual(all);
    expect(await ids(store, { search_mode: "keyword" }, {}, "?! …")).toEqual([]);
  });

  test.each(["'", "a & b | !c", "<->", "\\", ":*", "kettle:*", "('", "%_", "x".repeat(5000), "東京 & '"])(
    "for the words %j are no error",
    async (text) => {
      for (const mode of ["keyword", "hybrid"]) await search(store, { search_mode: mode }, {}, text);
    },
  );

  test.each(["vector", "keyword", "hybrid"])(
    "of %s search are empty in an empty store, and not after the first row",
    async (mode) => {
      const empty = await createStore(service);
      expect(await search(empty, { search_mode: mode })).toEqual([]);
      await service.post(rowsPath(empty), { content: "a kettle", embedding: direction(1) }).expect(200);
      expect(await search(empty, { search_mode: mode })).toHaveLength(1);
    },
  );
});

describe("the mode", () => {
  test.each([
    [{}, "vector"],
    [{ search_mode: null, ranker: null }, "vector"],
    [{ search_mode: "keyword" }, "keyword"],
    [{ search_mode: "hybrid" }, "hybrid"],
    [{ ranker: "auto" }, "vector"],
    [{ ranker: "none" }, "vector"],
    [{ ranker: "default-2024-11-15" }, "vector"],
    [{ ranker: "keyword" }, "keyword"],
    [{ ranker: "hybrid" }, "hybrid"],
    [{ ranker: "keyword-exact" }, "keyword"],
    [{ ranker: "hybrid-fast" }, "hybrid"],
    [{ ranker: "exact" }, "vector"],
    [{ ranker: "keyword", search_mode: "hybrid" }, "hybrid"],
    [{ hybrid_search: { embedding_weight: 1, text_weight: 1 } }, "vector"],
  ])("of a request with ranking_options %j is %s", async (options, mode) => {
    const store = await fill();
    expect(await modeOf(store, options)).toBe(mode);
    expect(await modeOf(store)).toBe("vector");
  });

  test.each<[object, string]>([
    [{ search_mode: "keyword" }, "keyword"],
    [{ search_mode: "hybrid" }, "hybrid"],
    [{ search_mode: null }, "vector"],
    [{ metadata: { search_mode: "hybrid" } }, "hybrid"],
    [{ metadata: { search_mode: "keyword" } }, "keyword"],
    [{ search_mode: "keyword", metadata: { search_mode: "hybrid" } }, "keyword"],
  ])("of a store created with %j is %s by default", async (body, mode) => {
    const store = await fill(body);
    expect(await modeOf(store)).toBe(mode);
    expect(await modeOf(store, { ranker: "auto" })).toBe(mode);
    for (const other of ["vector", "keyword", "hybrid"])
      expect(await modeOf(store, { search_mode: other })).toBe(other);
  });

  test("of a store can be read, changed and removed", async () => {
    const store = await fill({ metadata: { search_mode: "keyword" } });
    const path = `/v1/vector_stores/${store}`;
    const weights = { embedding_weight: 0.25, text_weight: 1 };
    const set = { search_mode: "hybrid", recall: "exact", language: "english", hybrid_search: weights };
    expect((await service.post(path, set).expect(200)).body).toMatchObject(set);
    expect((await service.get(path).expect(200)).body).toMatchObject(set);
    expect(await modeOf(store)).toBe("hybrid");
    const less = (await service.post(path, { search_mode: null, hybrid_search: null }).expect(200)).body as object;
    expect(less).toMatchObject({ recall: "exact", language: "english" });
    expect(less).not.toHaveProperty("search_mode");
    expect(less).not.toHaveProperty("hybrid_search");
    expect(await modeOf(store)).toBe("keyword");
    await service.post(path, { metadata: null }).expect(200);
    expect(await modeOf(store)).toBe("vector");
  });

  test("keyword calls no model", async () => {
    const store = await fill({ search_mode: "keyword" });
    embedded.length = 0;
    expect(await ids(store, {}, {}, "NOMODEL kettle")).toContain("r2");
    expect(await ids(store, {}, {}, ["NOMODEL kettle", "NOMODEL pump"])).toContain("r0");
    expect(embedded).toEqual([]);
    await service.post(searchPath(store), { query: "NOMODEL", ranking_options: { search_mode: "hybrid" } }).expect(500);
    expect(embedded).toEqual(["NOMODEL"]);
  });

  test("of a store has its weights, which the request overrides", async () => {
    const store = await fill({ search_mode: "hybrid", hybrid_search: { embedding_weight: 0, text_weight: 1 } });
    const words = await ids(store, { search_mode: "keyword" });
    expect(await ids(store)).toEqual(words);
    expect(await ids(store, { hybrid_search: { embedding_weight: 1, text_weight: 0 } })).toEqual(all);
  });
});
