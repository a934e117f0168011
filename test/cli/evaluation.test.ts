import { describe, expect, test } from "@jest/globals";
import { evaluate, type Item, mean, median, ndcgOf, placeItems, type Result } from "../../src/cli/evaluation.js";
import { files, named, placed } from "./evaluationSupport.js";

const phrase = (text: string): Item => ({ kind: "phrase", text, grade: 1 });

describe("where an item is found", () => {
  const placesOf = (items: Item[], results: Result[]) => placeItems(items, results).map(({ place }) => place);

  test("by the whole id of a chunk, or the whole id or name of a file", () => {
    const results: Result[] = [
      { id: "emb_1", file_id: "file-1", filename: "a.md", text: "" },
      { id: "emb_2", file_id: "", filename: "", text: "" },
    ];
    expect(
      placesOf(
        ["emb_2", "file-1", "a.md", "a", "A.md"].map((each) => named(each)),
        results,
      ),
    ).toEqual([2, 1, 1, null, null]);
  });

  test("once, at its first rank", () => {
    expect(placesOf([named("b"), named("a")], files("a", "b", "a", "b"))).toEqual([2, 1]);
  });

  test("by a phrase, in any case and with any whitespace; a name does not match texts", () => {
    const results: Result[] = [{ filename: "days", text: "Returns  within\n30\u00a0DAYS." }];
    expect(placesOf([phrase("returns within"), phrase(" 30 days"), phrase("31 days")], results)).toEqual([1, 1, null]);
    expect(placesOf([phrase("md")], [{ filename: "a.md", text: "" }])).toEqual([null]);
    expect(placesOf([named("returns")], [{ filename: "a", text: "returns" }])).toEqual([null]);
  });

  test("composed and decomposed letters are equal", () => {
    const results: Result[] = [{ filename: "Prüfung.pdf".normalize("NFD"), text: "Ärger".normalize("NFD") }];
    expect(placesOf([named("Prüfung.pdf"), phrase("ärger")], results)).toEqual([1, 1]);
  });

  test("among the first k only", () => {
    expect(evaluate([named("b")], files("a", "b"), 1)).toMatchObject({ recall: 0, reciprocalRank: 0, ndcg: 0 });
    expect(evaluate([named("b")], files("a", "b"), 2)).toMatchObject({ recall: 1, reciprocalRank: 0.5 });
  });
});

describe("figures computed by hand", () => {
  test("one item at the third of five ranks", () => {
    const found = evaluate([named("c")], files("a", "b", "c", "d", "e"), 5);
    // The best order has it first: 1 / log2(2) = 1. Here 1 / log2(4) = 0.5.
    expect(found).toMatchObject({ recall: 1, reciprocalRank: 1 / 3, ndcg: 0.5 });
  });

  test("grades 3, 2 and 1 in the order 2, nothing, 3, and 1 not found", () => {
    const found = evaluate([named("a", 3), named("b", 2), named("c", 1)], files("b", "x", "a", "y"), 4);
    expect(found.recall).toBeCloseTo(2 / 3, 12);
    expect(found.reciprocalRank).toBe(1);
    // 2/1 + 3/2 = 3.5; at best 3/1 + 2/1.58496 + 1/2 = 4.76186.
    expect(found.ndcg).toBeCloseTo(3.5 / 4.76186, 5);
  });

  test("nothing found", () => {
    expect(evaluate([named("a")], [], 10)).toMatchObject({ recall: 0, reciprocalRank: 0, ndcg: 0 });
  });

  test("more items than ranks: the best order is cut at k, recall is not", () => {
    const found = evaluate([named("a"), named("b"), named("c")], files("a", "b"), 2);
    expect(found).toMatchObject({ recall: 2 / 3, ndcg: 1 });
  });

  test("one result with all items is the best order", () => {
    const results = [{ filename: "a", text: "free over $50, within 3 days" }];
    expect(evaluate([phrase("free over $50"), phrase("3 days")], results, 10)).toMatchObject({ recall: 1, ndcg: 1 });
  });

  test("two items in one result do not make up for a third that is missing or late", () => {
    const best = 1 + 1 / Math.log2(3) + 1 / 2;
    expect(ndcgOf(placed([1, 1], [1, 1], [1, null]), 10)).toBeCloseTo((1 + 1 / Math.log2(3)) / best, 12);
    expect(ndcgOf(placed([1, 1], [1, 1], [1, 7]), 10)).toBeCloseTo((1 + 1 / Math.log2(3) + 1 / 3) / best, 12);
    expect(ndcgOf(placed([1, 1], [1, 1], [1, 2]), 10)).toBe(1);
  });

  test("if items share a result, the highest grade gets its rank", () => {
    // 5 at the second rank, 1 at the third; at best 5 at the first and 1 at the second.
    const best = 5 + 1 / Math.log2(3);
    expect(ndcgOf(placed([1, 2], [5, 2]), 10)).toBeCloseTo((5 / Math.log2(3) + 1 / 2) / best, 12);
  });

  test("mean and median", () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(median([9, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 4])).toBe(3);
    expect(median([7])).toBe(7);
  });
});
