import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type TestService, startService } from "../support/service.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface StoreBody {
  id: string;
  [key: string]: unknown;
}
const create = async (body: object = {}) =>
  (await service.post("/v1/vector_stores", body).expect(200)).body as StoreBody;

describe("vector stores", () => {
  test("a new store has OpenAI's shape", async () => {
    const store = await create({ name: "Support FAQ", metadata: { team: "a", tier: 2, open: true } });
    expect(store).toEqual({
      id: expect.stringMatching(/^vs_[0-9a-f]{32}$/),
      object: "vector_store",
      embedding_model: "built-in-hashing",
      embedding_dimensions: 8,
      index: { state: "none", keywords: "off" },
      created_at: expect.any(Number),
      name: "Support FAQ",
      usage_bytes: 0,
      file_counts: { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 },
      status: "completed",
      expires_at: null,
      last_active_at: store.created_at,
      metadata: { team: "a", tier: 2, open: true },
    });
    expect(Math.abs((store.created_at as number) - Date.now() / 1000)).toBeLessThan(5);
  });

  test('LiteLLM\'s nulls count as absent, and an unnamed store has the name ""', async () => {
    const nulls = { name: null, file_ids: null, expires_after: null, chunking_strategy: null, metadata: null };
    expect(await create(nulls)).toMatchObject({ name: "", metadata: {} });
  });

  test("the body is optional", async () => {
    const answer = await service.post("/v1/vector_stores").send(undefined);
    expect(answer.status).toBe(200);
  });

  test("retrieve, update, delete under every prefix", async () => {
    const { id } = await create({ name: "a" });
    for (const prefix of ["", "/v1", "/v1/v1"]) {
      expect((await service.get(`${prefix}/vector_stores/${id}`).expect(200)).body).toMatchObject({ id });
    }
    const updated = await service.post(`/v1/vector_stores/${id}`, { name: "b", metadata: { k: "v" } }).expect(200);
    expect(updated.body).toMatchObject({ id, name: "b", metadata: { k: "v" } });
    const unchanged = await service.post(`/v1/vector_stores/${id}`, { name: null }).expect(200);
    expect(unchanged.body).toMatchObject({ id, name: "b", metadata: { k: "v" } });
    const cleared = await service.post(`/v1/vector_stores/${id}`, { metadata: null }).expect(200);
    expect(cleared.body).toMatchObject({ name: "b", metadata: {} });
    const deleted = await service.delete(`/v1/vector_stores/${id}`).expect(200);
    expect(deleted.body).toEqual({ id, object: "vector_store.deleted", deleted: true });
    const gone = await service.get(`/v1/vector_stores/${id}`).expect(404);
    expect(gone.body).toEqual({
      error: {
        message: `No vector store found with id '${id}'.`,
        type: "invalid_request_error",
        param: "vector_store_id",
        code: "not_found",
      },
    });
    await service.delete(`/v1/vector_stores/${id}`).expect(404);
  });

  test("an invalid id is 400, after the lookup", async () => {
    const answer = await service.get("/v1/vector_stores/abc123").expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({ param: "vector_store_id", code: "invalid_value" });
    await service.get("/v1/vector_stores/09beee6f-ed62-47c6-a161-dea9018a5a40").expect(404);
    await service.get("/v1/vector_stores/vs_%00").expect(400);
    await service.get("/v1/vector_stores/vs_%E0%A4%A").expect(400);
  });

  test("file_counts and usage_bytes follow the rows", async () => {
    const { id } = await create();
    const rows = ["é", "two"].map((content, i) => ({ content, embedding: testVector(i + 1, testDimensions) }));
    await service.post(`/v1/vector_stores/${id}/embeddings/batch`, { embeddings: rows }).expect(200);
    expect((await service.get(`/v1/vector_stores/${id}`)).body).toMatchObject({
      usage_bytes: 5,
      file_counts: { completed: 2, total: 2 },
    });
    await service.delete(`/v1/vector_stores/${id}/embeddings`, { all: true }).expect(200);
    expect((await service.get(`/v1/vector_stores/${id}`)).body).toMatchObject({
      usage_bytes: 0,
      file_counts: { completed: 0, total: 0 },
    });
  });
});

describe("expiry", () => {
  const day = 86_400_000;

  test("use extends the expiry; an expired store refuses search and writes, and an update brings it back", async () => {
    const store = await create({ expires_after: { anchor: "last_active_at", days: 1 } });
    expect(store.expires_at).toBe((store.last_active_at as number) + 86_400);
    service.advance(day / 2);
    await service.post(`/v1/vector_stores/${store.id}/search`, { query: "x" }).expect(200);
    const used = (await service.get(`/v1/vector_stores/${store.id}`)).body as StoreBody;
    expect(used.last_active_at as number).toBeGreaterThanOrEqual((store.last_active_at as number) + 43_200);
    expect(used.expires_at).toBe((used.last_active_at as number) + 86_400);

    service.advance(day + 1000);
    expect((await service.get(`/v1/vector_stores/${store.id}`)).body).toMatchObject({ status: "expired" });
    for (const refused of [
      service.post(`/v1/vector_stores/${store.id}/search`, { query: "x" }),
      service.post(`/v1/vector_stores/${store.id}/embeddings`, {
        content: "x",
        embedding: testVector(1, testDimensions),
      }),
    ]) {
      expect((await refused.expect(400)).body).toMatchObject({ error: { code: "vector_store_expired" } });
    }
    const revived = await service.post(`/v1/vector_stores/${store.id}`, { expires_after: null }).expect(200);
    expect(revived.body).toMatchObject({ status: "completed", expires_at: null });
  });
});
