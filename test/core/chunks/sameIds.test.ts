import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { searchStores } from "../../../src/core/search/searchStores.js";
import { fullServer } from "../../../src/words/caller.js";
import { testDimensions } from "../../support/settings.js";
import { type TestService, startService } from "../../support/service.js";
import {
  type Row,
  batchPath,
  bodyOf,
  bytesOf,
  countsOf,
  createStore,
  recordingLitellm,
  rowOf,
  rowsInTable,
  rowsPath,
  searchPath,
  searchStore,
  settle,
  storedRows,
} from "../../support/stores.js";
import { testVector } from "../../support/vectors.js";

/** Two stores with rows of the same ids: what happens in one must not show in the other. */

const { litellm, asked } = recordingLitellm((text) => text.length);

let service: TestService;
let mine: string;
let other: string;
beforeAll(async () => {
  service = await startService({ litellm, environment: { INDEX_MIN_ROWS: "40" } });
});
beforeEach(async () => {
  [mine, other] = [await createStore(service), await createStore(service)];
  asked.length = 0;
});
afterAll(() => service.close());

const id = (n: number) => `doc-${n}`;
const vectorOf = (seed: number) => testVector(seed, testDimensions);
/** Rows doc-1, doc-2, … whose contents and directions differ from those of another seed. */
const rowsWith = (seed: number, count: number): Row[] =>
  Array.from({ length: count }, (_, i) =>
    rowOf(seed + i, { id: id(i + 1), content: `text ${seed + i}`, metadata: { seed, n: i } }),
  );
const put = (store: string, embeddings: readonly object[], rule = "error") =>
  service.post(batchPath(store), { embeddings, on_conflict: rule, return: "ids" });
const one = (store: string, n: number) => `${rowsPath(store)}/${id(n)}`;

async function expectRows(store: string, rows: readonly Row[]): Promise<void> {
  const stored = await storedRows(service, store);
  expect(stored).toMatchObject(
    rows.map(({ id: own, content, metadata }) => ({ id: own, content, ...(metadata && { metadata }) })),
  );
  expect(await rowsInTable(service, store)).toBe(rows.length);
  expect(await countsOf(service, store)).toEqual({ rows: rows.length, bytes: bytesOf(rows) });
}

