import type { Block } from "../words/document.js";

/** A block's text within the text ahead. */
export interface Span {
  block: Block;
  /** Headings above it, or null. */
  section: string | null;
  /** Negative when what comes before 0 is no longer ahead. */
  start: number;
  end: number;
}

/** A document's text from some place on, as far as it was read. */
export interface Ahead {
  text: string;
  /** In order, those of the blocks that are not wholly behind. */
  spans: Span[];
}

export function append(ahead: Ahead, block: Block, section: string | null): void {
  const before = ahead.spans.at(-1)?.block;
  if (before !== undefined) {
    ahead.text += block.before ?? (before.kind === "row" && block.kind === "row" ? "\n" : "\n\n");
  }
  const start = ahead.text.length;
  ahead.text += block.text;
  ahead.spans.push({ block, section, start, end: ahead.text.length });
}

/** Leaves `length` units behind, which are not all if more is to be appended: what stands before a block depends on the last one. */
export function advance(ahead: Ahead, length: number): void {
  ahead.text = ahead.text.slice(length);
  ahead.spans = ahead.spans
    .filter(({ end }) => end > length)
    .map((span) => ({ ...span, start: span.start - length, end: span.end - length }));
}
