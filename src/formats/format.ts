import type { Block } from "../words/document.js";

/** The bytes of a document, in a file of their own that nobody changes. */
export interface Source {
  path: string;
  /** In bytes. */
  size: number;
  /** As its sender called it; may lie. */
  name: string;
}

export interface ReadOptions {
  /** Asks the vision model for the text of a picture (PNG or JPEG, at most 2,048 pixels a side). @throws what the model call throws */
  describeImage: (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => Promise<string>;
  /** Whether pages of a PDF without any text may be given to the vision model. */
  pdfVision: boolean;
  /** How many documents this one lies within: an attachment of a mail is at 1. */
  depth: number;
  /** Reads a document within this one, such as a mail's attachment, by its own format. Its blocks' places name it. */
  readInner: (bytes: Uint8Array, name: string) => AsyncIterable<Block>;
}

/** Reads a document piece by piece. @throws DocumentError when it cannot be read; anything else is a fault of ours. */
export type ReadFormat = (source: Source, options: ReadOptions) => AsyncIterable<Block>;
