import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { characterCounter } from "../../../src/chunking/counters.js";
import { choosePassages, passageOverhead } from "../../../src/core/answers/passages.js";
import { citedIn, promptOf } from "../../../src/core/answers/prompt.js";
import { toScores } from "../../../src/core/search/rerank.js";
import type { FoundChunk } from "../../../src/words/chunk.js";

const hit = (id: string, content: string, metadata: object = {}, storeId = "s"): FoundChunk => ({
  id,
  content,
  metadata,
  storeId,
  score: 0.5,
  vectorRank: null,
  keywordRank: null,
});
const inBook = (index: number, content: string) => hit(`b${index}`, content, { file_id: "file-b", chunk_index: index });
const choose = (hits: FoundChunk[], size = 100_000) => choosePassages(hits, size, characterCounter);

describe("the passages of an answer", () => {
  test("neighbours are joined in document order, at the best one's place, without repeating shared text", () => {
    const hits = [
      inBook(7, "begins here and goes on"),
      hit("x", "apart"),
      inBook(9, "ends there."),
      inBook(8, "here and goes on to where it ends there"),
    ];
    expect(choose(hits)).toEqual([
      {
        hit: hits[0],
        text: "begins here and goes on to where it ends there.",
        chunkIds: ["b7", "b8", "b9"],
      },
      { hit: hits[1], text: "apart", chunkIds: ["x"] },
    ]);
  });

  test("the same document in another store, or under another key, is not a neighbour", () => {
    const same = { file_id: "file-b", chunk_index: 2 };
    const hits = [
      inBook(1, "first"),
      hit("o", "second", same, "other"),
      hit("f", "third", { filename: "file-b", chunk_index: 2 }),
    ];
    expect(choose(hits)).toHaveLength(3);
  });

  test("chunks of two documents are never one passage, even with consecutive numbers", () => {
    const documents = fc.array(fc.record({ file: fc.constantFrom("f", "g"), index: fc.integer({ min: 0, max: 4 }) }), {
      minLength: 2,
      maxLength: 8,
    });
    fc.assert(
      fc.property(documents, (chunks) => {
        const hits = chunks.map(({ file, index }, n) =>
          hit(`${file}${n}`, `${n}:text`, { file_id: file, chunk_index: index }),
        );
        for (const { chunkIds } of choose(hits)) expect(new Set(chunkIds.map((id) => id.charAt(0))).size).toBe(1);
      }),
      {
        examples: [
          [
            [
              { file: "f", index: 1 },
              { file: "g", index: 2 },
            ],
          ],
        ],
      },
    );
  });

  test("a passage that repeats a better one is left out, regardless of white space", () => {
    const hits = [
      hit("a", "One  sentence\nand another."),
      hit("b", "sentence and"),
      hit("c", "One sentence and another."),
    ];
    expect(choose(hits).map((each) => each.hit.id)).toEqual(["a"]);
  });

  test("if even the best passage is too long for the window, its beginning is kept", () => {
    expect(choose([hit("a", "x".repeat(500))], passageOverhead + 100)).toEqual([
      { hit: expect.anything(), text: "x".repeat(100), chunkIds: ["a"] },
    ]);
    expect(choose([hit("a", "x")], passageOverhead)).toEqual([]);
    expect(choose([])).toEqual([]);
  });

  test("chunks are whole, appear once, and fit", () => {
    const chunk = fc.record({
      index: fc.integer({ min: 0, max: 6 }),
      text: fc.string({ minLength: 1, maxLength: 60 }),
    });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.integer({ min: 0, max: 600 }), (chunks, size) => {
        const hits = chunks.map(({ index, text }, n) =>
          hit(`h${n}`, `${n}:${text}`, { file_id: "f", chunk_index: index }),
        );
        const passages = choose(hits, size);
        const ids = passages.flatMap((each) => each.chunkIds);
        expect(new Set(ids).size).toBe(ids.length);
        const chosen = ids.map((id) => hits.find((each) => each.id === id)?.content ?? "");
        if (chosen.length > 1) {
          const cost = chosen.reduce((sum, text) => sum + text.length + passageOverhead, 0);
          expect(cost).toBeLessThanOrEqual(size);
          for (const { text, chunkIds } of passages) {
            for (const id of chunkIds) expect(text).toContain(hits.find((each) => each.id === id)?.content.slice(-1));
          }
        }
        // If anything fits, the best does.
        if (size > passageOverhead && hits.length > 0 && passages.length === 1) expect(ids.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe("citations", () => {
  test.each<[string, number[]]>([
    ["As stated [1].", [1]],
    ["[2][1] and [2]", [1, 2]],
    ["[1, 3] and [ 2 ]", [1, 2, 3]],
    ["[1-3]", [1, 2, 3]],
    ["[1–2; 4]", [1, 2, 4]],
    ["【3】", [3]],
    ["[0] [6] [99999] [x] [] [-1]", []],
    ["[3-9999]", [3, 4, 5]],
    ["[4-2]", []],
    ["array[2] = x", [2]],
    ["none", []],
  ])("%s", (answer, expected) => {
    expect(citedIn(answer, 5)).toEqual(expected);
  });

  test("are passage numbers, in order, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("[", "]", "1", "2", "9", "-", ",", " ", "a") }), (answer) => {
        const cited = citedIn(answer, 12);
        expect(cited).toEqual([...new Set(cited)].toSorted((a, b) => a - b));
        expect(cited.every((n) => n >= 1 && n <= 12)).toBe(true);
      }),
    );
  });
});

describe("the prompt", () => {
  test("has new tag names each time, and no filename breaks them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (filename, text) => {
        const asked = { question: "q", history: [], systemPrompt: null, sources: [{ text, filename, page: 3 }] };
        const [system, user] = promptOf(asked);
        const [tag = ""] = /passage-[0-9a-f]{8}/.exec(system?.content ?? "") ?? [];
        const lines = user?.content.split("\n") ?? [];
        expect(lines[0]).toMatch(new RegExp(`^<${tag} number="1"(?: file="[^<>]*")? page="3">$`));
        expect(user?.content).toContain(`>\n${text}\n</${tag}>\n\nQuestion: q`);
        expect(promptOf(asked)[0]?.content).not.toBe(system?.content);
      }),
    );
  });
});

test("a rerank model's scores keep their order and are in 0…1", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -50, max: 50 })), (relevances) => {
      const ordered = relevances.toSorted((a, b) => b - a);
      const scores = toScores(ordered);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(scores.every((each) => each >= 0 && each <= 1)).toBe(true);
      if (ordered.every((each) => each >= 0 && each <= 1)) expect(scores).toEqual(ordered);
    }),
  );
});
