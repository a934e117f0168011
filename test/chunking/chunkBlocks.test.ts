import { describe, expect, test } from "@jest/globals";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { chunkBlocks } from "../../src/chunking/chunkBlocks.js";
import type { Block } from "../../src/words/document.js";
import { characters, chunksOf, heading, joined, row, table, text, textsOf, tokens } from "./support.js";

const x = (length: number) => "x".repeat(length);
const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(" ");

describe("a small document", () => {
  test("is one chunk, to the byte", async () => {
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

describe("the borders of text", () => {
  test("before a heading, once the chunk is half full", async () => {
    const blocks = [text(x(30)), text(x(25)), heading("Heading"), text(x(10)), text(x(40))];
    expect(await textsOf(blocks, characters(100))).toEqual([
      `${x(30)}\n\n${x(25)}\n\n`,
      `Heading\n\n${x(10)}\n\n${x(40)}`,
    ]);
  });

  test("not before a heading while it is less than half full", async () => {
    const blocks = [text(x(10)), heading("Heading"), text(x(30)), text(x(30)), text(x(30))];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(10)}\n\nHeading\n\n${x(30)}\n\n${x(30)}\n\n`, x(30)]);
  });

  test("a heading is not the last of a chunk, nor are two", async () => {
    const blocks = [text(x(70)), heading("One"), heading("Two", 2), text(x(80))];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(70)}\n\n`, `One\n\nTwo\n\n${x(80)}`]);
  });

  test("even if the chunk is less than half full without it", async () => {
    const blocks = [text(x(20)), heading(`h ${x(70)}`), text(x(80))];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(20)}\n\n`, `h ${x(70)}\n\n${x(26)}`, x(54)]);
  });

  test("a heading that is longer than a chunk is cut at words", async () => {
    expect(await textsOf([heading("one two three four five six"), text("seven")], characters(14))).toEqual([
      "one two three ",
      "four five six\n",
      "\nseven",
    ]);
  });

  test("between blocks rather than within one", async () => {
    const blocks = [text(`${x(30)}. ${x(28)}`), text(`${x(20)}. ${x(30)}`)];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(30)}. ${x(28)}\n\n`, `${x(20)}. ${x(30)}`]);
  });

  test("but not between pieces of one text", async () => {
    const pieces = [
      text("The quick bro"),
      text("wn fox jumps over the la", { before: "" }),
      text("zy dog.", { before: "" }),
    ];
    expect(await textsOf(pieces, characters(38))).toEqual(["The quick brown fox jumps over the ", "lazy dog."]);
  });

  test("between paragraphs, sentences, lines and words of a text, in this order", async () => {
    expect(await textsOf([text("One two. Three\n \nfour. Five six")], characters(28))).toEqual([
      "One two. Three\n \n",
      "four. Five six",
    ]);
    expect(await textsOf([text("One two three. Four\nfive six")], characters(26))).toEqual([
      "One two three. ",
      "Four\nfive six",
    ]);
    expect(await textsOf([text("one two three four\nfive six")], characters(25))).toEqual([
      "one two three four\n",
      "five six",
    ]);
    expect(await textsOf([text("one two three")], characters(10))).toEqual(["one two ", "three"]);
    expect(await textsOf([text("one two three")], characters(12))).toEqual(["one two ", "three"]);
    expect(await textsOf([text("abcdefghij")], characters(4))).toEqual(["abcd", "efgh", "ij"]);
  });

  test("a dot after an abbreviation or a number in a list ends no sentence", async () => {
    expect(await textsOf([text("It was him. Then Dr. Who left")], characters(24))).toEqual([
      "It was him. ",
      "Then Dr. Who left",
    ]);
    expect(await textsOf([text("It was he! See fig. or table 12")], characters(22))).toEqual([
      "It was he! ",
      "See fig. or table 12",
    ]);
  });

  test("sentences end with their quotes and brackets", async () => {
    expect(await textsOf([text('He said: "I go." (He went.) And came back')], characters(32))).toEqual([
      'He said: "I go." (He went.) ',
      "And came back",
    ]);
  });

  test("in texts without blanks sentences end too", async () => {
    expect(await textsOf([text("今日は晴れです。明日は雨でしょう。明後日は")], characters(20))).toEqual([
      "今日は晴れです。明日は雨でしょう。",
      "明後日は",
    ]);
    expect(await textsOf([text("「今日は晴れです。」彼は言った、そして帰った")], characters(19))).toEqual([
      "「今日は晴れです。」",
      "彼は言った、そして帰った",
    ]);
    expect(await textsOf([text("अच्छा दिन। बहुत अच्छा है")], characters(18))).toEqual(["अच्छा दिन। ", "बहुत अच्छा है"]);
  });
});

