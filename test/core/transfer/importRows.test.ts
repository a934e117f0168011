import { describe, expect, test } from "@jest/globals";
import { testVector } from "../../support/vectors.js";
import { testDimensions } from "../../support/settings.js";
import {
  batchPath,
  countsOf,
  createStore,
  rowsInTable,
  rowsPath,
  searchPath,
  searchStore,
  storedRows,
  stubLitellm,
} from "../../support/stores.js";
import { importInto, sourceOf, transferRow } from "../../support/transfer.js";
import { service, rows, bytes } from "./importSupport.js";

describe("imported rows", () => {
  test("are stored once, with their ids, times and metadata; counted, and found by the next search", async () => {
    const store = await createStore(service);
    const all = rows(137);
    const result = await importInto(service, sourceOf(all), { store });
    expect(result).toMatchObject({ finished: true, repeated: false, resumedAfter: 0, verified: true });
    expect(result.counts).toMatchObject({ read: 137, added: 137, duplicates: 0, skipped: 0, embedded: 0 });
    expect(result.counts.storedChecksum).toBe(result.counts.readChecksum);
    expect(result.stores).toMatchObject([{ id: store, made: false, dimensions: testDimensions }]);

    expect(await countsOf(service, store)).toEqual({ rows: 137, bytes: bytes(all) });
    const stored = new Map((await storedRows(service, store)).map((row) => [row.id, row]));
    expect(stored.size).toBe(137);
    expect(stored.get("row-7")).toMatchObject({
      content: "content 7",
      metadata: { n: 7 },
      embedding: testVector(8, testDimensions),
    });
    const times = await service.database.query(
      "SELECT (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings WHERE id = 'row-7'",
    );
    expect(times).toEqual([{ micros: "1700000000000007" }]);
    const [found] = await searchStore(service, store, "any", { filters: { type: "eq", key: "n", value: 7 } });
    expect(found).toMatchObject({ id: "row-7" });
    const derived = await service.database.query(
      "SELECT count(*)::int AS n FROM vector_store_vectors WHERE vector_store_id = $1",
      [store],
    );
    expect(derived).toEqual([{ n: 137 }]);
  });

  test("have their words extracted if the store is searched by keyword", async () => {
    const store = await createStore(service, { search_mode: "keyword" });
    await importInto(service, sourceOf(rows(30, (n) => ({ content: n === 20 ? "the only kettle" : `text ${n}` }))), {
      store,
    });
    expect((await searchStore(service, store, "kettle")).map((found) => found.id)).toEqual(["row-20"]);
  });

  test("without ids get the same ids in every run, and others in another store", async () => {
    const [one, two] = [await createStore(service), await createStore(service)];
    const all = rows(25, () => ({ id: null }));
    await importInto(service, sourceOf(all), { store: one });
    const ids = (await storedRows(service, one)).map((row) => row.id);
    expect(new Set(ids).size).toBe(25);
    for (const id of ids) expect(id).toMatch(/^emb_[0-9a-f]{32}$/);
    const again = await importInto(service, sourceOf(all), { store: one });
    expect(again.counts).toMatchObject({ added: 0, duplicates: 25 });
    expect((await importInto(service, sourceOf(all), { store: two })).counts.added).toBe(25);
    expect(await rowsInTable(service)).toBe(50);
  });

  test("with a vector of zeros are kept and counted", async () => {
    const store = await createStore(service);
    const zero = { vector: Buffer.alloc(4 * testDimensions) };
    const result = await importInto(service, sourceOf(rows(3, (n) => (n === 1 ? zero : {}))), { store });
    expect(result.counts).toMatchObject({ added: 3, withoutDirection: 1 });
    expect((await searchStore(service, store, "x")).at(-1)).toMatchObject({ id: "row-1", score: 0 });
  });

  test("with one id twice in a page: equal rows are one, different ones are refused", async () => {
    const store = await createStore(service);
    const twice = [...rows(3), transferRow(1, { at: "row 9" })];
    expect((await importInto(service, sourceOf(twice), { store })).counts).toMatchObject({
      read: 4,
      added: 3,
      duplicates: 1,
    });
    const other = [...rows(3), transferRow(1, { at: "row 9", content: "other" })];
    await expect(importInto(service, sourceOf(other, { name: "b" }), { store })).rejects.toThrow(
      /^row 9: repeats the id of row 1, 'row-1', with other content/,
    );
  });
});

