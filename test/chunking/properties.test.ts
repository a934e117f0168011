import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { tokenCounter } from "../../src/chunking/tokens.js";
import type { Block, Cutting, TextChunk } from "../../src/words/document.js";
import { borders, chunksOf, cutting, document, joined, text, tokens } from "./support.js";
import { campaign } from "../support/campaign.js";

const tokensCounted = (await tokenCounter()).count;
const sizeOf = (value: string, { by }: Cutting) => (by === "tokens" ? tokensCounted(value) : value.length);

/** Where a header may be repeated: before a row of its table, or before the white space in front of the row. */
function rowStarts(blocks: readonly Block[]): { header: string; start: number }[] {
  return blocks.flatMap((block, i) => {
    if (block.kind !== "row" || block.header === null) return [];
    const { header } = block;
    const before = joined(blocks.slice(0, i)).length;
    const start = joined(blocks.slice(0, i + 1)).length - block.text.length;
    return Array.from({ length: start - before + 1 }, (_, j) => ({ header, start: before + j }));
  });
}

/**
 * Matches the chunks against the document in order. Each must begin inside or right after the previous one (or after
 * white space), end further on, begin and end at grapheme borders, and have a header only before a row of its table.
 * @returns whether the chunks cover the whole document in this way
 */
function readsAsDocument(blocks: readonly Block[], chunks: readonly TextChunk[]): boolean {
  const whole = joined(blocks);
  const isBorder = new Set(borders(whole));
  const rows = rowStarts(blocks);
  const afterBlanks = (end: number) => {
    const places = [end];
    for (let at = end; at < whole.length && whole.charAt(at).trim() === ""; at += 1) places.push(at + 1);
    return places;
  };
  /** All possible positions of the last chunk, because a document may contain its text several times. */
  let readings = [{ from: 0, to: 0 }];
  for (const chunk of chunks) {
    const bodies = [
      ...borders(whole).map((start) => ({ start, body: chunk.text })),
      ...rows
        .filter(({ header }) => chunk.text.startsWith(`${header}\n`))
        .map(({ header, start }) => ({ start, body: chunk.text.slice(header.length + 1) })),
    ].filter(({ start, body }) => whole.startsWith(body, start) && isBorder.has(start + body.length));
    const next = new Map<string, { from: number; to: number }>();
    for (const { from, to } of readings) {
      const starts = new Set(afterBlanks(to));
      for (const { start, body } of bodies) {
        const end = start + body.length;
        const follows = (start >= from && start <= to) || starts.has(start);
        if (follows && end > to) next.set(`${start} ${end}`, { from: start, to: end });
      }
    }
    readings = [...next.values()];
  }
  return readings.some(({ to }) => whole.slice(to).trim() === "");
}

describe("chunks of any document", () => {
  test("are at most as large as the chunk size, except for single graphemes; well-formed, and never blank", async () => {
    await fc.assert(
      fc.asyncProperty(document, cutting(80), async (blocks, how) => {
        for (const chunk of await chunksOf(blocks, how)) {
          expect(chunk.text.isWellFormed()).toBe(true);
          expect(chunk.text.trim()).not.toBe("");
          if (borders(chunk.text).length > 2) expect(sizeOf(chunk.text, how)).toBeLessThanOrEqual(how.size);
        }
      }),
      campaign(300),
    );
  });

  test("without overlaps and repeated headers, are the document's text", async () => {
    await fc.assert(
      fc.asyncProperty(document, cutting(80), async (blocks, how) => {
        expect(readsAsDocument(blocks, await chunksOf(blocks, how))).toBe(true);
      }),
      campaign(300),
    );
  });

  test("are one chunk with exactly the document's text, if that fits", async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.constantFrom("tokens" as const, "characters" as const), async (blocks, by) => {
        const whole = joined(blocks);
        const size = sizeOf(whole, { by, size: 0, overlap: 0 });
        expect((await chunksOf(blocks, { by, size, overlap: Math.floor(size / 2) })).map((each) => each.text)).toEqual([
          whole,
        ]);
        if (size > 1) expect(await chunksOf(blocks, { by, size: size - 1, overlap: 0 })).not.toHaveLength(0);
      }),
    );
  });

  test("are the same each time, whether the blocks are ready or arrive later", async () => {
    await fc.assert(
      fc.asyncProperty(document, cutting(80), async (blocks, how) => {
        async function* coming() {
          for (const block of blocks) {
            await Promise.resolve();
            yield block;
          }
        }
        expect(await chunksOf(coming(), how)).toEqual(await chunksOf(blocks, how));
      }),
    );
  });

  test("have the place of a block whose text they contain, and its attachment's headings", async () => {
    await fc.assert(
      fc.asyncProperty(document, cutting(80), async (blocks, how) => {
        const numbered = blocks.map((block, i): Block => ({ ...block, place: { ...block.place, page: i + 1 } }));
        let before = 1;
        for (const { place, text: value } of await chunksOf(numbered, how)) {
          expect(place.page).toBeGreaterThanOrEqual(before);
          before = place.page ?? 0;
          const block = numbered[before - 1];
          expect(place.attachment).toBe(block?.place.attachment);
          expect(place.section === undefined || place.section.length <= 200).toBe(true);
          // The chunk is inside a block of several chunks, or begins with the block's first characters.
          const shared = block?.text.slice(0, 1) ?? "";
          expect(value.includes(shared) || (block?.text.includes(value.trim().slice(0, 1)) ?? false)).toBe(true);
        }
      }),
    );
  });
});