describe("graphemes", () => {
  const family = "👨‍👩‍👧‍👦";
  test.each([family, "🇩🇪", "e\u0301\u0323", "\u1100\u1161\u11a8", "क्षि", "👍🏽"])("%s is never cut", async (grapheme) => {
    for (const size of [1, grapheme.length - 1, grapheme.length, grapheme.length + 1, 3 * grapheme.length]) {
      for (const chunk of await textsOf([text(grapheme.repeat(20))], characters(size))) {
        expect(chunk.replaceAll(grapheme, "")).toBe("");
      }
      for (const chunk of await textsOf([text(grapheme.repeat(20))], tokens(size, Math.floor(size / 2)))) {
        expect(chunk.replaceAll(grapheme, "")).toBe("");
      }
    }
  });

  test("a line break of two characters is not cut", async () => {
    expect(await textsOf([text("abc\r\nabc\r\n")], characters(4))).toEqual(["abc", "\r\nab", "c\r\n"]);
  });

  test("one that is larger than a chunk is a chunk", async () => {
    const zalgo = `a${"\u0301".repeat(30_000)}`;
    expect(await textsOf([text(`b${zalgo}c`)], characters(512, 50))).toEqual(["b", zalgo, "c"]);
    expect(await textsOf([text(`b${zalgo}c`)], tokens(800, 400))).toEqual(["b", zalgo, "c"]);
  });

  test("also when it comes in pieces", async () => {
    const marks = Array.from({ length: 3000 }, () => text("\u0301", { before: "" }));
    expect(await textsOf([text("a"), ...marks, text("b", { before: "" })], characters(100, 10))).toEqual([
      `a${"\u0301".repeat(3000)}`,
      "b",
    ]);
  });
});

describe("overlap", () => {
  test("has exactly as many characters as it shall have", async () => {
    expect(await textsOf([text("abcdefghijkl")], characters(6, 2))).toEqual(["abcdef", "efghij", "ijkl"]);
  });

  test("is fewer where it would begin within a grapheme", async () => {
    expect(await textsOf([text("abcd🇩🇪efghij")], characters(8, 3))).toEqual(["abcd🇩🇪", "efghij"]);
  });

  test("has exactly as many tokens as it shall have", async () => {
    const [first = "", second = ""] = await textsOf([text(words(400))], tokens(100, 40));
    const shared = Array.from(second, (_, i) => second.slice(0, i)).findLast((start) => first.endsWith(start)) ?? "";
    expect(countTokens(shared)).toBe(40);
  });

  test("gives way to a grapheme that it leaves no room for", async () => {
    const large = `z${"\u0301".repeat(12)}`;
    expect(await textsOf([text(`abcdefghij${large}klmnopqrstu`)], characters(20, 10))).toEqual([
      "abcdefghij",
      `${large}klmnopq`,
      "klmnopqrstu",
    ]);
  });

  test("goes on over blocks", async () => {
    expect(await textsOf([text("abcd"), text("efgh"), text("ijkl")], characters(12, 4))).toEqual([
      "abcd\n\nefgh\n\n",
      "gh\n\nijkl",
    ]);
  });
});