describe("writing", () => {
  test("a store takes every id, whatever other stores have", async () => {
    const [a, b] = [rowsWith(100, 5), rowsWith(200, 5)];
    expect((await put(other, b).expect(200)).body).toMatchObject({ count: 5, duplicates: 0 });
    expect((await put(mine, a).expect(200)).body).toMatchObject({ ids: a.map((row) => row.id), duplicates: 0 });
    await put(mine, [rowOf(300, { id: id(6) })], "skip").expect(200);
    await put(other, [rowOf(400, { id: id(6) })], "replace").expect(200);
    await expectRows(mine, [...a, rowOf(300, { id: id(6) })]);
    await expectRows(other, [...b, rowOf(400, { id: id(6) })]);
  });

  test("an equal row of another store is no duplicate, and its embedding is not borrowed", async () => {
    const rows = [1, 2].map((n) => ({ id: id(n), content: `the same ${n}` }));
    await put(other, rows).expect(200);
    asked.length = 0;
    expect((await put(mine, rows).expect(200)).body).toMatchObject({ count: 2, duplicates: 0 });
    expect(asked).toEqual(["the same 1", "the same 2"]);
    expect((await put(mine, rows).expect(200)).body).toMatchObject({ duplicates: 2 });
    expect(asked).toHaveLength(2);
  });

  test("error, skip and replace compare with the store's own row", async () => {
    const [a, b] = [rowsWith(100, 2), rowsWith(200, 3)];
    await put(mine, a).expect(200);
    await put(other, b).expect(200);
    await put(mine, b).expect(409);
    expect((await put(mine, b, "skip").expect(200)).body).toMatchObject({ count: 3, skipped: 2, added: 1 });
    await expectRows(mine, [...a, ...b.slice(2)]);
    const changed = rowsWith(500, 2);
    expect((await put(mine, changed, "replace").expect(200)).body).toMatchObject({ count: 2, replaced: 2 });
    await expectRows(mine, [...changed, ...b.slice(2)]);
    await expectRows(other, b);
  });

  test("rows are read, changed and removed by id in one store only", async () => {
    const [a, b] = [rowsWith(100, 4), rowsWith(200, 4)];
    await put(mine, a).expect(200);
    await put(other, b).expect(200);
    expect(await bodyOf(service.get(one(mine, 1)).expect(200))).toMatchObject({ content: a[0]?.content });
    expect(await bodyOf(service.get(one(other, 1)).expect(200))).toMatchObject({ content: b[0]?.content });
    await service.patch(one(mine, 2), { content: "changed", metadata: { changed: true } }).expect(200);
    await service.delete(one(mine, 1)).expect(200);
    await service.get(one(mine, 1)).expect(404);
    const removed = await service.delete(rowsPath(mine), { ids: [id(3), id(4), id(5)] }).expect(200);
    expect(removed.body).toMatchObject({ deleted: 2 });
    await expectRows(mine, [{ id: id(2), content: "changed", metadata: { changed: true } }]);
    await expectRows(other, b);
    await service.delete(rowsPath(other), { filters: { n: 0 } }).expect(200);
    await service.delete(`/v1/vector_stores/${mine}`).expect(200);
    await expectRows(other, b.slice(1));
  });

  test("concurrent writers of the same ids in two stores leave each with its own rows", async () => {
    const stores = [mine, other];
    const works = stores.flatMap((store, which) =>
      Array.from({ length: 6 }, (_, n) => async () => {
        const rows = rowsWith(1000 * (which + 1) + 100 * n, 12);
        const answer = await put(store, n % 2 === 0 ? rows : rows.toReversed(), n % 3 === 0 ? "skip" : "replace");
        expect([200, 503]).toContain(answer.status);
        if (n === 4) await service.delete(rowsPath(store), { ids: [id(1), id(2)] }).expect(200);
      }),
    );
    await Promise.all(works.map((work) => work()));
    for (const [which, store] of stores.entries()) {
      const stored = await storedRows(service, store);
      for (const { content, metadata } of stored) {
        const { seed, n } = metadata as { seed: number; n: number };
        expect(Math.floor(seed / 1000)).toBe(which + 1);
        expect(content).toBe(`text ${seed + n}`);
      }
      expect(await countsOf(service, store)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
      expect(await rowsInTable(service, store)).toBe(stored.length);
    }
  });
});

describe("searching", () => {
  /** The store's own rows are what its searches find, with their own contents. */
  async function expectOwnResults(store: string, seed: number, count: number): Promise<void> {
    const own = new Map(rowsWith(seed, count).map((row) => [row.id, row.content]));
    const filters = { type: "gte", key: "n", value: 1 };
    for (const body of [
      { query: `text ${seed + 3}`, embedding: vectorOf(seed + 3) },
      { query: `text ${seed + 3}`, embedding: vectorOf(seed + 3), filters },
      { query: `text ${seed + 3}`, search_mode: "keyword" },
      { query: `text ${seed + 3}`, search_mode: "keyword", filters },
      { query: `text ${seed + 3}`, embedding: vectorOf(seed + 3), search_mode: "hybrid" },
    ]) {
      const { data } = (await bodyOf(service.post(searchPath(store), body).expect(200))) as {
        data: { id: string; content: { text: string }[] }[];
      };
      expect(data.length).toBeGreaterThan(0);
      expect(new Set(data.map((each) => each.id)).size).toBe(data.length);
      for (const each of data) expect(each.content[0]?.text).toBe(own.get(each.id));
      expect(data[0]).toMatchObject({ id: id(4) });
    }
    const like = (await bodyOf(service.post(searchPath(store), { like: id(2) }).expect(200))) as { data: object[] };
    expect(like.data).not.toContainEqual(expect.objectContaining({ id: id(2) }));
  }

  test("finds the store's own rows, exactly, by words, and through its index", async () => {
    await put(mine, rowsWith(1000, 60)).expect(200);
    await put(other, rowsWith(2000, 60)).expect(200);
    for (const store of [mine, other]) await searchStore(service, store, "text", { search_mode: "keyword" });
    const check = async () => {
      await expectOwnResults(mine, 1000, 60);
      await expectOwnResults(other, 2000, 60);
    };
    await check();
    await settle(service);
    await check();
    // New vectors and words of one store, beside an index, then in it.
    await put(mine, rowsWith(3000, 30), "replace").expect(200);
    await put(mine, rowsWith(3000, 60), "replace").expect(200);
    await expectOwnResults(mine, 3000, 60);
    await expectOwnResults(other, 2000, 60);
    for (const store of [mine, other]) await service.post(`/v1/vector_stores/${store}/reindex`).expect(200);
    await settle(service);
    await expectOwnResults(mine, 3000, 60);
    await expectOwnResults(other, 2000, 60);
  });

  test("of both stores gives the rows of both, each with its own text, diverse and with neighbours too", async () => {
    const inDocument = (seed: number) =>
      rowsWith(seed, 3).map((row, i) => ({ ...row, metadata: { filename: "a.md", chunk_index: i } }));
    await put(mine, inDocument(1000)).expect(200);
    await put(other, inDocument(2000)).expect(200);
    const wish = { wanted: false, model: null, param: "rerank", hint: null, candidates: null } as const;
    const request = {
      queries: ["text 1001"],
      rewrite: false,
      filter: null,
      scoreThreshold: 0,
      settings: {},
      rerank: wish,
    };
    for (const more of [
      { diversity: 0, expand: 0 },
      { diversity: 0.5, expand: 0 },
      { diversity: 0, expand: 1 },
    ]) {
      const { found } = await searchStores(
        service.deps,
        fullServer,
        [mine, other],
        { ...request, limit: 6, ...more },
        new AbortController().signal,
      );
      expect(found.map((chunk) => `${chunk.storeId} ${chunk.id}`).toSorted()).toEqual(
        [mine, other].flatMap((store) => [1, 2, 3].map((n) => `${store} ${id(n)}`)).toSorted(),
      );
      for (const { storeId, content } of found) expect(content).toMatch(storeId === mine ? /^text 1/ : /^text 2/);
    }
  });
});
