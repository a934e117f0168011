import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import OpenAI from "openai";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { collect } from "./sdk.js";

/** The unmodified `openai` package from npm, with only the server's address and the key set. */
let service: TestService;
let client: OpenAI;
/** Enough dimensions for the built-in embedder to tell the rows' words apart. */
const dimensions = 256;

beforeAll(async () => {
  service = await startService({ environment: { EMBEDDING__DIMENSIONS: String(dimensions) } });
  client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: testKey });
});
afterAll(() => service.close());

describe("search through the openai package", () => {
  const rows = [
    { content: "red apples grow on trees", metadata: { kind: "fruit", price: 3, organic: true } },
    { content: "green pears grow on trees", metadata: { kind: "fruit", price: 5, organic: false } },
    { content: "blue whales swim in the sea", metadata: { kind: "animal", price: 900 } },
  ];
  let id: string;
  beforeAll(async () => {
    id = (await client.vectorStores.create({ name: "shop" })).id;
    await client.post(`/vector_stores/${id}/embeddings/batch`, { body: { embeddings: rows } });
  });
  const texts = async (body: OpenAI.VectorStoreSearchParams) =>
    (await collect(client.vectorStores.search(id, body))).map((item) => item.content[0]?.text ?? "");

  test("items match the package's types, best first", async () => {
    const page = await client.vectorStores.search(id, { query: "whales in the sea", max_num_results: 2 });
    expect(page.object).toBe("vector_store.search_results.page");
    expect(page.hasNextPage()).toBe(false);
    expect(page.data).toHaveLength(2);
    const [best, second] = page.data;
    expect(best).toMatchObject({
      file_id: expect.any(String),
      filename: expect.any(String),
      attributes: { kind: "animal", price: 900 },
      content: [{ type: "text", text: "blue whales swim in the sea" }],
    });
    expect(best?.score).toBeGreaterThan(second?.score ?? 1);
    expect(best?.score).toBeLessThanOrEqual(1);
    expect(second?.score).toBeGreaterThanOrEqual(0);
  });

  test("filters of both kinds, typed and nested", async () => {
    const query = "grow on trees";
    const apples = rows[0]?.content ?? "";
    const pears = rows[1]?.content ?? "";
    const whales = rows[2]?.content ?? "";
    const found = async (filters: OpenAI.VectorStoreSearchParams["filters"]) =>
      (await texts({ query, filters })).toSorted();
    expect(await found({ type: "eq", key: "kind", value: "fruit" })).toEqual([pears, apples].toSorted());
    expect(await found({ type: "eq", key: "organic", value: true })).toEqual([apples]);
    expect(await found({ type: "eq", key: "price", value: "3" })).toEqual([]);
    expect(await found({ type: "gte", key: "price", value: 5 })).toEqual([whales, pears].toSorted());
    expect(await found({ type: "in", key: "kind", value: ["animal", "stone"] })).toEqual([whales]);
    expect(await found({ type: "nin", key: "kind", value: ["animal"] })).toEqual([pears, apples].toSorted());
    expect(
      await found({
        type: "and",
        filters: [
          { type: "eq", key: "kind", value: "fruit" },
          {
            type: "or",
            filters: [
              { type: "lt", key: "price", value: 4 },
              { type: "eq", key: "kind", value: "animal" },
            ],
          },
        ],
      }),
    ).toEqual([apples]);
  });

  test("several queries at once, a threshold, and query rewriting", async () => {
    expect(await texts({ query: ["red apples", "blue whales"], max_num_results: 2 })).toEqual(
      expect.arrayContaining([rows[0]?.content, rows[2]?.content]),
    );
    const page = await client.vectorStores.search(id, { query: "red apples grow on trees", rewrite_query: true });
    const [best, second] = page.data;
    expect(best?.score).toBeCloseTo(1, 5);
    const threshold = ((best?.score ?? 0) + (second?.score ?? 0)) / 2;
    expect(
      await texts({
        query: "red apples grow on trees",
        ranking_options: { ranker: "default-2024-11-15", score_threshold: threshold },
      }),
    ).toEqual([rows[0]?.content]);
  });

  test("a search moves last_active_at and the expiry", async () => {
    const store = await client.vectorStores.create({ expires_after: { anchor: "last_active_at", days: 1 } });
    service.advance(3_600_000);
    await client.vectorStores.search(store.id, { query: "anything" });
    const used = await client.vectorStores.retrieve(store.id);
    expect(used.last_active_at).toBeGreaterThanOrEqual((store.last_active_at ?? Infinity) + 3600);
    expect(used.expires_at).toBe((used.last_active_at ?? 0) + 86_400);
  });
});

describe("models and embeddings through the openai package", () => {
  test("models.list", async () => {
    const models = await collect(client.models.list());
    expect(models.length).toBeGreaterThan(0);
    for (const model of models) {
      expect(model).toMatchObject({ id: expect.any(String), object: "model", created: expect.any(Number) });
    }
  });

  test("embeddings.create works with base64, the package's default, and with plain numbers", async () => {
    const input = ["red apples", "blue whales"];
    const asDefault = await client.embeddings.create({ model: service.config.embedding.model, input });
    const asFloat = await client.embeddings.create({
      model: service.config.embedding.model,
      input,
      encoding_format: "float",
    });
    const asBase64 = await client.embeddings.create({
      model: service.config.embedding.model,
      input,
      encoding_format: "base64",
    });
    expect(asDefault.data.map((item) => item.index)).toEqual([0, 1]);
    expect(asDefault.data.map((item) => item.embedding.length)).toEqual([dimensions, dimensions]);
    expect(asDefault.data[0]?.embedding).not.toEqual(asDefault.data[1]?.embedding);
    for (const i of [0, 1]) {
      const numbers = asFloat.data[i]?.embedding ?? [];
      expect(asDefault.data[i]?.embedding).toEqual(numbers.map(Math.fround));
      // If asked for base64 by name, the package passes it on undecoded; its type says number[].
      const text: unknown = asBase64.data[i]?.embedding;
      expect(text).toBe(Buffer.from(Float32Array.from(numbers).buffer).toString("base64"));
    }
    expect(asDefault.usage.total_tokens).toBeGreaterThan(0);
  });
});
