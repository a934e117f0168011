import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  errorOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  storedRows,
} from "../../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const names = (...seeds: number[]) => seeds.map((seed) => `row ${String(seed)}`);

/** A store with rows 1 to `count` in id order. */
async function filled(count: number): Promise<{ storeId: string; ids: string[] }> {
  const storeId = await createStore(service);
  const rows = rowsOf(count, (seed) => ({ metadata: { seed, even: seed % 2 === 0 } }));
  const answer = await service.post(batchPath(storeId), { embeddings: rows, return: "ids" }).expect(200);
  return { storeId, ids: (answer.body as { ids: string[] }).ids };
}

test("a request takes at most 25,000 ids, and 1 MB of metadata a row", async () => {
  const { storeId, ids } = await filled(1);
  const many = Array.from({ length: 25_000 }, (_, i) => `unknown ${i}`);
  const refused = await service.delete(rowsPath(storeId), { ids: [...ids, ...many] }).expect(400);
  expect(errorOf(refused)).toMatchObject({
    param: "ids",
    message: "ids: at most 25,000 ids per request; send several requests, or filters",
  });
  const removed = await service.delete(rowsPath(storeId), { ids: [...ids, ...many.slice(1)] }).expect(200);
  expect(removed.body).toMatchObject({ deleted: 1 });

  const fits = { content: "x", metadata: { a: "x".repeat(2 ** 20 - '{"a":""}'.length) } };
  const large = { content: "x", metadata: { a: `${fits.metadata.a}x` } };
  const message = "metadata: at most 1,048,576 bytes as JSON";
  expect(errorOf(await service.post(rowsPath(storeId), large).expect(400))).toMatchObject({ message });
  const batch = await service.post(batchPath(storeId), { embeddings: [fits, large] }).expect(400);
  expect(errorOf(batch)).toMatchObject({ param: "embeddings[1].metadata", message: `embeddings[1].${message}` });
  await service.post(batchPath(storeId), { embeddings: [fits] }).expect(200);
});

describe("deleting rows", () => {
  const remove = (storeId: string, body: object) => service.delete(rowsPath(storeId), body);
  const left = async (storeId: string) => (await storedRows(service, storeId)).map((row) => row.content);

  test("by ids: removes the store's rows, ignores unknown and foreign ids, and updates the counts", async () => {
    const [one, two] = [await filled(4), await filled(2)];
    const ids = [one.ids[1], one.ids[3], one.ids[3], two.ids[0], "nothing", "a\u0001b"];
    const answer = await remove(one.storeId, { ids }).expect(200);
    expect(answer.body).toEqual({ object: "embedding.deleted", vector_store_id: one.storeId, deleted: 2 });
    expect(await left(one.storeId)).toEqual(names(1, 3));
    expect(await left(two.storeId)).toEqual(names(1, 2));
    expect(await countsOf(service, one.storeId)).toEqual({ rows: 2, bytes: 10 });
    expect(await countsOf(service, two.storeId)).toEqual({ rows: 2, bytes: 10 });
    expect((await remove(one.storeId, { ids }).expect(200)).body).toMatchObject({ deleted: 0 });
  });

  test("by a filter of either dialect, in the body or the query string", async () => {
    const { storeId } = await filled(9);
    expect((await remove(storeId, { filters: { seed: 1 } }).expect(200)).body).toMatchObject({ deleted: 1 });
    const typed = { type: "in", key: "seed", value: [2, 3, "4"] };
    expect((await remove(storeId, { filters: typed }).expect(200)).body).toMatchObject({ deleted: 2 });
    const query = encodeURIComponent('{"type": "gte", "key": "seed", "value": 8}');
    const answer = await service.delete(`${rowsPath(storeId)}?filters=${query}`).expect(200);
    expect(answer.body).toMatchObject({ deleted: 2 });
    expect(await left(storeId)).toEqual(names(4, 5, 6, 7));
    expect(await countsOf(service, storeId)).toEqual({ rows: 4, bytes: 20 });
  });

  test("by ids and a filter: only rows that match both", async () => {
    const { storeId, ids } = await filled(4);
    const answer = await remove(storeId, { ids: ids.slice(0, 3), filters: { even: true } }).expect(200);
    expect(answer.body).toMatchObject({ deleted: 1 });
    expect(await left(storeId)).toEqual(names(1, 3, 4));
  });

  test("an `or` filter stays within the store", async () => {
    const [one, two] = [await filled(2), await filled(2)];
    const filters = {
      type: "or",
      filters: [
        { type: "ne", key: "x", value: 1 },
        { type: "eq", key: "seed", value: 1 },
      ],
    };
    expect((await remove(one.storeId, { filters }).expect(200)).body).toMatchObject({ deleted: 2 });
    expect(await rowsInTable(service, two.storeId)).toBe(2);
  });

  test("all rows, of this store only", async () => {
    const [one, two] = [await filled(3), await filled(2)];
    expect((await remove(one.storeId, { all: true }).expect(200)).body).toMatchObject({ deleted: 3 });
    expect(await countsOf(service, one.storeId)).toEqual({ rows: 0, bytes: 0 });
    expect(await countsOf(service, two.storeId)).toEqual({ rows: 2, bytes: bytesOf(rowsOf(2)) });
  });

  test.each<[string, object]>([
    ["nothing", {}],
    ["nulls", { ids: null, filters: null, all: null }],
    ["all: false", { all: false }],
    ["an empty flat filter", { filters: {} }],
    ["an empty `and`", { filters: { type: "and", filters: [] } }],
    ["empty conditions inside", { filters: { type: "or", filters: [{ type: "and", filters: [] }] } }],
    ["`nin` of nothing", { filters: { type: "nin", key: "seed", value: [] } }],
    ["no ids", { ids: [] }],
    ["ids that are not texts", { ids: [5] }],
    ["an invalid filter", { filters: "all" }],
  ])("%s is not a selection: refused, and nothing is removed", async (_, body) => {
    const { storeId } = await filled(2);
    const answer = await remove(storeId, body).expect(400);
    expect(errorOf(answer).param).toMatch(/^(filters|ids)/);
    expect(await countsOf(service, storeId)).toEqual({ rows: 2, bytes: 10 });
    expect(await rowsInTable(service, storeId)).toBe(2);
  });

  test("also without a body and a query string", async () => {
    const { storeId } = await filled(1);
    await service.delete(rowsPath(storeId)).expect(400);
    expect(await rowsInTable(service, storeId)).toBe(1);
  });

  test("an unknown store is 404", async () => {
    await remove("vs_00000000000000000000000000000000", { all: true }).expect(404);
  });
});
