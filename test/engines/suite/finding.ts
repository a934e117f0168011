import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { FoundChunk } from "../../../src/words/chunk.js";
import { exactJson, parseExactJson } from "../../../src/words/exactJson.js";
import { type Filter, parseFilter } from "../../../src/words/filter.js";
import { type ClientFilter, anyFilter, anyMetadata, matches } from "../../support/filterBruteForce.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

/** 1 − cosine distance / 2, in double precision. */
function cosineScore(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, each, i) => sum + each * (y[i] ?? 0), 0);
  return (1 + dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))) / 2;
}

/** Best first; scores within rounding of each other are equal, and then the ids decide. */
const inOrder = (chunks: readonly FoundChunk[]) =>
  chunks.toSorted((a, b) => (Math.abs(a.score - b.score) > 1e-6 ? b.score - a.score : a.id < b.id ? -1 : 1));

export function findingSuite(name: string, suite: Suite): void {
  const { under, current, id, makeStore, dropStore, put } = suite;

  describe(`${name}: finding`, () => {
    test("the nearest chunks match brute force for any data and filter, with exact scores and ties by id", async () => {
      const row = fc.record({ seed: fc.integer({ min: 1, max: 12 }), metadata: anyMetadata });
      const check = async (
        rows: readonly { seed: number; metadata: Record<string, unknown> | null }[],
        seed: number,
        given: ClientFilter | null,
        limit: number,
      ) => {
        const store = await makeStore();
        const idOf = (i: number) => id(String(i).padStart(2, "0"));
        await put(
          store,
          rows.map(({ seed: own, metadata }, i) => chunkOf(own, { id: idOf(i), metadata })),
        );
        const filter = parseFilter(given === null ? null : "typed" in given ? given.typed : given.flat);
        const query = { embedding: vectorOf(seed), filter, limit, recall: "exact" as const };
        const found = await under().engine.nearest(await current(store), query);
        const passes = rows.filter(({ metadata }) =>
          // As JSON has it: -0 is 0.
          matches(given, parseExactJson(exactJson(metadata ?? {})) as Record<string, unknown>),
        );
        const scores = passes.map((each) => cosineScore(vectorOf(each.seed), vectorOf(seed))).sort((a, b) => b - a);
        expect(await under().engine.count(store, filter)).toMatchObject({ chunks: passes.length });
        expect(found).toHaveLength(Math.min(limit, passes.length));
        found.forEach((chunk, i) => {
          expect(chunk.score).toBeCloseTo(scores[i] ?? -1, 5);
          expect(chunk).toMatchObject({ storeId: store.id, vectorRank: i + 1, keywordRank: null });
        });
        expect(found.map((chunk) => chunk.id)).toEqual(inOrder(found).map((chunk) => chunk.id));
        await dropStore(store);
      };
      const rows = fc.array(row, { minLength: 1, maxLength: 12 });
      const seeds = fc.integer({ min: 1, max: 30 });
      const property = fc.asyncProperty(rows, seeds, anyFilter, fc.integer({ min: 1, max: 15 }), check);
      await fc.assert(property, { numRuns: under().runs });
    });

    test("chunks with more of the words come first, and the filter applies", async () => {
      const { words } = under().engine;
      if (words === null) return;
      const store = await makeStore();
      const texts = ["alpha beta gamma", "alpha beta", "alpha", "delta"];
      await put(
        store,
        texts.map((content, n) => chunkOf(n + 1, { id: id(`w${n}`), content, metadata: { n } })),
      );
      const match = async (filter: Filter | null, limit = 10) =>
        words.matching(await current(store), {
          text: "Alpha beta gamma",
          language: words.usualLanguage,
          filter,
          limit,
        });
      const found = await match(null);
      expect(found.map((chunk) => [chunk.id, chunk.keywordRank, chunk.vectorRank])).toEqual([
        [id("w0"), 1, null],
        [id("w1"), 2, null],
        [id("w2"), 3, null],
      ]);
      expect(found[0]).toMatchObject({ content: texts[0], metadata: { n: 0 }, storeId: store.id });
      for (const { score } of found) expect(score > 0 && score <= 1).toBe(true);
      expect((await match({ type: "gte", key: "n", value: 1 }, 1)).map((chunk) => chunk.id)).toEqual([id("w1")]);
      expect(await words.problemWith(words.usualLanguage)).toBeNull();
      expect(await words.problemWith("no such language")).toEqual(expect.any(String));
      expect(words.languages).toContain(words.usualLanguage);
    });

    test("pages go forwards and backwards through all chunks, each once", async () => {
      const store = await makeStore();
      await put(
        store,
        Array.from({ length: 7 }, (_, n) => chunkOf(n + 1, { id: id(`p${n}`) })),
      );
      const page = async (given: { order?: "asc" | "desc"; after?: string; before?: string }) => {
        const { order = "asc", after = null, before = null } = given;
        const wanted = { limit: 3, order, after, before, embeddings: false };
        const { chunks, hasMore } = await under().engine.page(await current(store), {}, wanted);
        return { numbers: chunks.map((chunk) => Number(chunk.id.at(-1))), hasMore };
      };
      expect(await page({})).toEqual({ numbers: [0, 1, 2], hasMore: true });
      expect(await page({ after: id("p2") })).toEqual({ numbers: [3, 4, 5], hasMore: true });
      expect(await page({ after: id("p5") })).toEqual({ numbers: [6], hasMore: false });
      expect(await page({ order: "desc", after: id("p3") })).toEqual({ numbers: [2, 1, 0], hasMore: false });
      expect(await page({ before: id("p5") })).toEqual({ numbers: [2, 3, 4], hasMore: true });
      expect(await page({ after: id("absent") })).toEqual({ numbers: [0, 1, 2], hasMore: true });
    });
  });
}
