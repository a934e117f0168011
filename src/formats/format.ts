import type { Block } from "../words/document.js";

/** A document's bytes, in a file that nobody changes while it is read. */
export interface Source {
  path: string;
  /** In bytes. */
  size: number;
  /** The filename its sender gave, which may be misleading. */
  name: string;
}

/** What a reader may use besides the document. */
export interface ReadOptions {
  /**
   * Asks the vision model for the text of an image (at most 2,048 pixels a side).
   * @throws what the model call throws
   */
  describeImage: (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => Promise<string>;
  /** Whether PDF pages without text may be given to the vision model. */
  pdfVision: boolean;
  /** How many documents contain this one: 1 for an attachment of an email. */
  depth: number;
  /** Reads a document inside this one, such as an attachment, by its format. The places of its blocks name it. */
  readInner: (bytes: Uint8Array, name: string) => AsyncIterable<Block>;
}

/**
 * Reads a document block by block.
 * @throws DocumentError when it cannot be read; any other error is a bug or the machine's
 */
export type ReadFormat = (source: Source, options: ReadOptions) => AsyncIterable<Block>;