/** No two parts of this text are equal, so that a chunk shows its position. */
const uniqueText = fc
  .array(fc.constantFrom("word", "Tür", "дом", "👨‍👩‍👧‍👦", "e\u0301", "東京", "stop.", "line\r\n", "para\n\n"), {
    minLength: 50,
  })
  .map((words) => words.map((word, i) => `${i}${word} `).join(""));

describe("long words", () => {
  test("in tokens: chunks and overlaps keep their sizes wherever they are cut", async () => {
    const word = fc.oneof(
      fc.array(fc.integer({ min: 0x61, max: 0x7a }), { minLength: 100, maxLength: 400 }),
      fc.array(fc.integer({ min: 0x4e00, max: 0x5200 }), { minLength: 100, maxLength: 400 }),
    );
    await fc.assert(
      fc.asyncProperty(word, fc.integer({ min: 20, max: 60 }), fc.nat(100), async (units, size, share) => {
        const whole = String.fromCharCode(...units);
        const how = tokens(size, Math.floor((size * share) / 200));
        /** All possible positions of the last chunk, because a short text may occur several times. */
        let readings = [{ from: 0, to: 0 }];
        for (const { text: chunk } of await chunksOf([text(whole)], how)) {
          expect(tokensCounted(chunk)).toBeLessThanOrEqual(how.size);
          const next = new Map<number, { from: number; to: number }>();
          for (const { from, to } of readings) {
            for (let start = from; start <= to; start += 1) {
              const end = start + chunk.length;
              if (end <= to || !whole.startsWith(chunk, start)) continue;
              if (tokensCounted(whole.slice(start, to)) <= how.overlap) next.set(start, { from: start, to: end });
            }
          }
          expect(next.size).toBeGreaterThan(0);
          readings = [...next.values()];
        }
        expect(readings.map(({ to }) => to)).toContain(whole.length);
      }),
      // The last chunk is one character that the previous chunk also contains.
      { ...campaign(500), examples: [[[...Array<number>(80).fill(0x4e00), ...Array<number>(41).fill(0x4e01)], 20, 0]] },
    );
  });
});

describe("the overlap", () => {
  const startsAndEnds = (whole: string, chunks: readonly TextChunk[]) =>
    chunks.map((chunk) => {
      const start = whole.indexOf(chunk.text);
      expect(start).toBeGreaterThanOrEqual(0);
      return { start, end: start + chunk.text.length };
    });

  test("in characters: exactly the setting, or shorter by a part of a grapheme", async () => {
    await fc.assert(
      fc.asyncProperty(uniqueText, fc.integer({ min: 60, max: 200 }), fc.nat(100), async (whole, size, share) => {
        const overlap = Math.floor((size * share) / 200);
        const all = borders(whole);
        const places = startsAndEnds(whole, await chunksOf([text(whole)], { by: "characters", size, overlap }));
        for (const [i, { start }] of places.entries()) {
          const before = places[i - 1];
          if (before !== undefined) expect(start).toBe(all.find((border) => border >= before.end - overlap));
        }
      }),
    );
  });

  test("in tokens: at most the setting, counted alone, and one more grapheme would not fit", async () => {
    await fc.assert(
      fc.asyncProperty(uniqueText, fc.integer({ min: 40, max: 100 }), fc.nat(100), async (whole, size, share) => {
        const overlap = Math.floor((size * share) / 200);
        const all = borders(whole);
        const places = startsAndEnds(whole, await chunksOf([text(whole)], tokens(size, overlap)));
        for (const [i, { start }] of places.entries()) {
          const before = places[i - 1];
          if (before === undefined || start === before.start) continue;
          expect(tokensCounted(whole.slice(start, before.end))).toBeLessThanOrEqual(overlap);
          // The longest grapheme here has about 20 tokens, and a text that begins inside a word may have one more.
          const further = whole.slice(all.findLast((border) => border < start) ?? 0, before.end);
          expect(tokensCounted(further)).toBeGreaterThanOrEqual(overlap);
        }
      }),
    );
  });

  test("is never the whole chunk", async () => {
    await fc.assert(
      fc.asyncProperty(uniqueText, fc.integer({ min: 30, max: 100 }), async (whole, size) => {
        const places = startsAndEnds(
          whole,
          await chunksOf([text(whole)], { by: "characters", size, overlap: Math.floor(size / 2) }),
        );
        for (const [i, { end }] of places.entries()) expect(end).toBeGreaterThan(places[i - 1]?.end ?? 0);
        expect(whole.slice(places.at(-1)?.end).trim()).toBe("");
      }),
    );
  });
});
