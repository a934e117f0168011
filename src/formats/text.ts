import { type Block, DocumentError } from "../words/document.js";
import { decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";

/** A block of as many characters ends at the next blank line. */
const enough = 2_000;
const longest = 8_000;
/** White space before a block may be longer than this only within a piece: a file of nothing else must not fill the memory. */
const longestGap = 65_536;
/** Characters around a place that decide whether it is within a character as people see it, such as an emoji of several. */
const context = 64;

const segmenter = new Intl.Segmenter();
const nonSpace = /\S/g;

/** Plain text, logs, source code: the blocks together are the text as it is, with all of its white space. */
export const readText: ReadFormat = (source) => blocksOfText(decodeFile(source.path));

/** @throws DocumentError invalid_file when there is no text. */
export async function* blocksOfText(pieces: AsyncIterable<string>): AsyncGenerator<Block> {
  let held = "";
  for await (const text of cutText(pieces)) {
    // What is blank at the end has no block of its own.
    if (held !== "" && text.trim() !== "") {
      yield { kind: "text", text: held, place: {}, before: "" };
      held = text;
    } else held += text;
  }
  if (held.trim() === "") throw noText(held);
  yield { kind: "text", text: held, place: {}, before: "" };
}

/** The lines of a text, each with its line break; one that is longer than `limit` may come in several parts. */
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

/** Says why a file whose text is blank cannot be read. */
export function noText(text: string): DocumentError {
  return new DocumentError(
    "invalid_file",
    text === "" ? "The file is empty." : "The file has no text but white space.",
  );
}

/** All but the last have text. */
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

/** Where the block that begins at `from` ends; null when the text ends before that, or, at its end, when only white space is left. */
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

/** The last place up to `near` that is not within a character. */
function characterBorder(text: string, near: number): number {
  const from = near - context;
  const character = segmenter.segment(text.slice(from, near + context)).containing(context);
  // At 0 it may have begun before, and may be as long as someone wanted it to be.
  if (character !== undefined && character.index > 1) return from + character.index;
  const isLowHalf = (text.charCodeAt(near) & 0xfc00) === 0xdc00;
  return isLowHalf ? near - 1 : near;
}

function withoutLongGap(text: string): string {
  const start = text.search(/\S/);
  const gap = start === -1 ? text.length : start;
  return gap > longestGap ? text.slice(0, longestGap) + text.slice(gap) : text;
}
