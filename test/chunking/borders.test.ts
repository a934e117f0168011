import { describe, expect, test } from "@jest/globals";
import { characters, heading, text, textsOf, tokens } from "./support.js";

const x = (length: number) => "x".repeat(length);

describe("where chunks end", () => {
  test("before a heading, once the chunk is half full", async () => {
    const blocks = [text(x(30)), text(x(25)), heading("Heading"), text(x(10)), text(x(40))];
    expect(await textsOf(blocks, characters(100))).toEqual([
      `${x(30)}\n\n${x(25)}\n\n`,
      `Heading\n\n${x(10)}\n\n${x(40)}`,
    ]);
  });

  test("not before a heading while the chunk is less than half full", async () => {
    const blocks = [text(x(10)), heading("Heading"), text(x(30)), text(x(30)), text(x(30))];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(10)}\n\nHeading\n\n${x(30)}\n\n${x(30)}\n\n`, x(30)]);
  });

  test("a chunk does not end with a heading, nor with two", async () => {
    const blocks = [text(x(70)), heading("One"), heading("Two", 2), text(x(80))];
    expect(await textsOf(blocks, characters(100))).toEqual([`${x(70)}\n\n`, `One\n\nTwo\n\n${x(80)}`]);
  });

  test("even if the chunk is then less than half full", async () => {
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

  test("sentences also end in texts without spaces", async () => {
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

  test.each(["\u0301", "\u{1d165}", "\u200d👨"])("one that never ends is cut, with the mark %j", async (mark) => {
    const whole = `👨${mark.repeat(20_000)}`;
    for (const cutting of [characters(512), tokens(100)]) {
      const chunks = await textsOf([text(whole)], cutting);
      expect(chunks.join("") === whole).toBe(true);
      expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(512);
    }
  });

  test("a grapheme larger than a chunk is a chunk", async () => {
    const zalgo = `a${"\u0301".repeat(60)}`;
    expect(await textsOf([text(`b${zalgo}c`)], characters(20, 5))).toEqual(["b", zalgo, "c"]);
    expect(await textsOf([text(`b${zalgo}c`)], tokens(10, 5))).toEqual(["b", zalgo, "c"]);
  });

  test("even if it comes in pieces", async () => {
    const marks = Array.from({ length: 60 }, () => text("\u0301", { before: "" }));
    expect(await textsOf([text("a"), ...marks, text("b", { before: "" })], characters(20, 10))).toEqual([
      `a${"\u0301".repeat(60)}`,
      "b",
    ]);
  });
});
