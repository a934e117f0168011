import { type Block, DocumentError } from "../words/document.js";
import { decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";

/** In characters: a block of this length ends at the next blank line, and one of `longest` anywhere. */
const enough = 2_000;
const longest = 8_000;
/**
 * In characters: longer white space before a block is cut between pieces, so that a file of white space does not fill
 * the memory.
 */
const longestGap = 65_536;
/**
 * UTF-16 units around a position that decide whether it is inside a grapheme, such as an emoji of several code points.
 */
const context = 64;

const segmenter = new Intl.Segmenter();
const nonSpace = /\S/g;

/**
 * Reads plain text, logs and source code. The blocks joined are the text with all its white space.
 * @throws DocumentError when it has no text
 */
export const readText: ReadFormat = (source) => blocksOfText(decodeFile(source.path));

/** Cuts a text into blocks, at blank lines where possible. @throws DocumentError when there is no text */
export async function* blocksOfText(pieces: AsyncIterable<string>): AsyncGenerator<Block> {
  let held = "";
  for await (const text of cutText(pieces)) {
    // Blank text at the end joins the last block.
    if (held !== "" && text.trim() !== "") {
      yield { kind: "text", text: held, place: {}, before: "" };
      held = text;
    } else held += text;
  }
  if (held.trim() === "") throw noText(held);
  yield { kind: "text", text: held, place: {}, before: "" };
}

/**
 * Yields the lines of a text, each with its line break. A line of more than `limit` characters may come in several
 * parts.
 */
export async function* linesOf(pieces: AsyncIterable<string>, limit: number): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    let at = 0;
    for (let end = piece.indexOf("\n"); end !== -1; end = piece.indexOf("\n", at)) {
      yield rest + piece.slice(at, end + 1);
      rest = "";
      at = end + 1;
    }
    rest += piece.slice(at);
    if (rest.length > limit) {
      yield rest;
      rest = "";
    }
  }
  if (rest !== "") yield rest;
}

/** The error for a file whose text is empty or blank. */
export function noText(text: string): DocumentError {
  return new DocumentError(
    "invalid_file",
    text === "" ? "The file is empty." : "The file has no text, only white space.",
  );
}

/** Yields the text in blocks; only the last can be blank. */
async function* cutText(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    rest += piece;
    let at = 0;
    for (let end = endOfBlock(rest, at, false); end !== null; end = endOfBlock(rest, at, false)) {
      yield rest.slice(at, end);
      at = end;
    }
    rest = withoutLongGap(rest.slice(at));
  }
  let at = 0;
  for (let end = endOfBlock(rest, at, true); end !== null; end = endOfBlock(rest, at, true)) {
    yield rest.slice(at, end);
    at = end;
  }
  if (at < rest.length) yield rest.slice(at);
}

/** Where the block that begins at `from` ends; null if more text is needed to tell, or only white space is left. */
function endOfBlock(text: string, from: number, isEnd: boolean): number | null {
  nonSpace.lastIndex = from;
  const start = nonSpace.exec(text)?.index;
  if (start === undefined) return null;
  const limit = start + longest;
  if (!isEnd && text.length < limit + context) return null;
  if (text.length <= start + enough) return text.length;
  const gap = /\n[ \t\r]*\n/.exec(text.slice(start + enough, limit));
  if (gap !== null) return start + enough + gap.index + gap[0].length;
  if (text.length <= limit) return text.length;
  const lineBreak = text.lastIndexOf("\n", limit - 1);
  if (lineBreak > start) return lineBreak + 1;
  const space = text.slice(start, limit).search(/\s\S*$/);
  return space > 0 ? start + space + 1 : characterBorder(text, limit);
}

/** The last position up to `near` that is not inside a grapheme. */
function characterBorder(text: string, near: number): number {
  const from = near - context;
  const character = segmenter.segment(text.slice(from, near + context)).containing(context);
  // A grapheme at the very start may have begun before it: combining marks can be repeated without end.
  if (character !== undefined && character.index > 1) return from + character.index;
  const isLowHalf = (text.charCodeAt(near) & 0xfc00) === 0xdc00;
  return isLowHalf ? near - 1 : near;
}

function withoutLongGap(text: string): string {
  const start = text.search(/\S/);
  const gap = start === -1 ? text.length : start;
  return gap > longestGap ? text.slice(0, longestGap) + text.slice(gap) : text;
}
