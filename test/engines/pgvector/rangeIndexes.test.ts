import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sql } from "kysely";
import type { Pgvector } from "../../../src/engines/pgvector/context.js";
import { giveEngine } from "../../support/engine.js";
import { compileFilter } from "../../../src/db/filterSql.js";
import { matchingIds } from "../../../src/engines/pgvector/passing.js";
import { type Filter, parseFilter } from "../../../src/words/filter.js";
import { type TestService, startService } from "../../support/service.js";
import { batchPath, createStore, rowsOf } from "../../support/stores.js";

/** Keys and texts as people write them, and as nobody should. */
const oddKey = `it's "a" \\ key; $1`;
const rows = 330;
const dayOf = (n: number) => `2026-${String(1 + (n % 12)).padStart(2, "0")}-${String(1 + (n % 28)).padStart(2, "0")}`;
/** Around the 200 characters that an index has of a text, and beyond; some differ only after them. */
const endings = ["", "a", "b", "😀", "zz"];
const textOf = (n: number) => "é".repeat(195 + (n % 8)) + (endings[n % 5] ?? "");
const metadataOf = (n: number) => ({
  n,
  [oddKey]: n / 2,
  day: dayOf(n),
  month: dayOf(n),
  text: textOf(n),
  tags: [`t${n % 40}`, n % 30, null],
  user: { id: n % 50, roles: [`r${n % 60}`] },
  mixed: [n, `${n}`, n % 2 === 0, null][n % 4],
});

let service: TestService;
let pg: Pgvector;
let id: string;
beforeAll(async () => {
  service = await startService({ environment: { INDEX_MIN_ROWS: "300" } });
  pg = giveEngine(service);
  id = await createStore(service);
  const embeddings = rowsOf(rows, (n) => ({ id: `row-${n}`, metadata: metadataOf(n) }));
  await service.post(batchPath(id), { embeddings, return: "count" }).expect(200);
  await settle();
  // The service remembers the store for a second, as it was without an index.
  service.deps.recentStores.clear();
});
afterAll(() => service.close());

async function settle(): Promise<void> {
  while ((await service.deps.engine.upkeep(() => Promise.resolve(true))) > 0);
}

const indexes = async () =>
  (
    await service.database.query<{ definition: string }>(
      "SELECT indexdef AS definition FROM pg_indexes WHERE indexname LIKE 'embeddings_range_%' ORDER BY 1",
    )
  ).map((row) => row.definition);

const found = async (filters: unknown) => {
  const path = `/v1/vector_stores/${id}/search`;
  const answer = await service.post(path, { query: "any", max_num_results: 50, filters }).expect(200);
  return (answer.body as { data: { id: string }[] }).data.map((hit) => hit.id).toSorted();
};

/** The ids that pass a filter, read through an index wherever one can answer. */
async function matches(filter: Filter | null): Promise<{ ids: string[]; plan: string }> {
  return service.db.reading({ enable_seqscan: "off", enable_indexonlyscan: "off" }, async (tx) => {
    const query = matchingIds(tx.layout, id, filter);
    const { rows: all } = await sql<{ id: string }>`${query}`.execute(tx.run);
    const { rows: plan } = await sql<object>`EXPLAIN ${query}`.execute(tx.run);
    return { ids: all.map((row) => row.id).toSorted(), plan: JSON.stringify(plan) };
  });
}

const numbersOf = (which: (n: number) => boolean) =>
  Array.from({ length: rows }, (_, i) => i + 1)
    .filter(which)
    .map((n) => `row-${n}`)
    .toSorted();

