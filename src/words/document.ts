/**
 * A document on its way from bytes to chunks: formats turn bytes into blocks, chunking turns blocks into chunks.
 */

/** Where in its document a text is, as far as the format knows. Numbers count from 1. */
export interface Place {
  page?: number;
  slide?: number;
  sheet?: string;
  /** Headings above the text, outermost first, joined by " > ". Set by chunking, from the heading blocks. */
  section?: string;
  /** Filename of the attachment that the text comes from; "a.eml > b.docx" for an attachment inside another. */
  attachment?: string;
}

/**
 * A heading, a paragraph (or list item, code, …) or a table row; a document yields them in reading order. Its text is
 * never empty, and has no U+0000 and no lone surrogate.
 */
export type Block = {
  text: string;
  place: Place;
  /** Separates this block from the one before. Default: a line break between two rows, else a blank line. */
  before?: string;
} & (
  | { kind: "text" }
  /** Level 1 is the outermost. */
  | { kind: "heading"; level: number }
  /**
   * `header` is the text of the table's header row, which chunks inside the table repeat; null if the table has none,
   * or if this is that row.
   */
  | { kind: "row"; header: string | null }
);

/** A piece of a document's text that gets one embedding. */
export interface TextChunk {
  text: string;
  /** The place where it begins. */
  place: Place;
}

/** How a document's text is cut into chunks: size and overlap, in tokens or in characters. */
export interface Cutting {
  by: "tokens" | "characters";
  size: number;
  overlap: number;
}

/** Says why a document cannot be read, in words for its sender. The codes are those of OpenAI's `last_error`. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";

  constructor(
    readonly code: "unsupported_file" | "invalid_file",
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}
