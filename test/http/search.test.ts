import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore, rowsOf, rowsPath } from "../support/stores.js";

interface Item {
  id: string;
  file_id: string;
  filename: string;
  score: number;
  attributes: Record<string, unknown> | null;
  metadata: Record<string, unknown> | null;
  content: { type: string; text: string }[];
}
interface Page {
  search_query: string[];
  data: Item[];
}

let service: TestService;
/** A store of 120 rows, more than any request may have. */
let many: string;
beforeAll(async () => {
  service = await startService();
  many = await createStore(service);
  const embeddings = rowsOf(120, (seed) => ({ id: `row-${seed}`, metadata: { seed, even: seed % 2 === 0 } }));
  await service.post(batchPath(many), { embeddings, return: "count" }).expect(200);
});
afterAll(() => service.close());

const answerTo = (store: string, body: object) => service.post(`/v1/vector_stores/${store}/search`, body).expect(200);
const search = async (store: string, body: object) => (await answerTo(store, body)).body as Page;
const idsOf = (page: Page) => page.data.map((each) => each.id).sort();

describe("a store's own number of results", () => {
  const query = "row";
  test("counts for searches that give none, is shown, changed and removed", async () => {
    const store = await createStore(service, { max_num_results: 3 });
    await service.post(batchPath(store), { embeddings: rowsOf(30), return: "count" }).expect(200);
    const path = `/v1/vector_stores/${store}`;
    expect((await service.get(path).expect(200)).body).toMatchObject({ max_num_results: 3 });
    expect((await search(store, { query })).data).toHaveLength(3);
    expect((await search(store, { query, max_num_results: null, return_metadata: true })).data).toHaveLength(3);
    for (const field of ["max_num_results", "limit", "top_k"])
      expect((await search(store, { query, [field]: 7 })).data).toHaveLength(7);
    await service.post(path, { name: "renamed" }).expect(200);
    await service.post(path, { max_num_results: 25 }).expect(200);
    expect((await search(store, { query })).data).toHaveLength(25);
    const removed = await service.post(path, { max_num_results: null }).expect(200);
    expect(removed.body).not.toHaveProperty("max_num_results");
    expect((await search(store, { query })).data).toHaveLength(10);
  });

  test.each([0, 51, 2.5, "5"])("%j is refused", async (count) => {
    for (const path of ["/v1/vector_stores", `/v1/vector_stores/${many}`]) {
      const answer = await service.post(path, { max_num_results: count }).expect(400);
      expect((answer.body as { error: object }).error).toMatchObject({ param: "max_num_results" });
    }
  });
});

describe("how many results", () => {
  const query = "row";
  test.each<[string, object, number]>([
    ["OpenAI's dialect: 10", {}, 10],
    [
      "all fields null, as LiteLLM sends them: 10",
      { filters: null, max_num_results: null, ranking_options: null, rewrite_query: null },
      10,
    ],
    ["litellm-pgvector's dialect: 20", { return_metadata: true }, 20],
    ["also without metadata: 20", { return_metadata: false }, 20],
    ["litellm-vector-store's dialect, here without reranking: 5", { rerank: false }, 5],
    ["with a rerank model: 5", { rerank: false, rerank_model: "m" }, 5],
    ["null does not select a dialect: 10", { rerank: null, rerank_model: null, return_metadata: null }, 10],
    ["rerank before return_metadata: 5", { rerank: false, return_metadata: true }, 5],
    ["max_num_results at most 50", { max_num_results: 50 }, 50],
    ["limit at most 100", { limit: 100 }, 100],
    ["top_k at most 50", { top_k: 50 }, 50],
    ["1 is enough", { limit: 1 }, 1],
    ["max_num_results before limit and top_k", { max_num_results: 3, limit: 4, top_k: 5 }, 3],
    ["limit before top_k", { limit: 4, top_k: 6 }, 4],
    ["null means absent", { max_num_results: null, limit: null, top_k: 6 }, 6],
    ["a number before the default of a dialect", { rerank: false, top_k: 7 }, 7],
  ])("%s", async (_name, body, expected) => {
    expect((await search(many, { query, ...body })).data).toHaveLength(expected);
  });

  test("the page has OpenAI's shape", async () => {
    expect((await answerTo(many, { query, limit: 1 })).body).toEqual({
      object: "vector_store.search_results.page",
      search_query: ["row"],
      data: [expect.any(Object)],
      has_more: true,
      next_page: expect.any(String),
      usage: { prompt_tokens: 0, total_tokens: 0 },
    });
  });
});

