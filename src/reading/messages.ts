import type { Cutting, DocumentError, TextChunk } from "../words/document.js";
import type { Source } from "../formats/format.js";
import type { Allowance } from "./allowance.js";

/** Messages from the server to a reading thread, which reads one document at a time. */
export type ToThread =
  | { kind: "read"; source: Source; cutting: Cutting; pdfVision: boolean; allowance: Allowance }
  /** The last chunks were taken, so the thread may send the next ones. */
  | { kind: "more" }
  /** The answer to `describe`; null means that there is no description and the document cannot be read. */
  | { kind: "described"; text: string | null };

/** Messages from a reading thread to the server. */
export type FromThread =
  | { kind: "chunks"; chunks: TextChunk[] }
  /** A sign of life while there are no chunks to send. */
  | { kind: "alive" }
  | { kind: "describe"; image: Uint8Array; mediaType: "image/png" | "image/jpeg" }
  | { kind: "end"; chunks: TextChunk[]; heapBytes: number }
  | { kind: "failed"; code: DocumentError["code"]; message: string }
  /** An image has no description; the server knows why. */
  | { kind: "undescribed" }
  /** A bug, or an error of the machine. */
  | { kind: "broken"; error: unknown; code: string | null };
