import type { Block, Cutting, TextChunk } from "../words/document.js";
import { type Ahead, type Span, advance, append } from "./ahead.js";
import { findCut } from "./borders.js";
import { type Counter, type Measured, characterCounter } from "./counters.js";
import { borderAfter, graphemeEnd } from "./graphemes.js";
import { followSections } from "./sections.js";
import { tokenCounter } from "./tokens.js";

/** How much text to read per token. English has about 4.5 characters per token; if a text has more, more is read. */
const charactersPerToken = 8;

/**
 * Cuts a document's text (its blocks, joined by their separators) into chunks, at the best borders of the text (see
 * `findCut`).
 * - No chunk is larger than `cutting.size`, except one that is a single grapheme, or a part of a long one. No chunk is
 *   blank. A document that fits is one chunk.
 * - Each chunk begins with the overlap: the longest end of the chunk before that begins at a grapheme border and has at
 *   most `cutting.overlap` units, counted alone. It takes only whole table rows, so it may be shorter. It is left out
 *   where the next row (with its header) or grapheme would not fit otherwise, and after blanks that were dropped.
 * - A chunk that begins with a table row repeats the table's header row and a line break before it, if both fit.
 * - Without overlaps and repeated headers, the chunks joined are the document's text, except for blanks that would fill
 *   a chunk.
 * - A chunk's place is that of its first block that is not only in the overlap.
 * The same blocks and cutting always give the same chunks. Time grows linearly with the text. Memory holds one block
 * and a few times the chunk size.
 */
export async function* chunkBlocks(
  blocks: AsyncIterable<Block> | Iterable<Block>,
  cutting: Cutting,
): AsyncGenerator<TextChunk> {
  const byTokens = cutting.by === "tokens";
  const window = byTokens ? cutting.size * charactersPerToken : cutting.size + 1;
  const cutter: Cutter = {
    counter: byTokens ? await tokenCounter() : characterCounter,
    cutting,
    window,
    needed: window,
    ahead: { text: "", spans: [] },
    own: 0,
  };
  const sectionOf = followSections();
  for await (const block of blocks) {
    append(cutter.ahead, block, sectionOf(block));
    if (cutter.ahead.text.length >= cutter.needed) yield* cutOff(cutter, false);
  }
  yield* cutOff(cutter, true);
}

interface Cutter {
  counter: Counter;
  cutting: Cutting;
  /** UTF-16 units of text that usually exceed a chunk. */
  window: number;
  /** UTF-16 units to read before the next chunk is cut; larger than the window if the window was not enough. */
  needed: number;
  /** The text from the beginning of the next chunk. */
  ahead: Ahead;
  /** Where the overlap of the next chunk ends, and its own text begins. */
  own: number;
}

/** @param ended whether the rest of the document is ahead; if not, what the next block may change stays there */
function* cutOff(cutter: Cutter, ended: boolean): Generator<TextChunk> {
  const { ahead } = cutter;
  while (cutter.own < ahead.text.length && (ended || ahead.text.length >= cutter.needed)) {
    const chunk = nextChunk(cutter, ended);
    if (chunk === null) {
      cutter.needed = 2 * ahead.text.length;
      return;
    }
    const { header, from, cut } = chunk;
    const place = placeOf(ahead, cutter.own, cut);
    if (place !== null) yield { text: header + ahead.text.slice(from, cut), place };
    const next = place === null ? cut : overlapStart(cutter, chunk);
    advance(ahead, next);
    cutter.own = cut - next;
    cutter.needed = cutter.window;
  }
}

interface Beginning {
  /** The repeated header row with its line break, or "". */
  header: string;
  /** Where the overlap begins; without one, where the chunk's own text begins. */
  from: number;
}

interface Chunk extends Beginning {
  cut: number;
  /** The measured text, which contains the chunk; null if the chunk exceeds the size. */
  measured: Measured | null;
}

