import fc from "fast-check";
import { chunkBlocks } from "../../src/chunking/chunkBlocks.js";
import type { Block, Cutting, Place, TextChunk } from "../../src/words/document.js";

export const text = (value: string, rest: { place?: Place; before?: string } = {}): Block => ({
  kind: "text",
  text: value,
  place: {},
  ...rest,
});
export const heading = (value: string, level = 1, place: Place = {}): Block => ({
  kind: "heading",
  level,
  text: value,
  place,
});
export const row = (value: string, header: string | null, place: Place = {}): Block => ({
  kind: "row",
  header,
  text: value,
  place,
});
/** A table as formats write it: the header row is a row too. */
export const table = (header: string, ...rows: string[]): Block[] => [
  row(header, null),
  ...rows.map((each) => row(each, header)),
];

export const characters = (size: number, overlap = 0): Cutting => ({ by: "characters", size, overlap });
export const tokens = (size: number, overlap = 0): Cutting => ({ by: "tokens", size, overlap });

export async function chunksOf(blocks: Iterable<Block> | AsyncIterable<Block>, cutting: Cutting): Promise<TextChunk[]> {
  const chunks: TextChunk[] = [];
  for await (const chunk of chunkBlocks(blocks, cutting)) chunks.push(chunk);
  return chunks;
}

export async function textsOf(blocks: Iterable<Block>, cutting: Cutting): Promise<string[]> {
  return (await chunksOf(blocks, cutting)).map((chunk) => chunk.text);
}

export function joined(blocks: readonly Block[]): string {
  return blocks
    .map((block, i) => {
      const previous = blocks[i - 1];
      if (previous === undefined) return block.text;
      return (block.before ?? (previous.kind === "row" && block.kind === "row" ? "\n" : "\n\n")) + block.text;
    })
    .join("");
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** All grapheme borders of a text, including both ends. */
export function borders(value: string): number[] {
  return [...Array.from(segmenter.segment(value), ({ index }) => index), value.length];
}

/** Texts that are easy to cut or count wrongly. */
export const trickyText = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom("word ", "Two words. ", "and ", "a", "1234567 ", "It's ", " ", "\n", "\n\n"),
      },
      fc.constantFrom(
        "👨‍👩‍👧‍👦",
        "🇩🇪🇫🇷🇯🇵",
        "e\u0301\u0323",
        " \u0308",
        "\r\n",
        "\r",
        "각",
        "\u1100\u1161\u11a8",
        "क्षि",
        "\u0600١",
        "กำ",
        "👍🏽",
        "1️⃣",
        "©",
        "。",
        "東京は日本の首都です。",
        "「そう。」と",
        "<|endoftext|>",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "-----",
        "\u200b",
        "\u2028",
        "\t\t",
        "     ",
        "e.g. this",
        "Dr. No",
      ),
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((parts) =>
    parts
      .join("")
      .toWellFormed()
      .replaceAll(/[\0\uFEFF]/g, ""),
  );

const blockText = trickyText.filter((value) => value.trim() !== "");

const place: fc.Arbitrary<Place> = fc.oneof(
  fc.constant({}),
  fc.record({ page: fc.nat(3) }),
  fc.record({ attachment: fc.constantFrom("a", "b") }),
);

/** Few distinct rows and headers, so that chunks often begin with a row. */
const someTable = fc
  .tuple(
    blockText,
    fc.array(fc.oneof(blockText, fc.constantFrom("a | b", "c | d | e", "1 | 2")), { maxLength: 12 }),
    fc.boolean(),
  )
  .map(([header, rows, has]) => (has ? table(header, ...rows) : rows.map((each) => row(each, null))));

export const document: fc.Arbitrary<Block[]> = fc
  .array(
    fc.oneof(
      fc
        .tuple(blockText, fc.constantFrom(undefined, "", " ", "\n", "\n\n\n"), place)
        .map(([value, before, at]) => [text(value, { place: at, ...(before !== undefined && { before }) })]),
      fc.tuple(blockText, fc.integer({ min: 1, max: 4 })).map(([value, level]) => [heading(value, level)]),
      someTable,
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.flat())
  .filter((blocks) => blocks.length > 0);

export const cutting = (largest: number): fc.Arbitrary<Cutting> =>
  fc
    .tuple(fc.constantFrom("tokens", "characters"), fc.integer({ min: 1, max: largest }), fc.nat(100))
    .map(([by, size, share]) => ({ by, size, overlap: Math.floor((size * share) / 200) }));
