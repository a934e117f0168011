import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { readHealth } from "../../src/core/status/health.js";
import { writePage } from "../../src/core/transfer/writePage.js";
import type { Records } from "../../src/engines/engine.js";
import { toNetworkOrder } from "../../src/numbers/float32.js";
import { createMemoryEngine } from "../support/memoryEngine/engine.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import {
  batchPath,
  countsOf,
  createStore,
  errorOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  searchPath,
  searchStore,
  settle,
  storedRows,
} from "../support/stores.js";

/*
 * The use cases on an engine that is not the database: they use only the contract, and refuse what the engine cannot
 * do.
 */

let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: { EMBEDDING__DIMENSIONS: "8" } });
  const { db, now } = service.deps;
  service.deps.engine = createMemoryEngine({ db, now, without: ["nin"], keywords: false });
});
afterAll(() => service.close());

async function putFile(store: string, text: string, name: string, fields: Record<string, string> = {}) {
  const sent = request(service.url).post(`/v1/vector_stores/${store}/upload`).set("authorization", `Bearer ${testKey}`);
  for (const [field, value] of Object.entries(fields)) void sent.field(field, value);
  return (await sent.attach("file", Buffer.from(text), name).expect(200)).body as { id: string; status: string };
}

describe("the use cases on another engine", () => {
  test("rows are stored, repeated, found, listed, filtered and removed, and the database has none of them", async () => {
    const store = await createStore(service);
    const rows = rowsOf(20, (seed) => ({ id: `r${String(seed).padStart(2, "0")}`, metadata: { seed } }));
    for (const duplicates of [0, 20]) {
      const answer = await service.post(batchPath(store), { embeddings: rows }).expect(200);
      expect(answer.body).toMatchObject({ count: 20, duplicates });
    }
    expect(await countsOf(service, store)).toMatchObject({ rows: 20 });
    expect(await rowsInTable(service)).toBe(0);
    expect((await storedRows(service, store)).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));

    const filters = { type: "gte", key: "seed", value: 18 };
    const found = await searchStore(service, store, "anything", { filters, max_num_results: 50 });
    expect(found.map(({ id }) => id).sort()).toEqual(["r18", "r19", "r20"]);

    await service.delete(rowsPath(store), { filters }).expect(200);
    expect(await countsOf(service, store)).toMatchObject({ rows: 17 });
    await service.post(batchPath(store), { embeddings: [{ ...rows[0], content: "other" }] }).expect(409);
    await service.delete(`/v1/vector_stores/${store}`).expect(200);
    await service.get(`/v1/vector_stores/${store}`).expect(404);
  });

  test("documents are ingested, found, replaced and detached", async () => {
    const store = await createStore(service);
    const old = await putFile(store, "The harbour opens at six.", "hours.txt");
    expect(old.status).toBe("completed");
    expect((await searchStore(service, store, "harbour six"))[0]?.content[0]?.text).toBe("The harbour opens at six.");
    const fresh = await putFile(store, "The harbour opens at seven.", "hours.txt", { replace: "true" });
    expect((await searchStore(service, store, "harbour")).map((each) => each.content[0]?.text)).toEqual([
      "The harbour opens at seven.",
    ]);
    await service.get(`/v1/vector_stores/${store}/files/${old.id}`).expect(404);
    await service.delete(`/v1/vector_stores/${store}/files/${fresh.id}`).expect(200);
    expect(await searchStore(service, store, "harbour")).toEqual([]);
    expect(await rowsInTable(service)).toBe(0);
  });

  test("an operator that the engine lacks is refused by search, list and removal, at any depth", async () => {
    const store = await createStore(service);
    await service.post(batchPath(store), { embeddings: rowsOf(3) }).expect(200);
    const nin = { type: "nin", key: "a", value: [1] };
    for (const filters of [nin, { type: "and", filters: [{ type: "eq", key: "b", value: 1 }, nin] }]) {
      const refused = [
        await service.post(searchPath(store), { query: "x", filters }),
        await service.delete(rowsPath(store), { filters }),
      ];
      for (const answer of refused) {
        expect(answer.status).toBe(400);
        expect(errorOf(answer)).toMatchObject({ param: "filters", code: "unsupported_operator" });
        expect(errorOf(answer).message).toContain("'memory'");
      }
    }
    expect(await countsOf(service, store)).toMatchObject({ rows: 3 });
  });

  test.each(["keyword", "hybrid"])("%s search, which the engine lacks, is refused", async (mode) => {
    const store = await createStore(service);
    await service.post(batchPath(store), { embeddings: rowsOf(3) }).expect(200);
    const answer = await service.post(searchPath(store), { query: "row", ranking_options: { search_mode: mode } });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ param: "search_mode", code: "unsupported_search_mode" });
  });

  test("more dimensions than the engine takes are refused, and in metadata not used", async () => {
    const answer = await service.post("/v1/vector_stores", { embedding_dimensions: 4097 }).expect(400);
    expect(errorOf(answer)).toMatchObject({
      param: "embedding_dimensions",
      code: "invalid_value",
      message: "embedding_dimensions: must be at most 4096",
    });
    const metadata = { embedding_dimensions: "4097", search_mode: "hybrid" };
    const made = await service.post("/v1/vector_stores", { metadata }).expect(200);
    expect(made.body).toMatchObject({
      warnings: [
        expect.stringMatching(/^metadata\.embedding_dimensions "4097" is not used: the store's vectors have \d+ dim/),
        'metadata.search_mode "hybrid" is not used: expected one of vector',
      ],
    });
    // The engine has no words: the store is searched by vectors.
    await service.post(searchPath((made.body as { id: string }).id), { query: "row" }).expect(200);
  });

  test("the engine's limits, not pgvector's, say which vectors are too short or too long", async () => {
    const store = await createStore(service);
    const insert = (embedding: number[]) => service.post(rowsPath(store), { id: "v", content: "c", embedding });
    await insert(Array.from({ length: 8 }, () => 1e-20)).expect(200);
    expect(await searchStore(service, store, "c")).toMatchObject([{ id: "v" }]);
    const answer = await insert(Array.from({ length: 8 }, () => 0)).expect(400);
    expect(errorOf(answer).message).toContain("all numbers are zero");
  });

  test("health has the versions of the engine, and none of pgvector", async () => {
    const answer = await service.get("/health").expect(200);
    expect(answer.body).toMatchObject({
      status: "healthy",
      database: { version: expect.stringMatching(/^\d+/), pgvector: null },
    });
    expect((await readHealth(service.deps)).engine).toEqual({ versions: { memory: "1" } });
  });

  test("a row that is read back otherwise is refused with what the engine says may have altered it", async () => {
    const id = await createStore(service);
    const { engine } = service.deps;
    const add: Records["add"] = (_chunks, { readBack }) => Promise.resolve(readBack?.(new Map()));
    const deps = { ...service.deps, engine: { ...engine, records: { ...engine.records, add } } };
    const vector = toNetworkOrder(new Float32Array(8).fill(1));
    const row = { at: "row 1", id: "x", storeId: id, content: "c", metadata: "{}", vector, createdAt: 0 };
    const written = writePage(deps, [row], { onConflict: "error", verify: true, dryRun: false });
    await expect(written).rejects.toThrow(/^row 1: .* A bug of the memory engine may have changed it\.$/);
  });

  test("counters that a crash left behind are repaired by upkeep", async () => {
    const store = await createStore(service);
    await service.post(batchPath(store), { embeddings: rowsOf(5) }).expect(200);
    await service.database.exec("UPDATE vector_stores SET chunk_count = 3, content_bytes = 1");
    await settle(service);
    expect(await countsOf(service, store)).toEqual({ rows: 5, bytes: 5 * "row 1".length });
  });
});
