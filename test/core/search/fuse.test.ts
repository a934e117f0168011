import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { fuse } from "../../../src/core/search/fuse.js";

const list = fc.uniqueArray(
  fc.integer({ min: 0, max: 15 }).map((n) => n.toString(16)),
  { maxLength: 16 },
);
const lists = fc.record({ vector: list, keyword: list });
const weight = fc.oneof(
  fc.constantFrom(0, 0.1, 0.2, 0.3, 0.5, 1, Number.MIN_VALUE),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const weights = fc.record({ vector: weight, keyword: weight }).filter((each) => each.vector + each.keyword > 0);
/** Weights large enough that scores of different places differ by more than rounding. */
const plainWeights = fc.record({
  vector: fc.integer({ min: 1, max: 10 }).map((n) => n / 10),
  keyword: fc.integer({ min: 1, max: 10 }).map((n) => n / 10),
});

const ids = (hits: readonly { id: string }[]) => hits.map((hit) => hit.id);
const rankIn = (all: readonly string[], id: string) => (all.includes(id) ? all.indexOf(id) + 1 : null);

describe("reciprocal rank fusion", () => {
  test("gives each id of a weighted list once, with its ranks and a score in (0, 1], best first", () => {
    fc.assert(
      fc.property(lists, weights, (given, by) => {
        const hits = fuse(given, by);
        const counting = [...(by.vector > 1e-9 ? given.vector : []), ...(by.keyword > 1e-9 ? given.keyword : [])];
        expect(new Set(ids(hits)).size).toBe(hits.length);
        expect(ids(hits)).toEqual(expect.arrayContaining(counting));
        for (const hit of hits) {
          expect(hit.score).toBeGreaterThan(0);
          expect(hit.score).toBeLessThanOrEqual(1);
          expect(hit.vectorRank).toBe(rankIn(given.vector, hit.id));
          expect(hit.keywordRank).toBe(rankIn(given.keyword, hit.id));
        }
        for (const [i, hit] of hits.slice(1).entries()) {
          const before = hits[i];
          expect(hit.score).toBeLessThanOrEqual(before?.score ?? 0);
          if (hit.score === before?.score) expect(before.id < hit.id).toBe(true);
        }
      }),
    );
  });

  test("keeps one list's order if the other has no weight or is empty", () => {
    fc.assert(
      fc.property(lists, plainWeights, ({ vector, keyword }, by) => {
        expect(ids(fuse({ vector, keyword }, { vector: by.vector, keyword: 0 }))).toEqual(vector);
        expect(ids(fuse({ vector, keyword }, { vector: 0, keyword: by.keyword }))).toEqual(keyword);
        expect(ids(fuse({ vector, keyword: [] }, by))).toEqual(vector);
        expect(ids(fuse({ vector: [], keyword }, by))).toEqual(keyword);
      }),
    );
  });

  test("does not depend on the order of the lists, nor on scaling both weights", () => {
    fc.assert(
      fc.property(lists, plainWeights, ({ vector, keyword }, by) => {
        const scores = (hits: readonly { id: string; score: number }[]) =>
          new Map(hits.map((hit) => [hit.id, hit.score]));
        const usual = scores(fuse({ vector, keyword }, by));
        const swapped = scores(fuse({ vector: keyword, keyword: vector }, { vector: by.keyword, keyword: by.vector }));
        const halved = scores(fuse({ vector, keyword }, { vector: by.vector / 2, keyword: by.keyword / 2 }));
        expect(swapped).toEqual(usual);
        expect(halved).toEqual(usual);
      }),
    );
  });

  test("never puts an id behind another that it precedes in both lists", () => {
    fc.assert(
      fc.property(lists, plainWeights, (given, by) => {
        const hits = fuse(given, by);
        const place = (rank: number | null) => rank ?? Infinity;
        for (const [i, behind] of hits.entries()) {
          for (const ahead of hits.slice(0, i)) {
            const better =
              place(behind.vectorRank) < place(ahead.vectorRank) &&
              place(behind.keywordRank) < place(ahead.keywordRank);
            expect(better).toBe(false);
          }
        }
      }),
    );
  });

  test("gives 1 to the first in both lists, and 0.5 to the first in one of two equal lists", () => {
    fc.assert(
      fc.property(weights, (by) => {
        expect(fuse({ vector: ["a"], keyword: ["a"] }, by)[0]?.score).toBeCloseTo(1, 12);
      }),
    );
    expect(fuse({ vector: ["a"], keyword: ["b"] }, { vector: 1, keyword: 1 })).toEqual([
      { id: "a", score: 0.5, vectorRank: 1, keywordRank: null },
      { id: "b", score: 0.5, vectorRank: null, keywordRank: 1 },
    ]);
  });

  test("puts the second in both lists before the first in one", () => {
    const hits = fuse({ vector: ["a", "b"], keyword: ["c", "b"] }, { vector: 1, keyword: 1 });
    expect(ids(hits)).toEqual(["b", "a", "c"]);
  });

  test("counts an id that a list repeats at its first place", () => {
    const hits = fuse({ vector: ["a", "b", "a"], keyword: [] }, { vector: 1, keyword: 0 });
    expect(hits.map(({ id, vectorRank }) => [id, vectorRank])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });
});
