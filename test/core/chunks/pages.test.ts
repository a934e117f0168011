import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import { type Stored, batchPath, createStore, errorOf, rowOf, rowsOf, rowsPath } from "../../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Page {
  object: string;
  data: (Omit<Stored, "embedding"> & { embedding?: number[] | string })[];
  first_id: string;
  last_id: string;
  has_more: boolean;
}

async function page(storeId: string, query: Record<string, string | number> = {}): Promise<Page> {
  const text = Object.entries(query)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join("&");
  return (await service.get(`${rowsPath(storeId)}?${text}`).expect(200)).body as Page;
}
const contents = (found: Page) => found.data.map((row) => row.content);
const names = (...seeds: number[]) => seeds.map((seed) => `row ${String(seed)}`);

/** A store with rows 1 to `count` in id order. */
async function filled(count: number): Promise<{ storeId: string; ids: string[] }> {
  const storeId = await createStore(service);
  const rows = rowsOf(count, (seed) => ({ metadata: { seed, even: seed % 2 === 0 } }));
  const answer = await service.post(batchPath(storeId), { embeddings: rows, return: "ids" }).expect(200);
  return { storeId, ids: (answer.body as { ids: string[] }).ids };
}

describe("pages of a store's rows", () => {
  test("the default is the newest 20", async () => {
    const { storeId, ids } = await filled(25);
    const found = await page(storeId);
    expect(found).toMatchObject({ object: "list", has_more: true, first_id: ids[24], last_id: ids[5] });
    expect(found.data).toHaveLength(20);
    expect(found.data[0]).toEqual({
      id: ids[24],
      object: "embedding",
      vector_store_id: storeId,
      content: "row 25",
      metadata: { seed: 25, even: false },
      created_at: expect.any(Number),
    });
  });

  test.each<["asc" | "desc", number]>([
    ["asc", 1],
    ["asc", 4],
    ["desc", 3],
    ["desc", 10],
    ["asc", 1000],
  ])("%s by %d, forwards and back again: every row once", async (order, limit) => {
    const { storeId, ids } = await filled(10);
    const expected = order === "asc" ? ids : [...ids].reverse();
    const forwards: string[] = [];
    let found = await page(storeId, { order, limit });
    for (; ; found = await page(storeId, { order, limit, after: found.last_id })) {
      forwards.push(...found.data.map((row) => row.id));
      if (!found.has_more) break;
      expect(found.data).toHaveLength(limit);
    }
    expect(forwards).toEqual(expected);
    const backwards = found.data.map((row) => row.id);
    while (backwards.length < 10) {
      found = await page(storeId, { order, limit, before: found.first_id });
      backwards.unshift(...found.data.map((row) => row.id));
      expect(found.has_more).toBe(backwards.length < 10);
    }
    expect(backwards).toEqual(expected);
  });

  test("after and before together select the rows between", async () => {
    const { storeId, ids } = await filled(6);
    const between = { order: "asc", after: ids[0] ?? "", before: ids[4] ?? "" };
    expect(contents(await page(storeId, between))).toEqual(names(2, 3, 4));
    expect(await page(storeId, { ...between, limit: 2 })).toMatchObject({ has_more: true, first_id: ids[1] });
  });

  test("paging continues at a row that was deleted meanwhile, and rows added meanwhile shift nothing", async () => {
    const { storeId, ids } = await filled(6);
    const first = await page(storeId, { order: "asc", limit: 2 });
    await service.delete(rowsPath(storeId), { ids: [first.last_id, ids[2]] }).expect(200);
    await service.post(rowsPath(storeId), rowOf(99)).expect(200);
    const second = await page(storeId, { order: "asc", limit: 2, after: first.last_id });
    expect(contents(second)).toEqual(names(4, 5));
    expect(contents(await page(storeId, { order: "asc", after: second.last_id }))).toEqual(names(6, 99));
  });

  test("an empty page", async () => {
    const storeId = await createStore(service);
    expect(await page(storeId)).toEqual({ object: "list", data: [], first_id: "", last_id: "", has_more: false });
  });

  test("rows of other stores are never included", async () => {
    const [one, two] = [await filled(2), await filled(2)];
    const found = await page(one.storeId, { order: "asc", before: two.ids[1] ?? "" });
    expect(found.data.map((row) => row.id)).toEqual(one.ids);
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=x", "limit"],
    ["order=up", "order"],
    ["include=everything", "include"],
    ["encoding_format=hex", "encoding_format"],
    ["filters=%7B", "filters"],
    ["filters=[]", "filters"],
    ["after=%00", "after"],
  ])("%s is refused, naming the parameter", async (query, param) => {
    const { storeId } = await filled(1);
    expect(errorOf(await service.get(`${rowsPath(storeId)}?${query}`).expect(400)).param).toBe(param);
  });

  test("an unknown store is 404", async () => {
    await service.get(rowsPath("vs_00000000000000000000000000000000")).expect(404);
  });

  test("filters in both dialects, page by page", async () => {
    const { storeId } = await filled(9);
    expect(contents(await page(storeId, { order: "asc", filters: '{"even": true}' }))).toEqual(names(2, 4, 6, 8));
    const typed = JSON.stringify({ type: "gt", key: "seed", value: 6 });
    const first = await page(storeId, { order: "asc", filters: typed, limit: 2 });
    expect([contents(first), first.has_more]).toEqual([names(7, 8), true]);
    const second = await page(storeId, { order: "asc", filters: typed, limit: 2, after: first.last_id });
    expect([contents(second), second.has_more]).toEqual([names(9), false]);
  });

  test("an `or` or `nin` includes neither other stores' rows nor those before the cursor", async () => {
    const { storeId, ids } = await filled(4);
    await filled(4);
    const either = {
      type: "or",
      filters: [
        { type: "eq", key: "seed", value: 1 },
        { type: "nin", key: "x", value: [] },
      ],
    };
    const query = { order: "asc", filters: JSON.stringify(either) };
    expect((await page(storeId, query)).data.map((row) => row.id)).toEqual(ids);
    expect(contents(await page(storeId, { ...query, after: ids[1] ?? "" }))).toEqual(names(3, 4));
  });

  test("embeddings are included only on request, as numbers or base64", async () => {
    const { storeId } = await filled(2);
    expect((await page(storeId)).data[0]).not.toHaveProperty("embedding");
    const [numbers] = (await page(storeId, { include: "embedding", order: "asc" })).data;
    expect(numbers?.embedding).toEqual(testVector(1, testDimensions));
    const [text] = (await page(storeId, { include: "embedding", encoding_format: "base64", order: "asc" })).data;
    const bytes = Buffer.from(text?.embedding as string, "base64");
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual(testVector(1, testDimensions));
  });
});