describe("ranges of an indexed store", () => {
  test.each([
    ["numbers", { type: "and", filters: [{ type: "gte", key: "n", value: 40 }, { type: "lt", key: "n", value: 50 }] }, (n: number) => n >= 40 && n < 50], // prettier-ignore
    ["a key with quotes", { type: "lt", key: oddKey, value: 5.5 }, (n: number) => n / 2 < 5.5],
    ["a beginning of texts", { type: "prefix", key: "month", value: "2026-12" }, (n: number) => dayOf(n).startsWith("2026-12")], // prettier-ignore
    ["days as texts", { type: "gt", key: "day", value: "2026-12-20" }, (n: number) => dayOf(n) > "2026-12-20"],
  ])("%s get an index by the first filter on them, and the same rows by it", async (_, filters, expected) => {
    const before = await indexes();
    const first = await found(filters);
    await settle();
    expect(await indexes()).toHaveLength(before.length + 1);
    expect(await found(filters)).toEqual(first);
    expect(first).toEqual(numbersOf(expected));
    const { ids, plan } = await matches(parseFilter(filters));
    expect(ids).toEqual(first);
    expect(plan).toContain("embeddings_range_");
    // A second search requests no second index.
    await found(filters);
    await settle();
    expect(await indexes()).toHaveLength(before.length + 1);
  });

  test.each([
    ["eq with an element", { tags: "t7" }, (n: number) => n % 40 === 7],
    ["in with elements", { type: "in", key: "tags", value: ["t7", 3] }, (n: number) => n % 40 === 7 || n % 30 === 3],
    ["a nested key", { "user.id": 4 }, (n: number) => n % 50 === 4],
    ["a nested array", { type: "in", key: "user.roles", value: ["r1", "r2"] }, (n: number) => [1, 2].includes(n % 60)],
    ["contains", { type: "contains", key: "tags", value: 3 }, (n: number) => n % 30 === 3],
    ["all", { type: "all", key: "tags", value: [3, "t3"] }, (n: number) => n % 30 === 3 && n % 40 === 3],
  ])("%s is answered by the index on metadata", async (_, filters, expected) => {
    const filter = parseFilter(filters);
    expect((await matches(filter)).ids).toEqual(numbersOf(expected));
    expect(await found(filters)).toEqual(numbersOf(expected));
    // Without the store: reading all of so small a store is as cheap.
    const plan = await service.db.reading({ enable_seqscan: "off" }, async (tx) => {
      const { table, metadata } = tx.layout.embeddings;
      const condition = filter === null ? sql`true` : compileFilter(filter, metadata);
      return (await sql<object>`EXPLAIN SELECT FROM ${table} AS e WHERE ${condition}`.execute(tx.run)).rows;
    });
    expect(JSON.stringify(plan)).toContain("Bitmap Index Scan on embeddings_by_metadata");
  });

  test("texts are compared whole, by code point, however long they are", async () => {
    await found({ type: "gt", key: "text", value: "é" });
    await settle();
    const points = (text: string) => Array.from(text, (each) => each.codePointAt(0) ?? 0);
    const compare = (a: string, b: string) => {
      const [left, right] = [points(a), points(b)];
      const at = left.findIndex((each, i) => each !== right[i]);
      return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
    };
    const holds = {
      gt: (d: number) => d > 0,
      gte: (d: number) => d >= 0,
      lt: (d: number) => d < 0,
      lte: (d: number) => d <= 0,
    };
    const tail = fc.string({ unit: fc.constantFrom("é", "a", "b", "😀", "z"), maxLength: 3 });
    const value = fc.tuple(fc.integer({ min: 192, max: 204 }), tail).map(([n, end]) => "é".repeat(n) + end);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("gt" as const, "gte", "lt", "lte", "prefix"), value, async (type, text) => {
        const { ids, plan } = await matches({ type, key: "text", value: text });
        const passes = (n: number) =>
          type === "prefix" ? textOf(n).startsWith(text) : holds[type](compare(textOf(n), text));
        expect(ids).toEqual(numbersOf(passes));
        expect(plan).toContain("embeddings_range_");
      }),
      { numRuns: 40 },
    );
  });

  test("values of another type are in no range, with or without the index", async () => {
    const filters = { type: "gte", key: "mixed", value: 100 };
    const before = await found({ type: "and", filters: [filters, { type: "lt", key: "n", value: 180 }] });
    await settle();
    expect(before).toEqual(numbersOf((n) => n % 4 === 0 && n >= 100 && n < 180));
    expect((await matches(parseFilter(filters))).ids).toEqual(numbersOf((n) => n % 4 === 0 && n >= 100));
  });

  test("there are eight at most, and filters on other keys are answered without", async () => {
    for (let i = 0; i < 12; i += 1) expect(await found({ type: "gt", key: `absent ${i}`, value: 1 })).toEqual([]);
    await settle();
    expect(await indexes()).toHaveLength(8);
    expect(await found({ type: "gt", key: "absent 11", value: 1 })).toEqual([]);
  });

  test("filters that the index on metadata answers request no other", async () => {
    const known = pg.ranges.size;
    await found({
      type: "and",
      filters: [
        { type: "eq", key: "n", value: 7 },
        { type: "gt", key: "new", value: 1 },
      ],
    });
    await found({ type: "ne", key: "new", value: 1 });
    expect(pg.ranges.size).toBe(known);
  });
});

test("a store that is searched exactly requests no index", async () => {
  const small = await createStore(service);
  await service.post(batchPath(small), { embeddings: rowsOf(3, () => ({ metadata: { n: 1 } })), return: "count" });
  const known = pg.ranges.size;
  const filters = { type: "gt", key: "unseen", value: 0 };
  await service.post(`/v1/vector_stores/${small}/search`, { query: "any", filters }).expect(200);
  expect(pg.ranges.size).toBe(known);
});
