import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { testDimensions } from "../../support/settings.js";
import { type TestService, startService } from "../../support/service.js";
import { batchPath, createStore, postText, stubLitellm } from "../../support/stores.js";
import { ExactNumber, exactJson, parseExactJson } from "../../../src/words/exactJson.js";
import { type ClientFilter, anyFilter, anyMetadata, matches } from "../../support/filterBruteForce.js";

/** The query text is its vector, so a test controls it exactly. */
const litellm = stubLitellm({
  embedQuery: (text) => Promise.resolve(Float32Array.from(JSON.parse(text) as number[])),
});

let service: TestService;
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());

interface Data {
  id: string;
  vector: number[];
  metadata: Record<string, unknown> | null;
}
interface Search {
  query: number[];
  filter: ClientFilter | null;
  limit: number;
  /** A number, or "of a row": exactly the score of some row, which must still be found. */
  threshold: number | "of a row" | null;
}

/** With the digits of every number, as clients of other languages write them; JSON.stringify also writes -0 as 0. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, each: unknown) {
    const given = this[key];
    if (given instanceof ExactNumber) return `<${given.text}>`;
    return Object.is(each, -0) ? "<-0>" : each;
  });
  return text.replace(/"<(-?[\d.]+)>"/g, "$1");
}

/**
 * Small whole numbers: float32 sums of their products are exact, so equal scores are equal in the test and in the
 * database, bit by bit.
 */
const wholeVector = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: testDimensions, maxLength: testDimensions })
  .filter((vector) => vector.some((value) => value !== 0));
const floatVector = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }), {
    minLength: testDimensions,
    maxLength: testDimensions,
  })
  .filter((vector) => vector.some((value) => Math.abs(value) > 0.01));

const anySearch = (vector: fc.Arbitrary<number[]>): fc.Arbitrary<Search> =>
  fc.record({
    query: vector,
    filter: anyFilter,
    limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 50 })),
    threshold: fc.oneof(
      fc.constant(null),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constant("of a row" as const),
    ),
  });

/** Vectors come from a small pool, so there are ties, also between a vector and its double; ids are in no order. */
const anyData = (vector: fc.Arbitrary<number[]>): fc.Arbitrary<Data[]> =>
  fc.array(vector, { minLength: 1, maxLength: 8 }).chain((pool) =>
    fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[0-9a-f]{12}$/),
        vector: fc
          .tuple(fc.constantFrom(...pool), fc.constantFrom(1, 2))
          .map(([each, factor]) => each.map((value) => value * factor)),
        metadata: anyMetadata,
      }),
      { maxLength: 60, selector: (row) => row.id, size: "max" },
    ),
  );

function scoreOf(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [a.map(Math.fround), b.map(Math.fround)];
  const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * (q[i] ?? 0), 0);
  const cosine = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  return 1 - (1 - Math.min(1, Math.max(-1, cosine))) / 2;
}

