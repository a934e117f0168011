import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { deleteKeywords, fillKeywords, insertKeywords } from "../../../src/engines/pgvector/keywords/keywords.js";
import { searchKeywords } from "../../../src/engines/pgvector/keywords/matching.js";
import { isLanguage } from "../../../src/engines/pgvector/keywords/words.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { customNames, makeCustomTables, usualColumns } from "../../support/customTables.js";
import { ask, idsOf, writeRecord, writeStore } from "./keywordStores.js";
import type { Database } from "../../../src/db/database.js";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = await database.open());
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

describe("stores", () => {
  test("with the same words stay apart, whatever their names are", async () => {
    const names = ["plain", "it's", "back\\slash", "a/b", "#1/a", "quote\"'\\'", "名"];
    for (const [i, name] of names.entries()) await writeStore(db, name, [{ id: `apart${i}`, content: "shared words" }]);
    for (const [i, name] of names.entries()) expect(idsOf(await ask(db, name, "shared"))).toEqual([`apart${i}`]);
    await deleteKeywords(db, "it's", null);
    const search = { text: "shared", language: "simple", filter: null, limit: 10, chunkCount: 1 };
    expect(await searchKeywords(db, { ...search, storeId: "it's" })).toEqual([]);
    expect(await searchKeywords(db, { ...search, storeId: "plain" })).toHaveLength(1);
  });

  test("with a filter, fewer and more than asked for", async () => {
    const rows = Array.from({ length: 9 }, (_, i) => ({
      id: `f${i}`,
      content: "same",
      metadata: { n: i, t: i % 2 ? "odd" : "even" },
    }));
    await writeStore(db, "filters", rows);
    expect(idsOf(await ask(db, "filters", "same", { filter: { type: "eq", key: "t", value: "odd" } }))).toEqual([
      "f1",
      "f3",
      "f5",
      "f7",
    ]);
    expect(idsOf(await ask(db, "filters", "same", { filter: { type: "gt", key: "n", value: 3 }, limit: 2 }))).toEqual([
      "f4",
      "f5",
    ]);
    expect(await ask(db, "filters", "same", { limit: 50 })).toHaveLength(9);
  });

  test("are filled in portions, and words of removed chunks are not found", async () => {
    await writeRecord(
      db,
      "filled",
      ["a", "b", "c", "d", "e"].map((id) => ({ id: `fill-${id}`, content: `text ${id}` })),
    );
    expect(await fillKeywords(db, "filled", "simple", null, 2)).toBe("fill-b");
    expect(await fillKeywords(db, "filled", "simple", "fill-b", 2)).toBe("fill-d");
    expect(await fillKeywords(db, "filled", "simple", "fill-d", 2)).toBeNull();
    expect(await fillKeywords(db, "filled", "simple", null, 10)).toBeNull();
    expect(await ask(db, "filled", "text")).toHaveLength(5);
    await deleteKeywords(db, "filled", ["fill-a"]);
    const search = { storeId: "filled", text: "text", language: "simple", filter: null, limit: 10, chunkCount: 5 };
    expect(idsOf(await searchKeywords(db, search))).toEqual(["fill-b", "fill-c", "fill-d", "fill-e"]);
    await sql`DELETE FROM ${db.layout.embeddings.table} AS e WHERE ${db.layout.embeddings.id} = 'fill-b'`.execute(
      db.run,
    );
    expect(idsOf(await searchKeywords(db, { ...search, limit: 2 }))).toEqual(["fill-c", "fill-d"]);
    await insertKeywords(db, "filled", "simple", ["fill-a", "unknown"]);
    expect(idsOf(await searchKeywords(db, { ...search, limit: 2 }))).toEqual(["fill-a", "fill-c"]);
  });

  test("a text of 2 MB of different words is searched by its beginning", async () => {
    const content = Array.from({ length: 250_000 }, (_, i) => `w${i.toString(36)}${i}`).join(" ");
    const han = Array.from({ length: 200_000 }, (_, i) => String.fromCodePoint(0x20000 + (i % 60_000))).join("");
    await writeStore(db, "long", [
      { id: "long", content },
      { id: "longHan", content: han },
    ]);
    expect(idsOf(await ask(db, "long", "w11"))).toEqual(["long"]);
  });
});

describe("languages", () => {
  test("a word's forms are one in english and several in simple", async () => {
    const rows = (name: string) => [
      { id: `${name}1`, content: "The returned items" },
      { id: `${name}2`, content: "the weather" },
    ];
    await writeStore(db, "english", rows("e"), "english");
    await writeStore(db, "simple", rows("s"), "simple");
    expect(idsOf(await ask(db, "english", "returning an item", { language: "english" }))).toEqual(["e1"]);
    expect(await ask(db, "simple", "returning an item")).toEqual([]);
    expect(await ask(db, "english", "the and of", { language: "english" })).toEqual([]);
    expect(await ask(db, "simple", "the")).toHaveLength(2);
    const [hit] = await ask(db, "english", "item items the", { language: "english" });
    expect(hit?.score).toBeGreaterThan(0.9);
  });

  test.each([
    ["simple", true],
    ["english", true],
    ["german", true],
    ["klingon", false],
    ["English", false],
    ["pg_catalog.english", false],
    ["13000", false],
    ["english'; --", false],
    ["", false],
  ])("%j: %s", async (name, known) => {
    expect(await isLanguage(db, name)).toBe(known);
  });
});

describe.each([
  ["bigint", (n: number) => String(n), { id: "bigint PRIMARY KEY", storeId: "bigint PRIMARY KEY" }],
  [
    "uuid",
    (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    { id: "uuid PRIMARY KEY", storeId: "uuid PRIMARY KEY" },
  ],
])("an adopted table with ids of type %s", (_, id, types) => {
  let adopted: TestDatabase;
  let other: Database;
  beforeAll(async () => {
    adopted = await createTestDatabase();
    await makeCustomTables(adopted, { ...usualColumns, ...types });
    ({ db: other } = await adopted.open(customNames));
  });
  afterAll(async () => {
    await other.close();
    await adopted.drop();
  });

  test("is searched, ties in the order of its ids", async () => {
    await writeStore(
      other,
      id(1),
      [9, 10, 11].map((n) => ({ id: id(n), content: "same words", metadata: { n } })),
    );
    await writeStore(other, id(2), [{ id: id(12), content: "same words" }]);
    expect(idsOf(await ask(other, id(1), "words"))).toEqual([id(9), id(10), id(11)]);
    expect(idsOf(await ask(other, id(1), "words", { filter: { type: "gte", key: "n", value: 10 }, limit: 1 }))).toEqual(
      [id(10)],
    );
    await deleteKeywords(other, id(1), [id(9)]);
    expect(await fillKeywords(other, id(1), "simple", id(9), 1)).toBe(id(10));
    expect(await fillKeywords(other, id(1), "simple", null, 5)).toBeNull();
    expect(await ask(other, id(1), "words")).toHaveLength(3);
  });
});
