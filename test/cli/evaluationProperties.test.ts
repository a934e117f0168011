import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { evaluate, ndcgOf, type Placed, recallOf, reciprocalRankOf } from "../../src/cli/evaluation.js";
import { files, named, placed } from "./evaluationSupport.js";

const anyK = fc.integer({ min: 1, max: 50 });
const anyGrade = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 5 }),
  fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
);
/** Ranks of items among k results; several may share a result. */
const anyPlaces = (k: number, most = 12) =>
  fc
    .array(fc.tuple(anyGrade, fc.option(fc.integer({ min: 1, max: k }), { freq: 3 })), {
      minLength: 1,
      maxLength: most,
    })
    .map((pairs) => placed(...pairs));
const anyCase = (most?: number) => anyK.chain((k) => fc.record({ k: fc.constant(k), places: anyPlaces(k, most) }));

/** The textbook's formula, for at most one item per result. */
function textbook(places: readonly Placed[], k: number): number {
  const discounted = (grades: number[]) => grades.reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
  const inOrder = Array.from({ length: k }, (_, i) => places.find(({ place }) => place === i + 1)?.item.grade ?? 0);
  const grades = places.map(({ item }) => item.grade).sort((a, b) => b - a);
  return discounted(inOrder) / discounted(grades.slice(0, k));
}

/** The best gain of all ways to give each item its own rank, no rank before its result's. */
function bestGain(places: readonly Placed[], k: number, taken: readonly number[] = []): number {
  const [first, ...rest] = places;
  if (first === undefined) return 0;
  let best = bestGain(rest, k, taken);
  for (let place = first.place ?? Infinity; place <= k; place += 1) {
    if (taken.includes(place)) continue;
    best = Math.max(best, first.item.grade / Math.log2(place + 1) + bestGain(rest, k, [...taken, place]));
  }
  return best;
}

describe("whatever was found", () => {
  test("every figure is in 0…1, and 0 exactly when nothing was found", () => {
    fc.assert(
      fc.property(anyCase(), ({ k, places }) => {
        const figures = [recallOf(places), reciprocalRankOf(places), ndcgOf(places, k)];
        const none = places.every(({ place }) => place === null);
        for (const figure of figures) {
          expect(figure).toBeGreaterThanOrEqual(0);
          expect(figure).toBeLessThanOrEqual(1);
          expect(figure === 0).toBe(none);
        }
      }),
    );
  });

  test("the best order is 1, and less if every item comes one rank later", () => {
    fc.assert(
      fc.property(anyK, fc.array(anyGrade, { minLength: 1, maxLength: 60 }), (k, grades) => {
        const best = grades
          .sort((a, b) => b - a)
          .map((grade, i): [number, number | null] => [grade, i < k ? i + 1 : null]);
        expect(ndcgOf(placed(...best), k)).toBe(1);
        const later = best.map(([grade, place]): [number, number | null] => [
          grade,
          place === null || place === k ? null : place + 1,
        ]);
        expect(ndcgOf(placed(...later), k)).toBeLessThan(1);
      }),
    );
  });

  test("with one item per result, nDCG is the textbook's", () => {
    const apart = anyK.chain((k) =>
      fc.record({
        k: fc.constant(k),
        places: fc
          .tuple(fc.uniqueArray(fc.integer({ min: 1, max: k }), { minLength: 1 }), fc.array(anyGrade, { maxLength: 3 }))
          .chain(([found, missing]) =>
            fc
              .array(anyGrade, { minLength: found.length, maxLength: found.length })
              .map((grades) => [
                ...grades.map((grade, i): [number, number | null] => [grade, found[i] ?? null]),
                ...missing.map((grade): [number, number | null] => [grade, null]),
              ]),
          )
          .map((pairs) => placed(...pairs)),
      }),
    );
    fc.assert(
      fc.property(apart, ({ k, places }) => {
        expect(ndcgOf(places, k)).toBeCloseTo(textbook(places, k), 10);
      }),
    );
  });

  test("with several items per result, nDCG is the best possible gain", () => {
    const small = fc
      .integer({ min: 1, max: 5 })
      .chain((k) => fc.record({ k: fc.constant(k), places: anyPlaces(k, 5) }));
    fc.assert(
      fc.property(small, ({ k, places }) => {
        const atFirst = places.map(({ item }) => ({ item, place: 1 }));
        expect(ndcgOf(places, k)).toBeCloseTo(bestGain(places, k) / bestGain(atFirst, k), 10);
      }),
    );
  });

  test("finding an item earlier lowers no figure", () => {
    fc.assert(
      fc.property(anyCase(), fc.nat(), fc.nat(), ({ k, places }, which, where) => {
        const index = which % places.length;
        const better = places.map((each, i) =>
          i === index ? { ...each, place: 1 + (where % (each.place ?? k)) } : each,
        );
        expect(recallOf(better)).toBeGreaterThanOrEqual(recallOf(places));
        expect(reciprocalRankOf(better)).toBeGreaterThanOrEqual(reciprocalRankOf(places));
        expect(ndcgOf(better, k)).toBeGreaterThanOrEqual(ndcgOf(places, k) - 1e-12);
      }),
    );
  });

  test("swapping two results raises nDCG exactly if the better one then comes first", () => {
    const order = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(order, fc.nat(), (grades, which) => {
        fc.pre(grades.some((grade) => grade > 0));
        const k = grades.length;
        const at = which % (k - 1);
        const [first = 0, second = 0] = [grades[at], grades[at + 1]];
        const swapped = grades.map((grade, i) => (i === at ? second : i === at + 1 ? first : grade));
        const ndcg = (each: number[]) =>
          ndcgOf(placed(...each.map((grade, i): [number, number] => [grade, i + 1]).filter(([grade]) => grade > 0)), k);
        const change = ndcg(swapped) - ndcg(grades);
        expect(Math.abs(change) < 1e-12 ? 0 : Math.sign(change)).toBe(Math.sign(second - first));
      }),
    );
  });

  test("neither the order of items nor the scale of grades matters", () => {
    fc.assert(
      fc.property(anyCase(), fc.double({ min: 0.01, max: 100, noNaN: true }), ({ k, places }, factor) => {
        const other = places
          .map(({ item, place }) => ({ item: { ...item, grade: item.grade * factor }, place }))
          .reverse();
        expect(ndcgOf(other, k)).toBeCloseTo(ndcgOf(places, k), 10);
        expect(recallOf(other)).toBe(recallOf(places));
        expect(reciprocalRankOf(other)).toBe(reciprocalRankOf(places));
      }),
    );
  });

  test("results after the k-th change nothing", () => {
    const anyFiles = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(anyFiles, anyFiles, (first, more) => {
        const items = [named("a", 2), named("b")];
        const k = Math.max(1, first.length);
        fc.pre(first.length > 0);
        expect(evaluate(items, files(...first, ...more), k)).toEqual(evaluate(items, files(...first), k));
      }),
    );
  });
});
