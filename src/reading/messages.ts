import type { Cutting, DocumentError, TextChunk } from "../words/document.js";
import type { Source } from "../formats/format.js";

/** What the server and a reading thread say to each other. One document at a time. */
export type ToThread =
  | { kind: "read"; source: Source; cutting: Cutting; pdfVision: boolean }
  /** The chunks sent last have been taken: so many more may follow. */
  | { kind: "more" }
  /** null: there is no description, and the document cannot be read. */
  | { kind: "described"; text: string | null };

export type FromThread =
  | { kind: "chunks"; chunks: TextChunk[] }
  /** A sign of life in between. */
  | { kind: "alive" }
  | { kind: "describe"; image: Uint8Array; mediaType: "image/png" | "image/jpeg" }
  | { kind: "end"; chunks: TextChunk[]; heapBytes: number }
  | { kind: "failed"; code: DocumentError["code"]; message: string }
  /** A picture had no description: the other side knows why. */
  | { kind: "undescribed" }
  /** A fault of ours. */
  | { kind: "broken"; error: unknown };