describe("tables", () => {
  const cities = table("city | people", "Oslo | 700", "Rome | 2800", "Bonn | 330", "Lima | 10000", "Kyiv | 2900");

  test("a chunk that begins with a row repeats the header", async () => {
    expect(await textsOf(cities, characters(40))).toEqual([
      "city | people\nOslo | 700\nRome | 2800\n",
      "city | people\nBonn | 330\nLima | 10000\n",
      "city | people\nKyiv | 2900",
    ]);
  });

  test("the overlap is of whole rows", async () => {
    expect(await textsOf(cities, characters(40, 15))).toEqual([
      "city | people\nOslo | 700\nRome | 2800\n",
      "city | people\nRome | 2800\nBonn | 330\n",
      "city | people\nBonn | 330\nLima | 10000\n",
      "city | people\nLima | 10000\nKyiv | 2900",
    ]);
    expect(await textsOf(cities, characters(40, 10))).toEqual(await textsOf(cities, characters(40)));
  });

  test("the overlap gives way to a row and its header", async () => {
    expect(
      await textsOf(table("city | people", "Oslo | 700", "Rome | 2800", "Llanfairpwll | 3040"), characters(40, 15)),
    ).toEqual(["city | people\nOslo | 700\nRome | 2800\n", "city | people\nLlanfairpwll | 3040"]);
  });

  test("in tokens too", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `Item ${i} | ${i * 37} | some words`);
    const chunks = await textsOf(table("Name | Number | Text", ...rows), tokens(100, 30));
    const found = new Set<string>();
    for (const chunk of chunks) {
      const [header, ...lines] = chunk.trimEnd().split("\n");
      expect(header).toBe("Name | Number | Text");
      for (const line of lines) {
        expect(rows).toContain(line);
        found.add(line);
      }
      expect(countTokens(chunk)).toBeLessThanOrEqual(100);
    }
    expect(found.size).toBe(200);
  });

  test("a header row is not the last of a chunk", async () => {
    expect(await textsOf([text(x(60)), ...table("head | er", x(40))], characters(80))).toEqual([
      `${x(60)}\n\n`,
      `head | er\n${x(40)}`,
    ]);
  });

  test("a row that fits in a chunk is not cut", async () => {
    expect(await textsOf([text("One."), ...table("h | i", "a b c d | e f g h i j k l m n")], characters(30))).toEqual([
      "One.\n\n",
      "h | i\n",
      "a b c d | e f g h i j k l m n",
    ]);
  });

  test("a row that is longer than a chunk is cut like text, without the header", async () => {
    expect(await textsOf(table("a | b", "one two three four | five six", "x | y"), characters(16))).toEqual([
      "a | b\none two ",
      "three four | ",
      "five six\nx | y",
    ]);
  });

  test("a header beside which the row has no room is left out", async () => {
    const header = "a long header | of the table";
    expect(await textsOf(table(header, x(20), x(21), x(22)), characters(45))).toEqual([
      `${header}\n`,
      `${x(20)}\n${x(21)}\n`,
      x(22),
    ]);
  });

  test("rows without a header have none before them", async () => {
    expect(await textsOf([row("1 | 2", null), row("3 | 4", null), row("5 | 6", null)], characters(12))).toEqual([
      "1 | 2\n3 | 4\n",
      "5 | 6",
    ]);
  });

  test("between tables rather than within one", async () => {
    const blocks = [...table("a | b", "1 | 1", "2 | 2"), ...table("c | d", "3 | 3", "4 | 4")];
    expect(await textsOf(blocks, characters(33))).toEqual(["a | b\n1 | 1\n2 | 2\n", "c | d\n3 | 3\n4 | 4"]);
  });

  test("each table has its own header", async () => {
    const blocks = [...table("a | b", "1 | 1", "2 | 2"), ...table("c | d", "3 | 3", "4 | 4")];
    expect(await textsOf(blocks, characters(18))).toEqual(["a | b\n1 | 1\n2 | 2\n", "c | d\n3 | 3\n4 | 4"]);
    expect(await textsOf(blocks, characters(12))).toEqual([
      "a | b\n1 | 1\n",
      "a | b\n2 | 2\n",
      "c | d\n3 | 3\n",
      "c | d\n4 | 4",
    ]);
  });
});

describe("blanks", () => {
  test("at the start of what is left stay there", async () => {
    expect(await textsOf([text("abcd \n efgh")], characters(5))).toEqual(["abcd ", "\n efg", "h"]);
  });

  test("are no chunk", async () => {
    expect(await textsOf([text(`a${"\n".repeat(100)}b`)], characters(10))).toEqual([`a${"\n".repeat(9)}`, "\nb"]);
    expect(await textsOf([text(`abcdefghij${" ".repeat(5)}`)], characters(10, 5))).toEqual(["abcdefghij"]);
    expect(await textsOf([text("\n".repeat(5000))], tokens(100, 20))).toEqual([]);
  });
});

describe("places", () => {
  test("are of the first block that is not only overlap", async () => {
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

  test("name the section", async () => {
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
  test("are read no further than the next chunk needs, and closed when nobody wants more", async () => {
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
    ["no blanks at all", "世界漢字文章長文".repeat(10_000)],
    ["signs", "=-".repeat(50_000)],
    ["digits", "1234567890".repeat(10_000)],
    ["marks on blanks", " \u0308".repeat(50_000)],
    ["dots", ".".repeat(100_000)],
    ["flags", "🇩🇪".repeat(20_000)],
  ])("%s: chunks are full and lose nothing", async (_, value) => {
    for (const how of [characters(512), tokens(800)]) {
      const chunks = await textsOf([text(value)], how);
      expect(chunks.join("")).toBe(value);
      const shortest = Math.min(...chunks.slice(0, -1).map((chunk) => chunk.length));
      const longest = Math.max(...chunks.map((chunk) => chunk.length));
      expect(shortest).toBeGreaterThan(longest * 0.4);
    }
  });

  test("chunks are as full where tokens are long", async () => {
    const line = "=".repeat(64);
    expect(countTokens(line)).toBe(1);
    const chunks = await textsOf(Array(300).fill(text(line)), tokens(100));
    for (const chunk of chunks.slice(0, -1)) expect(countTokens(chunk)).toBeGreaterThan(50);
  });

  test("the text of special tokens is text", async () => {
    const value = "<|endoftext|> <|im_start|> ".repeat(100);
    expect((await textsOf([text(value)], tokens(100))).join("")).toBe(value);
  });

  test("as one block and as many they have the same chunks", async () => {
    const blocks = Array.from({ length: 500 }, (_, i) => text(`${words(20)} ${i}.`));
    const whole = [text(joined(blocks))];
    expect(await textsOf(blocks, characters(1000, 100))).toEqual(await textsOf(whole, characters(1000, 100)));
  });
});
