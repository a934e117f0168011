/**
 * A document on its way from bytes to chunks: formats make blocks of it, chunking makes chunks of these.
 */

/** Where in its document a text stands, as far as the format knows such places. All count from 1. */
export interface Place {
  page?: number;
  slide?: number;
  sheet?: string;
  /** Headings above the text, outermost first, joined by " > ". Set by chunking, from the blocks that are headings. */
  section?: string;
  /** File name of the attachment that the text comes from, or "a.eml > b.docx" for one within another. */
  attachment?: string;
}

/**
 * A heading, a paragraph (or list item, code, …), or a row of a table, in the order of reading. Texts are never empty, and never contain
 * U+0000 or half a character.
 */
export type Block = {
  text: string;
  place: Place;
  /** What stands between the block before and this one; by default a line break before a row that follows a row, else a blank line. */
  before?: string;
} & (
  | { kind: "text" }
  /** 1 is the outermost. */
  | { kind: "heading"; level: number }
  /** `header` is the table's header row, written as its rows are; a chunk that begins within the table repeats it. Null: it has none, or is it. */
  | { kind: "row"; header: string | null }
);

/** A piece of a document's text that is embedded as a whole. */
export interface TextChunk {
  text: string;
  /** Where it begins. */
  place: Place;
}

/** How a document's text is cut into chunks; size and overlap in tokens or in characters. */
export interface Cutting {
  by: "tokens" | "characters";
  size: number;
  overlap: number;
}

/** Why a document cannot be read, in words for its sender; the codes are OpenAI's of `last_error`. */
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