function bruteForce(data: readonly Data[], search: Search, threshold: number) {
  return data
    .filter((row) => matches(search.filter, row.metadata ?? {}))
    .map((row) => ({ id: row.id, score: scoreOf(search.query, row.vector) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, search.limit)
    .filter((hit) => hit.score >= threshold);
}

async function load(rows: Data[]): Promise<{ storeId: string; rows: Data[] }> {
  const storeId = await createStore(service);
  const embeddings = rows.map(({ id, vector, metadata }) => ({ id, content: id, embedding: vector, metadata }));
  if (rows.length > 0) {
    const answer = await postText(service, batchPath(storeId), toJson({ embeddings, return: "count" }));
    if (answer.status !== 200) throw new Error(answer.text);
  }
  return { storeId, rows };
}

async function ask(storeId: string, search: Search, threshold: number | null) {
  const body = {
    query: JSON.stringify(search.query),
    max_num_results: search.limit,
    filters: search.filter === null ? null : "typed" in search.filter ? search.filter.typed : search.filter.flat,
    ranking_options: threshold === null ? null : { score_threshold: threshold },
  };
  const answer = await postText(service, `/v1/vector_stores/${storeId}/search`, toJson(body));
  if (answer.status !== 200) throw new Error(answer.text);
  return (parseExactJson(answer.text) as { data: { id: string; score: number; metadata: unknown }[] }).data;
}

/**
 * Time to try all examples and to shrink a counterexample. Shorter than the test's own limit, which would hide it, but
 * several times what a busy machine needs.
 */
const shrinking = { interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true };

describe("search is exact", () => {
  test("for any data, filter, limit and threshold the answer matches brute force, ties by id", async () => {
    // Guards against generators whose filters and data never match: comparing empty answers proves nothing.
    const seen = { hits: 0, filtered: 0, fewer: 0, ties: 0, cut: 0 };
    const scenario = fc.record({
      data: anyData(wholeVector),
      searches: fc.array(anySearch(wholeVector), { minLength: 12, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ data, searches }) => {
        const { storeId, rows } = await load(data);
        const check = async (search: Search, i: number) => {
          const row = rows[i % Math.max(1, rows.length)];
          const ofRow = row === undefined ? 0.5 : scoreOf(search.query, row.vector);
          const threshold = search.threshold === "of a row" ? ofRow : search.threshold;
          const found = await ask(storeId, search, threshold);
          const expected = bruteForce(rows, search, threshold ?? 0);
          expect(found.map((hit) => hit.id)).toEqual(expected.map((hit) => hit.id));
          found.forEach((hit, k) => {
            expect(Math.abs(hit.score - (expected[k]?.score ?? NaN))).toBeLessThan(1e-6);
          });
          const matching = rows.filter((each) => matches(search.filter, each.metadata ?? {})).length;
          seen.hits += found.length;
          seen.filtered += matching > 0 && matching < rows.length ? 1 : 0;
          seen.fewer += found.length > 0 && found.length < search.limit ? 1 : 0;
          seen.ties += new Set(found.map((hit) => hit.score)).size < found.length ? 1 : 0;
          seen.cut += threshold !== null && found.length > 0 && matching > found.length ? 1 : 0;
        };
        await Promise.all(searches.map(check));
      }),
      { numRuns: 30, ...shrinking },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
  });

  test("fractions too: every score within 1e-6 of the true one, and nothing better left out", async () => {
    const scenario = fc.record({
      data: anyData(floatVector),
      searches: fc.array(anySearch(floatVector), { minLength: 4, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ data, searches }) => {
        const { storeId, rows } = await load(data);
        await Promise.all(
          searches.map(async (search) => {
            const found = await ask(storeId, search, null);
            const expected = bruteForce(rows, search, 0);
            expect(found).toHaveLength(expected.length);
            found.forEach((hit, k) => {
              const vector = rows.find((row) => row.id === hit.id)?.vector ?? [];
              expect(Math.abs(hit.score - scoreOf(search.query, vector))).toBeLessThan(1e-6);
              expect(Math.abs(hit.score - (expected[k]?.score ?? NaN))).toBeLessThan(1e-6);
            });
          }),
        );
      }),
      { numRuns: 20, ...shrinking },
    );
  });

  test("metadata comes back as it was given", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyMetadata, { minLength: 20, maxLength: 20 }), async (metadatas) => {
        const vector = [1, 0, 0, 0, 0, 0, 0, 0];
        const { storeId } = await load(metadatas.map((metadata, i) => ({ id: String(i), vector, metadata })));
        const found = await ask(storeId, { query: vector, filter: null, limit: 50, threshold: null }, null);
        const byId = new Map(found.map((hit) => [hit.id, hit.metadata]));
        metadatas.forEach((metadata, i) => {
          // jsonb keeps numbers as decimals, which have no negative zero.
          const expected = parseExactJson(exactJson(metadata ?? {}));
          expect(byId.get(String(i))).toEqual(expected);
        });
      }),
      { numRuns: 10, ...shrinking },
    );
  });
});
