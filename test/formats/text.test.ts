import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Block } from "../../src/words/document.js";
import { blocksOfText, linesOf, readText } from "../../src/formats/text.js";
import { readBytes } from "./readBytes.js";

const read = (text: string) => readBytes(readText, Buffer.from(text), "a.txt");
const joined = (blocks: readonly Block[]) => blocks.map(({ before, text }) => `${before ?? "?"}${text}`).join("");

async function* pieces(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Words, spaces and line breaks in unusual proportions, cut into pieces. */
const oddText = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("\n\n", "\r\n\r\n", " \n\t\n", "é", "👨‍👩‍👧‍👦"),
    fc
      .tuple(fc.constantFrom("word ", "x", "\n", " ", "line\n", "🏳️‍🌈", "e\u0301"), fc.integer({ min: 1, max: 9_000 }))
      .map(([part, count]) => part.repeat(count)),
  ),
  { maxLength: 8 },
);

describe("readText", () => {
  test("returns a text unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        fc.pre(text.trim() !== "" && !/[\0\ufeff]/.test(text) && text.isWellFormed());
        expect(joined(await read(text))).toBe(text);
      }),
    );
  });

  test("returns any pieces unchanged, in blocks of some length that all contain text", async () => {
    await fc.assert(
      fc.asyncProperty(oddText, async (parts) => {
        const text = parts.join("").toWellFormed();
        fc.pre(text.trim() !== "");
        const blocks = await all(blocksOfText(pieces(...parts.map((part) => part.toWellFormed()))));
        expect(joined(blocks) === text).toBe(true);
        for (const block of blocks) {
          expect(block.text.trim()).not.toBe("");
          expect(block.text.trim().length).toBeLessThanOrEqual(8_000);
          expect(block.text.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test("cuts at blank lines", async () => {
    const paragraph = `${"words ".repeat(100)}\n\n`;
    const blocks = await read(paragraph.repeat(20));
    expect(blocks.length).toBeGreaterThan(3);
    for (const { text } of blocks) {
      expect(text).toMatch(/^words[^]*\n\n$/);
      expect(text.length).toBeLessThan(3_000);
    }
  });

  test.each([
    ["lines", `${"x".repeat(70)}\n`, /\n$/],
    ["words", `${"x".repeat(70)} `, / $/],
  ])("cuts text without blank lines between %s", async (_, part, end) => {
    const blocks = await read(part.repeat(500));
    expect(blocks.length).toBeGreaterThan(3);
    for (const { text } of blocks) expect(text).toMatch(end);
  });

  test.each([
    ["halves of a character", "😀"],
    ["an emoji of several characters", "👨‍👩‍👧‍👦"],
    ["a letter and its accent", "e\u0301"],
  ])("never cuts between %s", async (_, character) => {
    const blocks = await read(`x${character.repeat(10_000)}`);
    expect(blocks.length).toBeGreaterThan(1);
    for (const { text } of blocks.slice(1)) expect(text.length % character.length).toBe(0);
  });

  test("reads long files without line breaks", async () => {
    const text = "0123456789".repeat(300_000);
    const blocks = await read(text);
    expect(joined(blocks) === text).toBe(true);
    expect(blocks).toHaveLength(375);
  });

  test("shortens only excessive gaps", async () => {
    const blocks = await read(`a${" ".repeat(3_000_000)}b`);
    const text = joined(blocks);
    expect(text).toMatch(/^a\s+b$/);
    expect(text.length).toBeGreaterThan(60_000);
    expect(text.length).toBeLessThan(1_200_000);
  });

  test.each([
    ["", "The file is empty."],
    ["\ufeff", "The file is empty."],
    [" \n\t\r\n", "The file has no text, only white space."],
    ["\0\0", "The file has no text, only white space."],
  ])("refuses %j", async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: "invalid_file", message });
  });
});

describe("linesOf", () => {
  test("returns lines with their ends, whatever the pieces", async () => {
    expect(await all(linesOf(pieces("a", "b\nc\r", "\n", "\nd"), 100))).toEqual(["ab\n", "c\r\n", "\n", "d"]);
  });

  test("returns too long lines in parts", async () => {
    expect(await all(linesOf(pieces("aaa", "aaa", "a\nb"), 5))).toEqual(["aaaaaa", "a\n", "b"]);
  });
});