describe("the query", () => {
  test("is returned as a list, unchanged", async () => {
    for (const query of ["  spaces kept ", "é\u{1F600}", "a%_\\"]) {
      expect((await search(many, { query })).search_query).toEqual([query]);
      expect((await search(many, { query: [query] })).search_query).toEqual([query]);
    }
    expect((await search(many, { query: ["b", "a", "b"] })).search_query).toEqual(["b", "a", "b"]);
  });

  test("several queries find each one's results: every chunk once with its best score, best first", async () => {
    const store = await createStore(service);
    for (const content of ["red apples", "green pears", "blue plums"]) {
      await service.post(rowsPath(store), { content, id: `${store} ${content}` }).expect(200);
    }
    const [red, green] = [await search(store, { query: "red apples" }), await search(store, { query: "green pears" })];
    const both = await search(store, { query: ["red apples", "green pears"] });
    const best = new Map<string, number>();
    for (const item of [...red.data, ...green.data]) best.set(item.id, Math.max(item.score, best.get(item.id) ?? 0));
    expect(new Map(both.data.map((item) => [item.id, item.score]))).toEqual(best);
    expect(both.data.map((item) => item.score)).toEqual([...best.values()].sort((a, b) => b - a));
    expect(
      both.data
        .slice(0, 2)
        .map((item) => item.content[0]?.text)
        .sort(),
    ).toEqual(["green pears", "red apples"]);
    expect((await search(store, { query: ["red apples", "green pears"], limit: 2 })).data).toHaveLength(2);
  });

  test("rewrite_query changes nothing", async () => {
    expect(await search(many, { query: "row 7", rewrite_query: true })).toEqual(await search(many, { query: "row 7" }));
  });
});

describe("ranking_options", () => {
  test("score_threshold drops lower scores and keeps equal ones", async () => {
    const all = await search(many, { query: "row 7", limit: 100 });
    const scores = all.data.map((item) => item.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const middle = scores[50] ?? 0;
    const page = await search(many, { query: "row 7", limit: 100, ranking_options: { score_threshold: middle } });
    expect(page.data).toEqual(all.data.filter((item) => item.score >= middle));
    expect(page.data.at(-1)?.score).toBe(middle);
    expect((await search(many, { query: "row 7", ranking_options: { score_threshold: 1 } })).data).toEqual([]);
  });

  test.each(["auto", "none", "default-2024-11-15", "default_2024_08_21", null])(
    "ranker %s is accepted",
    async (ranker) => {
      const page = await search(many, { query: "row 7", ranking_options: { ranker, score_threshold: null } });
      expect(page).toEqual(await search(many, { query: "row 7" }));
    },
  );
});

describe("filters", () => {
  test("flat ones require equality, including the type", async () => {
    expect(idsOf(await search(many, { query: "row", filters: { seed: 7 } }))).toEqual(["row-7"]);
    expect(idsOf(await search(many, { query: "row", filters: { seed: "7" } }))).toEqual([]);
    expect(idsOf(await search(many, { query: "row", filters: { seed: 7, even: true } }))).toEqual([]);
    expect(idsOf(await search(many, { query: "row", filters: { seed: 8, even: true } }))).toEqual(["row-8"]);
    expect((await search(many, { query: "row", filters: {} })).data).toHaveLength(10);
  });

  test("OpenAI's are applied before the limit", async () => {
    const filters = {
      type: "and",
      filters: [
        { type: "eq", key: "even", value: true },
        {
          type: "or",
          filters: [
            { type: "lte", key: "seed", value: 4 },
            { type: "in", key: "seed", value: [9, 10] },
          ],
        },
      ],
    };
    expect(idsOf(await search(many, { query: "row 100", filters, max_num_results: 3 }))).toEqual([
      "row-10",
      "row-2",
      "row-4",
    ]);
  });

  test('a metadata key may be called "type", "key" or "filters"', async () => {
    const store = await createStore(service);
    const metadata = { type: "invoice", key: "k", filters: true };
    await service.post(rowsPath(store), { content: "x", id: `${store} a`, metadata }).expect(200);
    await service.post(rowsPath(store), { content: "x", id: `${store} b`, metadata: { type: "letter" } }).expect(200);
    const found = async (filters: object) => idsOf(await search(store, { query: "x", filters }));
    for (const filters of [
      { type: "invoice" },
      { key: "k" },
      { filters: true },
      { type: "eq", key: "type", value: "invoice" },
    ]) {
      expect(await found(filters)).toEqual([`${store} a`]);
    }
    expect(await found({ type: "ne", key: "type", value: "invoice" })).toEqual([`${store} b`]);
  });
});

describe("the store's id in the URL", () => {
  test("may be percent-encoded, as LiteLLM sends it, and any text from an adopted database", async () => {
    for (const id of ["team/a b?#%", "é\u{1F600}", "'; DROP TABLE embeddings; --", "a+b&c=d"]) {
      await service.database.query("INSERT INTO vector_stores (id, name) VALUES ($1, 'adopted')", [id]);
      await service.post(rowsPath(encodeURIComponent(id)), rowsOf(1)[0]).expect(200);
      const encoded = [...Buffer.from(id)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
      for (const path of [encodeURIComponent(id), encoded]) {
        const page = await search(path, { query: "x" });
        expect(page.data).toHaveLength(1);
      }
      expect((await service.get(`/v1/vector_stores/${encoded}`).expect(200)).body).toMatchObject({
        id,
        usage_bytes: 5,
      });
    }
  });

  test("works under every prefix", async () => {
    for (const prefix of ["", "/v1", "/v1/v1"]) {
      const answer = await service.post(`${prefix}/vector_stores/${many}/search`, { query: "row" }).expect(200);
      expect((answer.body as Page).data).toHaveLength(10);
    }
  });
});
