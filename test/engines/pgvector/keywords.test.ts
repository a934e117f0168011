import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sql } from "kysely";
import { fillKeywords } from "../../../src/engines/pgvector/keywords/keywords.js";
import { keywordSettings, scanKeywords, searchKeywords } from "../../../src/engines/pgvector/keywords/matching.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
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

describe("what is found", () => {
  const texts = {
    code: "The part E-4711 was replaced.",
    otherCode: "The part E-4712 was replaced; see 4711-E and E, then 4711x.",
    path: "Read https://example.com/docs/foo.bar/baz?x=1 first",
    date: "Invoice 12/2024-A of ACME_Corp, -5 degrees, 1.5e3",
    name: "Ask Mr. O’Brien or Anna-Lena Müller about the Straße",
    chinese: "我们在北京大学学习人工智能。",
    japanese: "東京都でラーメンを食べました。",
    korean: "한국어로검색할수있습니다",
    quotes: "it's a back\\slash 'quoted' <-> a:b & c | d !e *",
    emoji: "😀",
    cafe: "Café",
  };
  beforeAll(async () => {
    await writeStore(
      db,
      "found",
      Object.entries(texts).map(([id, content]) => ({ id, content })),
    );
  });

  test.each([
    ["E-4711", "code"],
    ["e4711", ""],
    ["(E-4711)", "code"],
    ["„e 4711“", "otherCode code quotes"],
    ["foo.bar/baz", "path"],
    ["https://example.com/docs", "path"],
    ["12/2024-A", "date"],
    ["12/2024-B", ""],
    ["acme", "date"],
    ["ACME_CORP", "date"],
    ["5", "date"],
    ["o'brien", "name"],
    ["Anna-Lena MÜLLER", "name"],
    ["Lena-Anna", ""],
    ["STRAßE", "name"],
    ["北京", "chinese"],
    ["京北", ""],
    ["人工智能", "chinese"],
    ["ラーメン", "japanese"],
    ["東京都", "japanese"],
    ["京", "chinese japanese"],
    ["검색", "korean"],
    ["it's", "quotes"],
    ["back\\slash", "quotes"],
    ["'quoted' & !e | :* <-> (", "quotes otherCode code"],
    ["😀", ""],
    ["cafe\u0301", "cafe"],
    ["/found", ""],
    ["#0/found", ""],
    ["", ""],
  ])("%j", async (text, found) => {
    expect(idsOf(await ask(db, "found", text)).sort()).toEqual(found.split(" ").filter(Boolean).sort());
  });

  test("no query text is an error or means more than its words", async () => {
    const pieces = fc.constantFrom(
      "'",
      "\\",
      "&",
      "|",
      "!",
      "(",
      ")",
      ":*",
      "<->",
      "E",
      "-",
      "4711",
      "%",
      "$1",
      " ",
      "\0",
      "'/found'",
      "東",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(pieces).map((each) => each.join("")),
          fc.string({ unit: "binary" }),
        ),
        async (text) => {
          await ask(db, "found", text);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("queries of 100,000 characters", async () => {
    expect(idsOf(await ask(db, "found", "E-4711 ".repeat(15_000)))).toEqual(["code"]);
    expect(await ask(db, "found", "x".repeat(100_000))).toEqual([]);
    expect(await ask(db, "found", "x-".repeat(50_000))).toEqual([]);
    expect(idsOf(await ask(db, "found", "京".repeat(99_999) + "都"))).toEqual(["japanese"]);
  });
});

describe("the order", () => {
  test("an exact code comes before any number of common words, and its own chunk is near 1", async () => {
    const words = "how can i replace the broken part with number";
    const common = Array.from({ length: 40 }, (_, i) => ({
      id: `c${i + 10}`,
      content: `${words} ${words} ${words} B-${i}`,
    }));
    await writeStore(db, "codes", [
      ...common,
      { id: "z", content: "Spare: E-4711, out of stock, see the long list of all the others" },
    ]);
    const hits = await ask(db, "codes", `${words} E-4711`, { chunkCount: 41, limit: 50 });
    expect(hits).toHaveLength(41);
    expect(hits[0]?.id).toBe("z");
    const [exact] = await ask(db, "codes", "E-4711", { chunkCount: 41 });
    expect(exact?.score).toBeGreaterThan(0.9);
    expect((await ask(db, "codes", words, { chunkCount: 41, limit: 3 })).map((each) => each.id)).toEqual([
      "c10",
      "c11",
      "c12",
    ]);
  });

  test("denser chunks come first among those with the same words", async () => {
    await writeStore(db, "dense", [
      { id: "a", content: "refund and many other words that are of no use here at all" },
      { id: "b", content: "refund refund refund" },
      { id: "c", content: "refund soon" },
    ]);
    expect(idsOf(await ask(db, "dense", "refund"))).toEqual(["b", "c", "a"]);
  });

  test("by the weight of the words that a chunk has, as counted by hand; all matches, up to the limit", async () => {
    const vocabulary = ["alpha", "beta", "gamma", "delta", "eps"];
    const word = fc.constantFrom(...vocabulary);
    const bodies = fc.array(fc.array(word, { maxLength: 6 }), { minLength: 1, maxLength: 8 });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        bodies,
        fc.uniqueArray(fc.oneof(word, fc.constant("missing")), { minLength: 1 }),
        fc.nat(9),
        async (contents, query, limit) => {
          const store = `hand${(runs += 1)}`;
          const rows = contents.map((each, i) => ({
            id: `${store}-${i}`,
            content: each.join(" "),
            words: new Set(each),
          }));
          await writeStore(db, store, rows);
          const weights = query.map((each) => {
            const count = rows.filter((row) => row.words.has(each)).length;
            return Math.log(1 + rows.length / Math.max(1, count)) ** 2;
          });
          const total = weights.reduce((sum, each) => sum + each, 0);
          const coverage = (words: Set<string>) =>
            query.reduce((sum, each, i) => sum + (words.has(each) ? (weights[i] ?? 0) : 0), 0) / total;
          const found = new Map(
            rows.map((row) => [row.id, coverage(row.words)] as const).filter(([, share]) => share > 0),
          );
          const hits = await ask(db, store, query.join(" "), { limit: limit + 1, chunkCount: rows.length });
          expect(hits).toHaveLength(Math.min(limit + 1, found.size));
          let before = 1;
          for (const { id, score } of hits) {
            const share = found.get(id) ?? NaN;
            expect(score).toBeGreaterThanOrEqual(0.9 * share - 1e-6);
            expect(score).toBeLessThanOrEqual(0.9 * share + 0.1 + 1e-6);
            expect(score).toBeLessThanOrEqual(before);
            before = score;
          }
          const left = [...found].filter(([id]) => !idsOf(hits).includes(id));
          for (const [, share] of left) expect(0.9 * share).toBeLessThanOrEqual(before + 1e-6);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a store with many matches", () => {
  const size = 12_000;
  beforeAll(async () => {
    await writeRecord(db, "many", []);
    const e = db.layout.embeddings;
    // Word wN is in every Nth chunk.
    await sql`INSERT INTO ${e.table} (${e.insertColumns})
      SELECT 'm' || lpad(i::text, 6, '0'), 'many', 'every' || CASE WHEN i % 2 = 0 THEN ' w2' ELSE '' END || CASE WHEN i % 3 = 0 THEN ' w3' ELSE '' END
        || CASE WHEN i % 5 = 0 THEN ' w5' ELSE '' END || CASE WHEN i = 7777 THEN ' K-9' ELSE '' END, '[1,0,0,0,0,0,0,0]',
        jsonb_build_object('n', i, 'tenth', i % 10, 'half', i % 2), now() FROM generate_series(1, ${size}::int) AS i`.execute(
      db.run,
    );
    let after: string | null = null;
    do after = await fillKeywords(db, "many", "simple", after, 5000);
    while (after !== null);
    await database.exec("ANALYZE");
  });
  const asked = (text: string) => ({
    storeId: "many",
    text,
    language: "simple",
    filter: null,
    limit: 20,
    chunkCount: size,
  });
  const search = (text: string, options: object = {}) => searchKeywords(db, { ...asked(text), ...options });

  test("chunks with all words come first, also when none of them is rare", async () => {
    const hits = await search("every w2 w3 w5", { limit: 450 });
    expect(hits).toHaveLength(450);
    expect(hits.slice(0, 400).every((each) => Number(each.id.slice(1)) % 30 === 0)).toBe(true);
  });

  test("a rare word first, and then those with most of the others", async () => {
    const [first, second] = await search("every w2 w3 w5 K-9");
    expect(first?.id).toBe("m007777");
    expect(Number(second?.id.slice(1)) % 30).toBe(0);
    expect((await search("K-9 every", { limit: 1000 })).length).toBe(1000);
  });

  test.each([
    ["narrow", { type: "lte", key: "n", value: 100 }, (n: number) => n <= 100, 100],
    ["one tenth", { type: "eq", key: "tenth", value: 3 }, (n: number) => n % 10 === 3, 700],
    ["half", { type: "eq", key: "half", value: 1 }, (n: number) => n % 2 === 1, 700],
    ["none", { type: "eq", key: "n", value: -1 }, () => false, 0],
  ])("with a filter that lets %s through, all of it is found", async (_, filter, passes, count) => {
    const hits = await search("every w5", { filter, limit: 700 });
    expect(hits).toHaveLength(count);
    for (const { id } of hits) expect(passes(Number(id.slice(1)))).toBe(true);
    const fives = Math.min(
      count,
      Array.from({ length: size }, (__, i) => i + 1).filter((n) => passes(n) && n % 5 === 0).length,
    );
    expect(hits.slice(0, fives).every(({ id }) => Number(id.slice(1)) % 5 === 0)).toBe(true);
  });

  test("the scan gives the same order", async () => {
    const query = asked("w2 w5 K-9");
    const scanned = await scanKeywords(db, query);
    const searched = await db.reading(keywordSettings, (tx) => searchKeywords(tx, query));
    expect(scanned[0]).toMatchObject({ id: "m007777" });
    expect(searched[0]).toMatchObject({ id: "m007777" });
    for (const { id } of [...scanned.slice(1), ...searched.slice(1)]) expect(Number(id.slice(1)) % 10).toBe(0);
  });
});
