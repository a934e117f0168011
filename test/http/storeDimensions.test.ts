import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createTestDatabase } from "../support/database.js";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { referenceTables } from "../support/litellmPgvector.js";
import { type TestService, startService } from "../support/service.js";
import {
  batchPath,
  bodyOf,
  createStore,
  errorOf,
  rowsPath,
  searchStore,
  settle,
  storedRows,
} from "../support/stores.js";
import { type StoreBody, create, recordingLitellm, storePath, storesPath } from "./modelStores.js";

let service: TestService;
beforeAll(async () => {
  const environment = { EMBEDDING__MODEL: "settings-model", INDEX_MIN_ROWS: "20" };
  service = await startService({ environment, litellm: recordingLitellm([]) });
});
afterAll(() => service.close());

describe("stores of different dimensions", () => {
  const sizes = [1, 4, testDimensions, 100, 2001, 3072, 4001];
  const contents = (size: number, seed: number) => `${size} numbers, row ${seed}`;
  const ids = new Map<number, string>();

  const find = (size: number, seed: number) => searchStore(service, ids.get(size) ?? "", `as row ${seed}`);

  beforeAll(async () => {
    for (const size of sizes) {
      const id = await createStore(service, { embedding_dimensions: size });
      ids.set(size, id);
      const embeddings = Array.from({ length: 12 }, (_, i) => ({
        content: contents(size, i + 1),
        embedding: testVector(i + 1, size),
      }));
      await service.post(batchPath(id), { embeddings, return: "count" }).expect(200);
    }
  });

  test.each(sizes)("are searched with their own dimensions: %d", async (size) => {
    const hits = await find(size, 5);
    expect(hits).toHaveLength(10);
    expect(hits.every((hit) => hit.content[0]?.text.startsWith(`${size} numbers`))).toBe(true);
    expect(hits[0]?.score).toBeCloseTo(1, 5);
    // One dimension has only two directions.
    if (size > 1) expect(hits[0]?.content[0]?.text).toBe(contents(size, 5));
  });

  test.each(sizes)("refuse vectors of another length: %d", async (size) => {
    const row = { content: "too long", embedding: testVector(1, size + 1) };
    const id = ids.get(size) ?? "";
    const message = expect.stringMatching(`expected ${size} numbers, got ${size + 1}`);
    expect(errorOf(await service.post(rowsPath(id), row).expect(400))).toMatchObject({ param: "embedding", message });
    const rows = [{ content: "fits", embedding: testVector(1, size) }, row];
    const refused = await service.post(batchPath(id), { embeddings: rows }).expect(400);
    expect(errorOf(refused)).toMatchObject({ param: "embeddings[1].embedding", message });
    const body = await bodyOf(service.get(storePath(id)).expect(200));
    expect(body).toMatchObject({ file_counts: { total: 12 } });
  });

  test("get an index if the database can index them, and give the same results", async () => {
    const before = await Promise.all(sizes.map((size) => find(size, 3)));
    for (const size of sizes) {
      const embeddings = Array.from({ length: 12 }, (_, i) => ({
        content: contents(size, i + 101),
        embedding: testVector(i + 1, size).map((each) => -each),
      }));
      await service.post(batchPath(ids.get(size) ?? ""), { embeddings, return: "count" }).expect(200);
    }
    await settle(service);
    const most = service.database.kind === "postgres" ? 4000 : 2000;
    for (const [i, size] of sizes.entries()) {
      const body = await bodyOf(service.get(storePath(ids.get(size) ?? "")).expect(200));
      const index = size <= most ? { state: "ready", indexed: 24, fresh: 0 } : { state: "none" };
      expect({ size, ...(body as StoreBody).index }).toEqual({ size, keywords: "off", ...index });
      const [best] = await find(size, 3);
      expect(best?.score).toBeCloseTo(1, 5);
      if (size > 1) expect(best?.id).toBe(before[i]?.[0]?.id);
    }
  });
});