describe("rows without an embedding", () => {
  test("are embedded by the store's model on request, and only once", async () => {
    let asked = 0;
    const litellm = stubLitellm({
      embed: (texts) => {
        asked += texts.length;
        return Promise.resolve(texts.map((text) => Float32Array.from(testVector(text.length, testDimensions))));
      },
    });
    const deps = { ...service.deps, litellm };
    const store = await createStore(service);
    const all = rows(25, (n) => (n % 5 === 0 ? { vector: null } : {}));
    expect((await importInto({ deps }, sourceOf(all), { store, embed: true })).counts).toMatchObject({
      added: 25,
      embedded: 5,
    });
    expect(asked).toBe(5);
    const again = await importInto({ deps }, sourceOf(all), { store, embed: true });
    expect(again.counts).toMatchObject({ added: 0, duplicates: 25 });
    expect(asked).toBe(5);
    const other = all.map((row) => ({ ...row, content: `other ${row.content}` }));
    await expect(importInto({ deps }, sourceOf(other, { name: "b" }), { store, embed: true })).rejects.toMatchObject({
      status: 409,
    });
    const blank = [transferRow(99, { vector: null, content: " " })];
    await expect(importInto({ deps }, sourceOf(blank, { name: "c" }), { store, embed: true })).rejects.toThrow(
      /^row 99: it has neither an embedding nor a content/,
    );
  });
});

describe("a dry run", () => {
  test("reports what would be done, and changes nothing", async () => {
    const store = await createStore(service);
    await importInto(service, sourceOf(rows(10)), { store });
    const before = await service.database.query("SELECT * FROM vector_store_imports");
    const [state] = await service.database.query("SELECT * FROM vector_stores");
    const all = [
      ...rows(30),
      transferRow(40, { vector: null }),
      transferRow(3, { at: "row 3 again", content: "other", id: "row-3" }),
    ];
    const result = await importInto(service, sourceOf(all, { pageRows: 7, name: "dry" }), {
      store,
      dryRun: true,
      embed: true,
      onConflict: "skip",
    });
    expect(result).toMatchObject({ dryRun: true, verified: false, skippedRows: ["row 3 again"] });
    expect(result.counts).toMatchObject({ read: 32, added: 20, duplicates: 10, skipped: 1, embedded: 1 });
    const made = await importInto(service, sourceOf(rows(5), { name: "dry" }), {
      storeName: "New",
      dryRun: true,
      idPrefix: "y-",
    });
    expect(made.stores).toMatchObject([{ name: "New", made: true }]);
    expect(await service.database.query("SELECT * FROM vector_store_imports")).toEqual(before);
    expect(await service.database.query("SELECT * FROM vector_stores")).toEqual([state]);
    expect(await rowsInTable(service)).toBe(10);
  });
});

test("while a server inserts, deletes and searches in the same store, an import leaves every counter right", async () => {
  const store = await createStore(service);
  const all = rows(600);
  let importing = true;
  let inserted = 0;
  const insert = async () => {
    while (importing) {
      const embeddings = [0, 1, 2].map((i) => ({
        id: `live-${inserted + i}`,
        content: "live",
        embedding: testVector(inserted + i, 8),
      }));
      await service.post(batchPath(store), { embeddings }).expect(200);
      inserted += 3;
      await service.delete(rowsPath(store), { ids: [`live-${inserted - 1}`] }).expect(200);
    }
  };
  const search = async () => {
    while (importing) await service.post(searchPath(store), { query: "content", max_num_results: 10 }).expect(200);
  };
  const beside = [insert(), search()];
  const result = await importInto(service, sourceOf(all, { pageRows: 20 }), { store }).finally(
    () => (importing = false),
  );
  await Promise.all(beside);
  expect(result.counts).toMatchObject({ read: 600, added: 600 });
  const expected = 600 + (inserted / 3) * 2;
  expect(await countsOf(service, store)).toEqual({ rows: expected, bytes: bytes(all) + (inserted / 3) * 2 * 4 });
  expect(await rowsInTable(service, store)).toBe(expected);
});
