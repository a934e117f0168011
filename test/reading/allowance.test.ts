import { describe, expect, test } from "@jest/globals";
import { allowanceOf, countChunks, countText } from "../../src/reading/allowance.js";
import { defaultLimits } from "../../src/reading/documentReader.js";
import type { Block, TextChunk } from "../../src/words/document.js";

const megabyte = 2 ** 20;
const usual = defaultLimits.allowance;

async function* blocksOf(...texts: string[]): AsyncGenerator<Block> {
  for (const text of texts) yield await Promise.resolve({ kind: "text", text, place: {} });
}
async function* chunks(count: number): AsyncGenerator<TextChunk> {
  for (let i = 0; i < count; i += 1) yield await Promise.resolve({ text: "a", place: {} });
}
async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const item of items) count += item === undefined ? 0 : 1;
  return count;
}

describe("what may come of a file", () => {
  test.each([
    ["an empty one", 0, { text: 10 * megabyte, chunks: 10_000 }],
    ["one of 840 bytes", 840, { text: 10 * megabyte, chunks: 10_000 }],
    ["one of half a megabyte", megabyte / 2, { text: 10 * megabyte, chunks: 10_000 }],
    ["one of 4 MB", 4 * megabyte, { text: 80 * megabyte, chunks: 41_943 }],
    ["one of 512 MB", 512 * megabyte, { text: 512 * megabyte, chunks: 500_000 }],
  ])("%s", (_, size, expected) => {
    expect(allowanceOf(size, usual)).toMatchObject(expected);
  });

  test("the settings hold for small files too", () => {
    expect(allowanceOf(10, { textBytes: megabyte, ratio: 20, chunks: 7 })).toMatchObject({ text: megabyte, chunks: 7 });
  });
});

describe("text", () => {
  const most = { ...allowanceOf(100, { ...usual, textBytes: 6 }) };

  test("is counted in bytes of UTF-8, up to the limit", async () => {
    const counted = { text: 0 };
    expect(await countOf(countText(blocksOf("é", "abcd"), most, counted))).toBe(2);
    expect(counted.text).toBe(6);
  });

  test("above the limit is refused with the limit and the setting", async () => {
    await expect(countOf(countText(blocksOf("é", "abcd", "e"), most, { text: 0 }))).rejects.toMatchObject({
      name: "DocumentError",
      message: "The document has more text than the limit of 6 bytes (MAX_TEXT_MB). Split it into several files.",
    });
  });

  test("above the limit for the file's size is refused with both numbers", async () => {
    const large = "x".repeat(megabyte);
    const reading = countText(blocksOf(...Array.from({ length: 11 }, () => large)), allowanceOf(840, usual), {
      text: 0,
    });
    await expect(countOf(reading)).rejects.toThrow(
      "more text than the limit of 10,485,760 bytes for a file of 840 bytes (MAX_TEXT_RATIO is 20)",
    );
  });
});

test("chunks above the limit are refused with it", async () => {
  const most = allowanceOf(100, { ...usual, chunks: 3 });
  expect(await countOf(countChunks(chunks(3), most))).toBe(3);
  await expect(countOf(countChunks(chunks(4), most))).rejects.toThrow("more chunks than the limit of 3 (MAX_CHUNKS)");
});