/** Cuts the next chunk; null if that depends on text still to come. */
function nextChunk(cutter: Cutter, ended: boolean): Chunk | null {
  const { ahead, own } = cutter;
  for (const beginning of [findBeginning(cutter), { header: "", from: own }]) {
    const chunk = fill(cutter, beginning, ended);
    if (chunk === null || chunk.cut > own) return chunk;
  }
  const cut = graphemeEnd(ahead.text, own);
  if (cut === ahead.text.length && !ended) return null;
  return { header: "", from: own, cut, measured: null };
}

/** Chooses the header and the overlap of a chunk so that a row which would fit alone is not cut. */
function findBeginning({ counter, cutting, ahead: { text, spans }, own }: Cutter): Beginning {
  const mine = spans.find(({ end }) => end > own);
  const row = mine?.block.kind === "row" && mine.start >= own ? mine : null;
  const header = headerAt(
    spans.find(({ end }) => end > 0),
    0,
  );
  if (row === null && header === "") return { header, from: 0 };
  const fits = (beginning: Beginning) => {
    const begun = beginning.header + text.slice(beginning.from, row?.end ?? own);
    // For text after a table whose rows are the overlap, a long header must leave room.
    const most = row === null ? Math.floor((3 / 4) * cutting.size) : cutting.size;
    return counter.measure(begun, most).reach === begun.length;
  };
  const beginnings = [
    { header, from: 0 },
    { header: headerAt(mine, own), from: own },
    { header: "", from: 0 },
    { header: "", from: own },
  ];
  return beginnings.find(fits) ?? { header: "", from: 0 };
}

function headerAt(span: Span | undefined, at: number): string {
  if (span?.block.kind !== "row" || span.block.header === null || span.start < at) return "";
  return `${span.block.header}\n`;
}

/** Fills a chunk after its beginning. `cut` is at most `own` if nothing more fits; null if more text may fit. */
function fill({ counter, cutting, window, ahead, own }: Cutter, beginning: Beginning, ended: boolean): Chunk | null {
  const { text, spans } = ahead;
  const { header, from } = beginning;
  for (let length = window; ; length *= 2) {
    const begun = header + text.slice(from, from + length);
    const measured = counter.measure(begun, cutting.size);
    if (measured.reach < begun.length) {
      const shift = from - header.length;
      let cut = findCut(text, spans, own, measured.reach + shift);
      // A text that ends inside a token may have more tokens than one that ends after it.
      while (cut > own && measured.range(0, cut - shift) > cutting.size) cut = findCut(text, spans, own, cut - 1);
      return { header, from, cut, measured };
    }
    if (from + length >= text.length) return ended ? { header, from, cut: text.length, measured } : null;
  }
}

/** The place of the first block with text between two positions; null if there are only blanks. */
function placeOf({ text, spans }: Ahead, from: number, to: number): Block["place"] | null {
  const blanks = text.slice(from, to).search(/\S/);
  if (blanks === -1) return null;
  const span = spans.find(({ end }) => end > from + blanks);
  return { ...span?.block.place, ...(typeof span?.section === "string" && { section: span.section }) };
}

/** Where the next chunk begins, with its overlap. */
function overlapStart({ cutting, ahead: { text, spans } }: Cutter, { header, from, cut, measured }: Chunk): number {
  if (cutting.overlap === 0 || measured === null) return cut;
  const shift = from - header.length;
  let start = borderAfter(text, from, Math.max(from, measured.tail(cut - shift, cutting.overlap) + shift));
  while (start < cut && measured.range(start - shift, cut - shift) > cutting.overlap) start = graphemeEnd(text, start);
  // Instead of cutting a row, the overlap begins after it, unless the row continues in the next chunk.
  const i = spans.findLastIndex((span) => span.start <= start);
  const span = spans[i];
  if (span?.block.kind !== "row" || span.start === start || span.end > cut) return start;
  return Math.min(cut, spans[i + 1]?.start ?? cut);
}