describe("16,000 dimensions", () => {
  test("are stored and searched exactly; 16,001 are refused", async () => {
    const id = await createStore(service, { embedding_dimensions: 16_000 });
    // The same direction except for one number: only complete vectors tell them apart.
    const rows = Array.from({ length: 5 }, (_, i) => {
      const embedding = Array<number>(16_000).fill(0.01);
      embedding[15_999] = i;
      return { id: `r${i}`, content: `row ${i}`, embedding };
    });
    await service.post(batchPath(id), { embeddings: rows, return: "count" }).expect(200);
    const stored = await storedRows(service, id);
    expect(stored.map((row) => row.embedding.length)).toEqual(Array(5).fill(16_000));
    expect(stored[3]?.embedding[15_999]).toBe(3);
    const hits = await searchStore(service, id, "words", { ranking_options: { recall: "exact" } });
    expect(hits.map((hit) => hit.id).sort()).toEqual(["r0", "r1", "r2", "r3", "r4"]);
    const refused = await service.post(storesPath, { embedding_dimensions: 16_001 }).expect(400);
    expect(errorOf(refused)).toMatchObject({
      param: "embedding_dimensions",
      message: expect.stringContaining("16000"),
    });
  });
});

describe("a typed column", () => {
  test("refuses stores of other dimensions with both numbers, and accepts its own", async () => {
    const database = await createTestDatabase();
    await database.exec(referenceTables(testDimensions));
    const environment = { EMBEDDING__MODEL: "settings-model" };
    const adopted = await startService({ database, environment, litellm: recordingLitellm([]) });
    try {
      for (const body of [{ embedding_dimensions: 9 }, { embedding_model: "small", embedding_dimensions: 9 }]) {
        const answer = await adopted.post(storesPath, body).expect(400);
        expect(errorOf(answer)).toMatchObject({
          param: "embedding_dimensions",
          message: expect.stringMatching(/\b8\b.*\b9\b/),
        });
      }
      const answer = await adopted.post(storesPath, { embedding_model: "small" }).expect(400);
      expect(errorOf(answer)).toMatchObject({
        param: "embedding_model",
        message: expect.stringMatching(/\b8\b.*\b4\b/),
      });
      expect(await database.query("SELECT id FROM vector_stores")).toEqual([]);
      const metadata = { embedding_dimensions: "9" };
      expect(await bodyOf(adopted.post(storesPath, { metadata }).expect(200))).toMatchObject({
        embedding_dimensions: testDimensions,
        warnings: [expect.stringMatching(/^metadata\.embedding_dimensions "9" is not used: .* have 8 dimensions$/)],
      });
      const id = await createStore(adopted, { embedding_model: "large", embedding_dimensions: testDimensions });
      await adopted.post(rowsPath(id), { content: "a text" }).expect(200);
      expect(await searchStore(adopted, id, "a text")).toHaveLength(1);
    } finally {
      await adopted.close();
    }
  });
});

describe("the next start", () => {
  const environment = { EMBEDDING__MODEL: "settings-model" };
  const litellm = recordingLitellm([]);

  test("is stopped by stores of other dimensions only if their model is not recorded", async () => {
    const database = await createTestDatabase();
    const first = await startService({ database, environment, litellm });
    const id = await createStore(first, { embedding_model: "small" });
    await first.post(rowsPath(id), { content: "a text" }).expect(200);
    await first.stop();
    const second = await startService({ database, environment, litellm });
    try {
      expect(await searchStore(second, id, "a text")).toHaveLength(1);
    } finally {
      await second.stop();
    }
    await database.exec("UPDATE vector_stores SET embedding_model = NULL");
    await expect(database.open(environment)).rejects.toThrow(/EMBEDDING__DIMENSIONS is 8, .* have 4 dimensions/);
    await database.drop();
  });

  test("with the built-in embedder continues stores with other dimensions", async () => {
    const database = await createTestDatabase();
    const first = await startService({ database });
    const id = await createStore(first, { embedding_dimensions: 16 });
    await first.post(rowsPath(id), { content: "a text" }).expect(200);
    await first.stop();
    try {
      const second = await startService({ database });
      expect(await searchStore(second, id, "a text")).toHaveLength(1);
      await second.stop();
    } finally {
      await database.drop();
    }
  });

  test("with other settings shows and keeps each store's own", async () => {
    const database = await createTestDatabase();
    const first = await startService({ database, environment, litellm });
    const { id } = await create(first, {});
    await first.post(rowsPath(id), { content: "a text" }).expect(200);
    await first.stop();
    const other = { EMBEDDING__MODEL: "large", EMBEDDING__DIMENSIONS: "3072" };
    const second = await startService({ database, environment: other, litellm });
    try {
      const body = await bodyOf(second.get(storePath(id)).expect(200));
      expect(body).toMatchObject({ embedding_model: "settings-model", embedding_dimensions: testDimensions });
      const [best] = await searchStore(second, id, "a text");
      expect(best?.score).toBeCloseTo(1, 3);
    } finally {
      await second.close();
    }
  });
});
