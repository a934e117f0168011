import { type Block, DocumentError, type TextChunk } from "../words/document.js";

/**
 * What may come of a file. A compressed file of a few bytes can unfold to gigabytes of text, so what it may give also
 * depends on its size.
 */
export interface AllowanceSettings {
  /** Text of one file, in bytes of UTF-8 (MAX_TEXT_MB). */
  textBytes: number;
  /** Text for each byte of the file (MAX_TEXT_RATIO), if that is less. */
  ratio: number;
  /** Chunks of one file (MAX_CHUNKS). */
  chunks: number;
}

/** What may come of one document. */
export interface Allowance {
  /** In bytes of UTF-8. */
  text: number;
  chunks: number;
  /** How long the thread may work on it, without the time it waits for others. */
  workMs: number;
  /** Names the file's size and the settings, for messages. */
  why: { text: string; chunks: string };
}

/** A small file may give this much text, whatever its size: honest documents compress up to a hundredfold. */
export const freeText = 10 * 2 ** 20;
const freeChunks = 10_000;
/** Beyond that, for each chunk a file must be allowed this much text, so that tiny chunks do not fill the disk. */
const textPerChunk = 2_000;

/** The allowance of a file of this many bytes. */
export function allowanceOf(size: number, { textBytes, ratio, chunks }: AllowanceSettings): Allowance {
  const relative = Math.max(freeText, ratio * size);
  const relativeChunks = Math.max(freeChunks, Math.floor((ratio * size) / textPerChunk));
  const forSize = `for a file of ${count(size)} bytes (MAX_TEXT_RATIO is ${ratio})`;
  return {
    text: Math.min(textBytes, relative),
    chunks: Math.min(chunks, relativeChunks),
    workMs: 40_000 + size / 50,
    why: {
      text: textBytes <= relative ? "(MAX_TEXT_MB)" : forSize,
      chunks: chunks <= relativeChunks ? "(MAX_CHUNKS)" : forSize,
    },
  };
}

const count = (number: number) => number.toLocaleString("en");

/**
 * Passes on the blocks of a document, and counts their text.
 * @throws DocumentError once the text exceeds the allowance
 */
export async function* countText(
  blocks: AsyncIterable<Block>,
  { text: most, why }: Allowance,
  counted: { text: number },
): AsyncGenerator<Block> {
  for await (const block of blocks) {
    counted.text += Buffer.byteLength(block.text);
    if (counted.text > most) {
      throw refused(`has more text than the limit of ${count(most)} bytes ${why.text}`);
    }
    yield block;
  }
}

/** Passes on the chunks of a document. @throws DocumentError once there are more than its allowance */
export async function* countChunks(
  chunks: AsyncIterable<TextChunk>,
  { chunks: most, why }: Allowance,
): AsyncGenerator<TextChunk> {
  let number = 0;
  for await (const chunk of chunks) {
    number += 1;
    if (number > most) {
      throw refused(`has more chunks than the limit of ${count(most)} ${why.chunks}; larger chunks are fewer`);
    }
    yield chunk;
  }
}

const refused = (what: string) =>
  new DocumentError("invalid_file", `The document ${what}. Split it into several files.`);
