import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseEnv } from "node:util";
import { loadConfig } from "../../src/process/config.js";
import { startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { litellmPgvector, litellmVectorStore, run } from "./fixtures/readmes.js";

const dimensions = 1536;
const key = "your-api-key-of-the-readme";

interface Store {
  id: string;
}
interface Results {
  data: { id: string; score: number; metadata: Record<string, unknown>; content: { type: string; text: string }[] }[];
}

let service: TestService;
beforeAll(async () => {
  // The README's name for the key; the built-in embedder with the README's dimensions.
  service = await startService({
    environment: { SERVER_API_KEY: "", OPENAI_API_KEY: key, EMBEDDING__DIMENSIONS: String(dimensions) },
  });
});
afterAll(() => service.close());

/** Runs a README command as a reader would, and expects success. */
async function ok(command: string, storeId?: string, url = service.url): Promise<unknown> {
  const answer = await run(command, {
    url,
    key,
    dimensions,
    ...(storeId === undefined ? {} : { storeId }),
  });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}
const call = async (method: string, path: string, body?: object, url = service.url) => {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return answer.json();
};

describe("the commands in litellm-pgvector's README", () => {
  test("a created store has the README's fields", async () => {
    expect(await ok(litellmPgvector.createStore)).toEqual(
      expect.objectContaining({
        id: expect.stringMatching(/^vs_/),
        object: "vector_store",
        created_at: expect.any(Number),
        name: "Support FAQ",
        usage_bytes: 0,
        file_counts: { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 },
        status: "completed",
        metadata: {},
      }),
    );
  });

  test("stores are listed, also after a given one", async () => {
    const older = (await ok(litellmPgvector.createStore)) as Store;
    const newer = (await ok(litellmPgvector.createStore)) as Store;
    const all = (await ok(litellmPgvector.listStores)) as { data: Store[] };
    expect(all).toMatchObject({ object: "list", first_id: newer.id, has_more: false });
    expect(all.data.slice(0, 2).map((store) => store.id)).toEqual([newer.id, older.id]);
    const next = (await ok(litellmPgvector.listPage, newer.id)) as { data: Store[] };
    expect(next.data.map((store) => store.id)).toEqual(all.data.slice(1).map((store) => store.id));
  });

  test("embeddings are added one by one and in a batch, counted, and found by both searches", async () => {
    const { id } = (await ok(litellmPgvector.createStore)) as Store;
    expect(await ok(litellmPgvector.addOne, id)).toEqual({
      id: expect.any(String),
      object: "embedding",
      vector_store_id: id,
      content: "Our return policy allows returns within 30 days of purchase.",
      metadata: { category: "returns", source: "faq", id: "return_policy_1" },
      created_at: expect.any(Number),
    });
    const batch = (await ok(litellmPgvector.addBatch, id)) as { data: object[] };
    expect(batch).toMatchObject({ object: "embedding.batch", created: expect.any(Number) });
    expect(batch.data).toMatchObject([
      { object: "embedding", vector_store_id: id, metadata: { category: "returns" } },
      { object: "embedding", vector_store_id: id, content: "Shipping is free for orders over $50." },
    ]);

    const before = (await ok(litellmPgvector.search, id)) as Results;
    expect(before.data).toEqual([]);
    await ok(litellmPgvector.migrateBatch, id);
    const support = (await ok(litellmPgvector.search, id)) as Results;
    expect(support.data).toEqual([
      expect.objectContaining({
        id: expect.any(String),
        score: expect.any(Number),
        metadata: { source_id: "doc_123", category: "support" },
        content: [{ type: "text", text: "Your text content here" }],
      }),
    ]);
    const everything = (await ok(litellmPgvector.searchExample, id)) as Results;
    expect(everything.data).toHaveLength(4);
    expect(everything.data.map((item) => item.metadata.category).toSorted()).toEqual([
      "returns",
      "returns",
      "shipping",
      "support",
    ]);
    const scores = everything.data.map((item) => item.score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(await call("GET", `/v1/vector_stores/${id}`)).toMatchObject({
      file_counts: { completed: 4, total: 4 },
    });
  });

  test("a store for migrated data keeps its metadata", async () => {
    expect(await ok(litellmPgvector.createForMigration)).toMatchObject({
      name: "Migrated Data",
      metadata: { source: "legacy_system" },
    });
  });

  test("the health check needs no key", async () => {
    const answer = (await ok(litellmPgvector.health)) as { timestamp: number };
    expect(answer).toMatchObject({ status: "healthy" });
    expect(Math.abs(answer.timestamp - Date.now() / 1000)).toBeLessThan(60);
  });

  test("its .env file works once the key of the example is replaced, which everybody knows", () => {
    const environment = parseEnv(litellmPgvector.environment);
    expect(environment.OPENAI_API_KEY).toBe("your-api-key-here");
    expect(() => loadConfig(environment)).toThrow(
      /^The settings are not usable:\n {2}- SERVER_API_KEY is the key of an/,
    );
    expect(loadConfig({ ...environment, OPENAI_API_KEY: "sk-own" })).toMatchObject({
      host: "0.0.0.0",
      port: 8000,
      keys: { server: "sk-own" },
      database: {
        url: "postgresql://username:password@localhost:5432/vectordb?schema=public",
        fields: {
          id: "id",
          content: "content",
          metadata: "metadata",
          embedding: "embedding",
          vectorStoreId: "vector_store_id",
          createdAt: "created_at",
        },
      },
      embedding: {
        model: "text-embedding-ada-002",
        baseUrl: "http://localhost:4000",
        apiKey: "sk-1234",
        dimensions: 1536,
      },
    });
  });
});

describe("litellm-vector-store's routes for stores, search and models", () => {
  test("a store is created, listed, retrieved and deleted", async () => {
    const { id } = (await ok(litellmVectorStore.createStore)) as Store;
    const list = (await call("GET", "/v1/vector_stores")) as { data: Store[] };
    expect(list.data[0]).toMatchObject({ id, name: "My Store" });
    expect(await call("GET", `/v1/vector_stores/${id}`)).toMatchObject({ id, name: "My Store" });
    expect(await call("DELETE", `/v1/vector_stores/${id}`)).toMatchObject({ id, deleted: true });
    const left = (await call("GET", "/v1/vector_stores")) as { data: Store[] };
    expect(left.data.map((store) => store.id)).not.toContain(id);
  });

  test("top_k is the number of results, 5 if only rerank is given, in the rerank model's order", async () => {
    const proxy = await startFakeProxy();
    const reranking = await startService({
      environment: { ...proxy.environment, SERVER_API_KEY: "", OPENAI_API_KEY: key },
    });
    const { url } = reranking;
    const { id } = (await ok(litellmVectorStore.createStore, undefined, url)) as Store;
    const embeddings = ["Flask", "Django", "Rails", "FastAPI is a web framework", "Express", "Spring"].map(
      (content) => ({ content }),
    );
    await call("POST", `/v1/vector_stores/${id}/embeddings/batch`, { embeddings }, url);
    const three = (await ok(litellmVectorStore.search, id, url)) as Results;
    expect(three.data).toHaveLength(3);
    expect(three.data[0]?.content).toEqual([{ type: "text", text: "FastAPI is a web framework" }]);
    expect(three).toMatchObject({ reranked: true });
    const five = await call("POST", `/v1/vector_stores/${id}/search`, { query: "What is FastAPI?", rerank: true }, url);
    expect((five as Results).data).toHaveLength(5);
    await reranking.close();
    await proxy[Symbol.asyncDispose]();
  });

  test("models, embedding models and vision models are listed; embeddings are created", async () => {
    const model = { id: expect.any(String), object: "model" };
    expect(await call("GET", "/v1/models")).toMatchObject({ object: "list", data: [model] });
    expect(await call("GET", "/v1/embeddings/models")).toMatchObject({ object: "list", data: [model] });
    expect(await call("GET", "/v1/vision/models")).toMatchObject({ object: "list", data: [] });
    const { data } = (await call("POST", "/v1/embeddings", { input: "What is FastAPI?" })) as {
      data: { embedding: number[] }[];
    };
    expect(data.map((item) => item.embedding.length)).toEqual([dimensions]);
  });
});
