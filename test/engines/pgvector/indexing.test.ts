import { beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { batchPath, rowsPath } from "../../support/stores.js";
import { bruteForceIds } from "../../support/nearest.js";
import { pg, service, settle, indexOf, fill, search, ownTable, countIn } from "./indexingSupport.js";

describe("a store that grows", () => {
  test("is searched exactly below INDEX_MIN_ROWS and gets an index above, found by the same searches", async () => {
    const id = await fill(299);
    await settle();
    expect(await indexOf(id)).toEqual({ state: "none", keywords: "off" });
    await fill(1, 299, {}, id);
    expect((await indexOf(id)).state).toBe("waiting");
    const before = await search(id, 7001);
    await settle();
    expect(await indexOf(id)).toEqual({ state: "ready", keywords: "off", indexed: 300, fresh: 0 });
    expect(await search(id, 7001)).toEqual(before);
    expect(before).toEqual(await bruteForceIds(service, id, 7001, 10));
  });

  test("finds fresh rows beside the index at once, and after they moved into it", async () => {
    const id = await fill(400);
    await settle();
    const rows = [{ id: `fresh-${id}`, content: "fresh", embedding: testVector(9999, testDimensions) }];
    await service.post(batchPath(id), { embeddings: rows }).expect(200);
    expect((await search(id, 9999))[0]).toBe(`fresh-${id}`);
    expect(await indexOf(id)).toMatchObject({ state: "ready", indexed: 400, fresh: 1 });
    // One fresh row costs a search nothing; some hundred are moved.
    await settle();
    expect(await indexOf(id)).toMatchObject({ fresh: 1 });
    await fill(300, 400, {}, id);
    expect(await indexOf(id)).toMatchObject({ indexed: 400, fresh: 301 });
    expect(await search(id, 4242)).toEqual(await bruteForceIds(service, id, 4242, 10));
    await settle();
    expect(await indexOf(id)).toMatchObject({ state: "ready", indexed: 701, fresh: 0 });
    expect((await search(id, 9999))[0]).toBe(`fresh-${id}`);
    expect(await search(id, 4242)).toEqual(await bruteForceIds(service, id, 4242, 10));
  });

  test("forgets deleted rows, wherever they are, and its own table when it is deleted", async () => {
    const id = await fill(350);
    await settle();
    await fill(10, 350, {}, id);
    const table = await ownTable(id);
    expect(await countIn(table)).toBe(350);
    const answer = await service.delete(rowsPath(id), { filters: { tenth: 3 } }).expect(200);
    expect(answer.body).toMatchObject({ deleted: 36 });
    expect(await countIn(table)).toBe(315);
    expect(await countIn("vector_store_vectors", `vector_store_id = '${id}'`)).toBe(9);
    expect(await search(id, 5, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 5, 50));
    await service.delete(`/v1/vector_stores/${id}`).expect(200);
    const [left] = await service.database.query<{ left: string | null }>(
      `SELECT to_regclass('${table}')::text AS left`,
    );
    expect(left?.left).toBeNull();
    expect(await countIn("vector_store_vectors", `vector_store_id = '${id}'`)).toBe(0);
  });
});

describe("an indexed store", () => {
  let id: string;
  beforeAll(async () => {
    id = await fill(6000);
    await settle();
    expect((await indexOf(id)).state).toBe("ready");
    await fill(50, 6000, {}, id);
  });

  test.each([
    ["half of the rows", { half: true }],
    ["a tenth", { tenth: 7 }],
    ["a single one", { n: 77 }],
    ["none", { n: -1 }],
    [
      "a range",
      {
        type: "and",
        filters: [
          { type: "gt", key: "n", value: 100 },
          { type: "lte", key: "n", value: 130 },
        ],
      },
    ],
    ["nearly all", { type: "gte", key: "n", value: 10 }],
  ])("with a filter that lets %s through gives the ten nearest of these", async (_, filters) => {
    const expected = await bruteForceIds(service, id, 31337, 10, filters);
    const found = await search(id, 31337, { filters });
    expect(found).toHaveLength(expected.length);
    // Eight dimensions of random numbers are easy: what the index misses here it misses by mistake.
    expect(found.filter((each) => expected.includes(each)).length).toBeGreaterThanOrEqual(expected.length - 1);
  });

  test.each(["exact", "high", "fast"])("recall %s answers as many as asked for", async (recall) => {
    const expected = await bruteForceIds(service, id, 555, 50);
    const found = await search(id, 555, { max_num_results: 50, ranking_options: { recall } });
    expect(found).toHaveLength(50);
    if (recall === "exact") expect(found).toEqual(expected);
  });

  test("recall can be set through `ranker` where only OpenAI's fields pass", async () => {
    expect(await search(id, 556, { ranking_options: { ranker: "exact" } })).toEqual(
      await bruteForceIds(service, id, 556, 10),
    );
  });

  test("a filter that matched many rows and then few finds all of these", async () => {
    const filters = { type: "gte", key: "n", value: 1000 };
    expect(await search(id, 31337, { filters })).toHaveLength(10);
    expect([...pg.wideFilters.keys()].some((key) => key.includes('"value":1000'))).toBe(true);
    const gone = {
      type: "and",
      filters: [
        { type: "gte", key: "n", value: 1000 },
        { type: "lt", key: "n", value: 6045 },
      ],
    };
    await service.delete(rowsPath(id), { filters: gone }).expect(200);
    expect(await search(id, 31337, { filters })).toEqual(await bruteForceIds(service, id, 31337, 10, filters));
    expect([...pg.wideFilters.keys()].some((key) => key.includes('"value":1000'))).toBe(false);
  });
});
