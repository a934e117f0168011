import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Candidate, diversify } from "../../../src/core/search/diversify.js";

const vector = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 })
  .map((each) => Float32Array.from(each));
const candidate = fc.record({
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  embedding: fc.option(vector, { freq: 5 }),
});
const candidates = fc
  .array(candidate, { maxLength: 12 })
  .map((all) => all.sort((a, b) => b.score - a.score).map((each, n) => ({ ...each, n })));
const diversity = fc.double({ min: 0, max: 1, noNaN: true });
const limit = fc.integer({ min: 0, max: 15 });

/** 0…1, of vectors of any length. */
function likeness(a: Candidate, b: Candidate): number {
  if (a.embedding === null || b.embedding === null) return 0;
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, each, i) => sum + each * (y[i] ?? 0), 0);
  const lengths = Math.sqrt(dot(a.embedding, a.embedding) * dot(b.embedding, b.embedding));
  return (1 + (lengths === 0 ? 0 : dot(a.embedding, b.embedding) / lengths)) / 2;
}

const closestTo = (each: Candidate, picked: readonly Candidate[]) =>
  Math.max(0, ...picked.map((other) => likeness(each, other)));

describe("diversify", () => {
  test("picks as many as requested or available, each once, the best first", () => {
    fc.assert(
      fc.property(candidates, limit, diversity, (all, count, share) => {
        const picked = diversify(all, count, share);
        expect(picked).toHaveLength(Math.min(count, all.length));
        expect(new Set(picked).size).toBe(picked.length);
        expect(all).toEqual(expect.arrayContaining(picked));
        // The first pick has nothing to differ from; at 1, scores do not count, so the first candidate is picked.
        if (picked.length > 0) expect(picked[0]?.score).toBe(all[0]?.score);
      }),
    );
  });

  test("without a limit is a permutation, and a smaller limit gives the beginning of a larger one's result", () => {
    fc.assert(
      fc.property(candidates, limit, diversity, (all, count, share) => {
        const whole = diversify(all, all.length, share);
        expect(whole.map((each) => each.n).sort((a, b) => a - b)).toEqual(all.map((each) => each.n));
        expect(diversify(all, count, share)).toEqual(whole.slice(0, count));
      }),
    );
  });

  test("of 0 keeps the order", () => {
    fc.assert(
      fc.property(candidates, limit, (all, count) => {
        expect(diversify(all, count, 0)).toEqual(all.slice(0, count));
      }),
    );
  });

  test("picks a best remaining candidate at each step", () => {
    fc.assert(
      fc.property(candidates, diversity, (all, share) => {
        const picked = diversify(all, all.length, share);
        for (const [i, each] of picked.entries()) {
          const before = picked.slice(0, i);
          const worth = (one: Candidate) => (1 - share) * one.score - share * closestTo(one, before);
          // Single-precision unit vectors: similarities differ from ours by some 1e-7.
          for (const other of picked.slice(i + 1)) expect(worth(each)).toBeGreaterThanOrEqual(worth(other) - 1e-6);
        }
      }),
    );
  });

  test("depends on vectors' directions, not their lengths", () => {
    fc.assert(
      fc.property(candidates, diversity, fc.constantFrom(2, 0.5, 1024), (all, share, factor) => {
        const scaled = all.map((each) => ({ ...each, embedding: each.embedding?.map((x) => x * factor) ?? null }));
        const order = (some: readonly { n: number }[]) => some.map((each) => each.n);
        expect(order(diversify(scaled, 12, share))).toEqual(order(diversify(all, 12, share)));
      }),
    );
  });

  test("puts a copy of a picked result behind a different one that is a little worse", () => {
    const east = Float32Array.of(1, 0);
    const [first, copy, other] = [
      { score: 0.9, embedding: east },
      { score: 0.89, embedding: east },
      { score: 0.7, embedding: Float32Array.of(0, 1) },
    ];
    expect(diversify([first, copy, other], 3, 0.5)).toEqual([first, other, copy]);
    expect(diversify([first, copy, other], 3, 0.1)).toEqual([first, copy, other]);
  });

  test("treats missing vectors, and vectors of another length, as unlike all others", () => {
    const first = { score: 0.9, embedding: Float32Array.of(1, 0) };
    const copy = { score: 0.8, embedding: Float32Array.of(1, 0) };
    const longer = { score: 0.1, embedding: Float32Array.of(1, 0, 0) };
    const without = { score: 0, embedding: null };
    expect(diversify([first, copy, longer, without], 4, 0.9)).toEqual([first, longer, without, copy]);
  });
});
