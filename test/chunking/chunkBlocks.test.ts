import { describe, expect, test } from "@jest/globals";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { chunkBlocks } from "../../src/chunking/chunkBlocks.js";
import type { Block } from "../../src/words/document.js";
import { characters, chunksOf, heading, joined, table, text, textsOf, tokens } from "./support.js";

const x = (length: number) => "x".repeat(length);
const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(" ");

describe("a small document", () => {
  test("is one chunk, with exactly its text", async () => {
    expect(await textsOf([text(" a\r\n\tb  \n")], characters(512, 50))).toEqual([" a\r\n\tb  \n"]);
    const blocks = [
      heading("Title"),
      text("One."),
      text("- two", { before: "\n" }),
      ...table("a | b", "1 | 2"),
      text("End."),
    ];
    expect(await textsOf(blocks, tokens(800, 400))).toEqual(["Title\n\nOne.\n- two\n\na | b\n1 | 2\n\nEnd."]);
  });

  test("without any blocks has no chunks", async () => {
    expect(await chunksOf([], characters(512, 50))).toEqual([]);
  });

  test("several short sections stay together", async () => {
    const blocks = [heading("A"), text("a"), heading("B"), text("b")];
    expect(await textsOf(blocks, characters(20))).toEqual(["A\n\na\n\nB\n\nb"]);
  });
});

describe("overlap", () => {
  test("has exactly the configured number of characters", async () => {
    expect(await textsOf([text("abcdefghijkl")], characters(6, 2))).toEqual(["abcdef", "efghij", "ijkl"]);
  });

  test("is shorter if it would begin within a grapheme", async () => {
    expect(await textsOf([text("abcd🇩🇪efghij")], characters(8, 3))).toEqual(["abcd🇩🇪", "efghij"]);
  });

  test("has exactly the configured number of tokens", async () => {
    const [first = "", second = ""] = await textsOf([text(words(400))], tokens(100, 40));
    const shared = Array.from(second, (_, i) => second.slice(0, i)).findLast((start) => first.endsWith(start)) ?? "";
    expect(countTokens(shared)).toBe(40);
  });

  test("shrinks to make room for a grapheme", async () => {
    const large = `z${"\u0301".repeat(12)}`;
    expect(await textsOf([text(`abcdefghij${large}klmnopqrstu`)], characters(20, 10))).toEqual([
      "abcdefghij",
      `${large}klmnopq`,
      "klmnopqrstu",
    ]);
  });

  test("spans blocks", async () => {
    expect(await textsOf([text("abcd"), text("efgh"), text("ijkl")], characters(12, 4))).toEqual([
      "abcd\n\nefgh\n\n",
      "gh\n\nijkl",
    ]);
  });
});

describe("white space", () => {
  test("at the start of the rest is kept", async () => {
    expect(await textsOf([text("abcd \n efgh")], characters(5))).toEqual(["abcd ", "\n efg", "h"]);
  });

  test("alone is not a chunk", async () => {
    expect(await textsOf([text(`a${"\n".repeat(100)}b`)], characters(10))).toEqual([`a${"\n".repeat(9)}`, "\nb"]);
    expect(await textsOf([text(`abcdefghij${" ".repeat(5)}`)], characters(10, 5))).toEqual(["abcdefghij"]);
    expect(await textsOf([text("\n".repeat(5000))], tokens(100, 20))).toEqual([]);
  });
});

describe("places", () => {
  test("are those of the first block that is not only overlap", async () => {
    const blocks = [
      text("abcdefgh", { place: { page: 1 } }),
      text("ijklmnop", { place: { page: 2 } }),
      text("qrstuvwx", { place: { page: 3, slide: 4, sheet: "s", attachment: "a" } }),
    ];
    expect(await chunksOf(blocks, characters(10, 3))).toEqual([
      { text: "abcdefgh\n\n", place: { page: 1 } },
      { text: "h\n\nijklmno", place: { page: 2 } },
      { text: "mnop\n\nqrst", place: { page: 2 } },
      { text: "rstuvwx", place: { page: 3, slide: 4, sheet: "s", attachment: "a" } },
    ]);
  });

  test("include the section", async () => {
    const blocks = [heading("A"), text(x(50)), heading("B", 2), text(x(60)), text(x(60)), heading("C"), text(x(90))];
    expect((await chunksOf(blocks, characters(100))).map(({ place }) => place.section)).toEqual([
      "A",
      "A > B",
      "A > B",
      "C",
    ]);
  });
});

describe("long documents", () => {
  test("are read only as far as the next chunk needs, and closed when the reader stops", async () => {
    let read = 0;
    let closed = false;
    function* endless(): Generator<Block> {
      try {
        for (;;) {
          read += 1;
          yield text(`Paragraph number ${read} of this text.`);
        }
      } finally {
        closed = true;
      }
    }
    let count = 0;
    for await (const chunk of chunkBlocks(endless(), characters(512, 50))) {
      expect(chunk.text.length).toBeGreaterThan(256);
      count += 1;
      if (count === 1) expect(read).toBeLessThan(20);
      if (count === 1000) break;
    }
    expect(read).toBeLessThan(1000 * 14);
    expect(closed).toBe(true);
  });

  test.each([
    ["a run of one letter", "A".repeat(300_000)],
    ["no spaces at all", "世界漢字文章長文".repeat(10_000)],
    ["signs", "=-".repeat(50_000)],
    ["digits", "1234567890".repeat(10_000)],
    ["marks on blanks", " \u0308".repeat(50_000)],
    ["dots", ".".repeat(100_000)],
    ["flags", "🇩🇪".repeat(20_000)],
  ])("%s: chunks are full, and no text is lost", async (_, value) => {
    for (const how of [characters(512), tokens(800)]) {
      const chunks = await textsOf([text(value)], how);
      expect(chunks.join("")).toBe(value);
      const shortest = Math.min(...chunks.slice(0, -1).map((chunk) => chunk.length));
      const longest = Math.max(...chunks.map((chunk) => chunk.length));
      expect(shortest).toBeGreaterThan(longest * 0.4);
    }
  });

  test("chunks are just as full if tokens are long", async () => {
    const line = "=".repeat(64);
    expect(countTokens(line)).toBe(1);
    const chunks = await textsOf(Array(300).fill(text(line)), tokens(100));
    for (const chunk of chunks.slice(0, -1)) expect(countTokens(chunk)).toBeGreaterThan(50);
  });

  test("special tokens are ordinary text", async () => {
    const value = "<|endoftext|> <|im_start|> ".repeat(100);
    expect((await textsOf([text(value)], tokens(100))).join("")).toBe(value);
  });

  test("one block and many blocks give the same chunks", async () => {
    const blocks = Array.from({ length: 500 }, (_, i) => text(`${words(20)} ${i}.`));
    const whole = [text(joined(blocks))];
    expect(await textsOf(blocks, characters(1000, 100))).toEqual(await textsOf(whole, characters(1000, 100)));
  });
});
