import type { Block } from "../words/document.js";

/** The position of a block's text in `Ahead.text`. */
export interface Span {
  block: Block;
  /** The path of headings above it; null if there is none. */
  section: string | null;
  /** Negative if the beginning of the block was already left behind. */
  start: number;
  end: number;
}

/** The part of a document's text that is read but not yet cut into chunks. */
export interface Ahead {
  text: string;
  /** The blocks in it, in order. */
  spans: Span[];
}

/** Adds a block and what separates it from the one before. */
export function append(ahead: Ahead, block: Block, section: string | null): void {
  const before = ahead.spans.at(-1)?.block;
  if (before !== undefined) {
    ahead.text += block.before ?? (before.kind === "row" && block.kind === "row" ? "\n" : "\n\n");
  }
  const start = ahead.text.length;
  ahead.text += block.text;
  ahead.spans.push({ block, section, start, end: ahead.text.length });
}

/**
 * Drops the first `length` UTF-16 units. Before another `append`, some must remain: what separates a block depends on
 * the last one.
 */
export function advance(ahead: Ahead, length: number): void {
  ahead.text = ahead.text.slice(length);
  ahead.spans = ahead.spans
    .filter(({ end }) => end > length)
    .map((span) => ({ ...span, start: span.start - length, end: span.end - length }));
}
