import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bodyOf,
  countsOf,
  createStore,
  errorOf,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
} from "../../support/stores.js";

const rows = (count: number) => rowsOf(count, (seed) => ({ id: `row-${seed}` }));

describe("a batch of more than 10,000 rows, as litellm-pgvector's migration script sends it", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  test("is stored whole, can be repeated, and is deleted by its ids", async () => {
    const store = await createStore(service);
    const embeddings = rows(12_000);
    const send = () => bodyOf(service.post(batchPath(store), { embeddings, return: "count" }).expect(200));
    expect(await send()).toMatchObject({ count: 12_000, duplicates: 0 });
    expect((await countsOf(service, store)).rows).toBe(12_000);
    expect(await send()).toMatchObject({ count: 12_000, duplicates: 12_000 });
    const ids = embeddings.map((row) => row.id);
    const deleted = await service.delete(rowsPath(store), { ids }).expect(200);
    expect(deleted.body).toMatchObject({ deleted: 12_000 });
    expect(await rowsInTable(service, store)).toBe(0);
  });

  test.each([
    ["is not valid", { content: "" }, 400, "embeddings[12000].content"],
    ["contradicts a stored one", { content: "other" }, 409, "embeddings[12000].id"],
  ])("is refused whole if its last row %s", async (_, wrong, status, param) => {
    const store = await createStore(service);
    await service.post(rowsPath(store), rowOf(1, { id: `last-${status}` })).expect(200);
    const embeddings = [
      ...rowsOf(12_000, (seed) => ({ id: `${status}-${seed}` })),
      { ...rowOf(1, { id: `last-${status}` }), ...wrong },
    ];
    const answer = await service.post(batchPath(store), { embeddings }).expect(status);
    expect(errorOf(answer)).toMatchObject({ param });
    expect(await countsOf(service, store)).toMatchObject({ rows: 1 });
    expect(await rowsInTable(service, store)).toBe(1);
  });
});

describe("a batch that would take more memory than its body may", () => {
  const megabytes = 10;
  let service: TestService;
  beforeAll(async () => {
    service = await startService({
      environment: { MAX_BODY_MB: String(megabytes), EMBEDDING__DIMENSIONS: "2000" },
    });
  });
  afterAll(() => service.close());

  test("is refused: tiny rows count as 1 KB each", async () => {
    const store = await createStore(service);
    const embeddings = Array(megabytes * 1024 + 1).fill({ content: "x" });
    const answer = await service.post(batchPath(store), { embeddings }).expect(400);
    expect(errorOf(answer)).toMatchObject({
      param: "embeddings",
      message: "embeddings: at most 10240 rows per request; stream more as application/x-ndjson",
    });
    expect(await rowsInTable(service, store)).toBe(0);
  });

  test("is refused: vectors that the model makes count too", async () => {
    const store = await createStore(service);
    const embeddings = Array(10_001).fill({ content: "x" });
    const answer = await service.post(batchPath(store), { embeddings }).expect(413);
    expect(errorOf(answer)).toMatchObject({
      param: "embeddings",
      message: "embeddings: at most 10000 rows without an embedding per request; stream more as application/x-ndjson",
    });
    expect(await rowsInTable(service, store)).toBe(0);
  });
});
