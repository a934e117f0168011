import type { Block, Cutting, TextChunk } from "../words/document.js";
import { type Ahead, type Span, advance, append } from "./ahead.js";
import { findCut } from "./borders.js";
import { type Counter, type Measured, characterCounter } from "./counters.js";
import { borderAfter, graphemeEnd } from "./graphemes.js";
import { followSections } from "./sections.js";
import { tokenCounter } from "./tokens.js";

/** English has some 4.5 characters a token; where there are more, more is read. */
const charactersPerToken = 8;

/**
 * Cuts a document's text (its blocks, joined by what stands before each) into chunks, along the text's own borders (see `findCut`).
 *
 * - No chunk is larger than `cutting.size`, unless it is a single grapheme; none is blank. A document that fits is one chunk.
 * - Each chunk begins with the overlap: the longest end of the one before that begins at a grapheme border and has at most
 *   `cutting.overlap` units, counted by itself. Of rows of a table it takes whole ones, so it may be shorter; it is left out where the
 *   next row (with its header) or grapheme would not fit otherwise, and after blanks that were left out.
 * - A chunk that begins with a row of a table begins with the table's header row and a line break, if both fit.
 * - Without the overlaps and the repeated headers, the chunks together are the document's text, except for stretches of blanks that
 *   would have been a chunk.
 * - A chunk's place is that of the first block that is in it and not only in its overlap.
 *
 * The same blocks and cutting give the same chunks. Time is in proportion to the text of the chunks; in memory are one block, or the
 * longest grapheme, and a few times the size.
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
  /** Units of text that are more than a chunk, as a rule. */
  window: number;
  /** Units of text from which to try and cut off the next chunk: more than the window where these were not enough. */
  needed: number;
  /** From where the next chunk begins. */
  ahead: Ahead;
  /** Where its overlap ends. */
  own: number;
}

/** @param ended whether all the rest of the document is ahead; if not, what may change with the next block stays there. */
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
  /** The repeated header row with its line break, or empty. */
  header: string;
  /** Where the overlap begins, or the chunk's own text if it has none. */
  from: number;
}

interface Chunk extends Beginning {
  cut: number;
  /** The chunk's text, and maybe more; null when it is not within the size. */
  measured: Measured | null;
}

/** Null when it depends on text to come. */
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

/** What the chunk begins with before its own text. A row that would fit alone is not cut for it. */
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
    // Text after a table whose rows are the overlap: a header may be long, and something must remain for the text.
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

/** The chunk that begins so; its `cut` is no further than the beginning when nothing else fits. Null when more text may fit. */
function fill({ counter, cutting, window, ahead, own }: Cutter, beginning: Beginning, ended: boolean): Chunk | null {
  const { text, spans } = ahead;
  const { header, from } = beginning;
  for (let length = window; ; length *= 2) {
    const begun = header + text.slice(from, from + length);
    const measured = counter.measure(begun, cutting.size);
    if (measured.reach < begun.length) {
      const shift = from - header.length;
      let cut = findCut(text, spans, own, measured.reach + shift);
      // A text that ends within a token may have more of them than one that ends after it.
      while (cut > own && measured.range(0, cut - shift) > cutting.size) cut = findCut(text, spans, own, cut - 1);
      return { header, from, cut, measured };
    }
    if (from + length >= text.length) return ended ? { header, from, cut: text.length, measured } : null;
  }
}

/** The place of the first of the blocks with text between two positions; null when there are only blanks. */
function placeOf({ text, spans }: Ahead, from: number, to: number): Block["place"] | null {
  const blanks = text.slice(from, to).search(/\S/);
  if (blanks === -1) return null;
  const span = spans.find(({ end }) => end > from + blanks);
  return { ...span?.block.place, ...(typeof span?.section === "string" && { section: span.section }) };
}

/** Where the chunk after this one begins. */
function overlapStart({ cutting, ahead: { text, spans } }: Cutter, { header, from, cut, measured }: Chunk): number {
  if (cutting.overlap === 0 || measured === null) return cut;
  const shift = from - header.length;
  let start = borderAfter(text, from, Math.max(from, measured.tail(cut - shift, cutting.overlap) + shift));
  while (start < cut && measured.range(start - shift, cut - shift) > cutting.overlap) start = graphemeEnd(text, start);
  // Where a row would be cut, the overlap begins with what follows it, unless that row goes on in the next chunk.
  const i = spans.findLastIndex((span) => span.start <= start);
  const span = spans[i];
  if (span?.block.kind !== "row" || span.start === start || span.end > cut) return start;
  return Math.min(cut, spans[i + 1]?.start ?? cut);
}
