import { readFile } from "node:fs/promises";
import { type Block, DocumentError } from "../words/document.js";
import { decodeFile, decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { linesOf, noText } from "./text.js";

/** In bytes; a larger file is read only as JSON Lines, line by line. */
const largest = 67_108_864;
const deepest = 1_000;
/** Indentation stops here: a value at depth 1,000 would otherwise grow a thousandfold. */
const deepestIndent = 10;
/**
 * In characters, by depth: a block of this length ends before the next element or member at that depth. So each
 * outermost value is a block, unless it is tiny, and a large one is several.
 */
const enough = [100, 800, 2_000];
const enoughDeeper = 4_000;

const sliceSize = 65_536;
/** Length of \u0041. */
const longestEscape = 6;

const space = /[ \t\r\n]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;

/**
 * Reads JSON, or JSON Lines, and indents it by two spaces. The source is laid out, not parsed and written again, so
 * that numbers keep all their digits and repeated members stay.
 * @throws DocumentError when it is not valid JSON, or larger than 64 MB and not JSON Lines
 */
export const readJson: ReadFormat = async function* ({ path, size, name }) {
  if (size > largest) {
    yield* readLines(path, name);
    return;
  }
  const text = decodeText(await readFile(path));
  if (text.trim() === "") throw noText(text);
  yield* layOut(text, 1);
};

async function* readLines(path: string, name: string): AsyncGenerator<Block> {
  if (!/\.(jsonl|ndjson)$/i.test(name))
    throw new DocumentError(
      "invalid_file",
      "The JSON is larger than 64 MB. Split it, or send it as JSON Lines (.jsonl).",
    );
  let number = 0;
  let isEmpty = true;
  for await (const line of linesOf(decodeFile(path), largest)) {
    number += 1;
    if (line.trim() === "") continue;
    isEmpty = false;
    yield* layOut(line, number);
  }
  if (isEmpty) throw noText(" ");
}

/** @param firstLine line number of the text's first line in the file, for messages */
function* layOut(text: string, firstLine: number): Generator<Block> {
  for (const { text: piece, isFirst } of piecesOf(text, firstLine)) {
    // Pieces of one value follow each other line by line; a blank line separates values.
    yield { kind: "text", text: piece, place: {}, ...(isFirst ? {} : { before: "\n" }) };
  }
}

/** Yields the laid-out text of each value, in pieces. */
function* piecesOf(text: string, firstLine: number): Generator<{ text: string; isFirst: boolean }> {
  const scanner = scannerOf(text, firstLine);
  const { broken, peek, skipSpace, step } = scanner;
  /** The closing brackets that must still come. */
  const closing: string[] = [];
  let out = "";
  let isFirst = true;
  const indent = () => "  ".repeat(Math.min(closing.length, deepestIndent));

  /**
   * Goes from an opening bracket to the first value inside, or past the closing one.
   * @returns whether there is a value
   */
  const open = (bracket: string) => {
    const close = bracket === "{" ? "}" : "]";
    step();
    skipSpace();
    if (peek() === close) {
      step();
      out += bracket + close;
      return false;
    }
    closing.push(close);
    if (closing.length > deepest) throw broken(`is nested more than ${deepest} levels deep`);
    out += `${bracket}\n${indent()}`;
    if (close === "}") out += scanner.readKey();
    return true;
  };
  /** Closes the brackets that end here. @returns whether a comma follows, and so another value */
  const hasNext = () => {
    for (let close = closing.at(-1); close !== undefined; close = closing.at(-1)) {
      skipSpace();
      if (peek() === ",") return true;
      if (peek() !== close) throw broken(peek() === "" ? "ends too early" : "lacks a comma or a closing bracket");
      step();
      closing.pop();
      out += `\n${indent()}${close}`;
    }
    return false;
  };

  skipSpace();
  while (peek() !== "") {
    for (;;) {
      const first = peek();
      if (first === "{" || first === "[") {
        if (open(first)) continue;
      } else out += scanner.readScalar();
      if (!hasNext()) break;
      step();
      out += ",";
      if (out.length >= (enough[closing.length - 1] ?? enoughDeeper)) {
        yield { text: out, isFirst };
        isFirst = false;
        out = indent();
      } else out += `\n${indent()}`;
      if (closing.at(-1) === "}") out += scanner.readKey();
      else skipSpace();
    }
    yield { text: out, isFirst };
    isFirst = true;
    out = "";
    const gap = skipSpace();
    if (peek() !== "" && !gap.includes("\n")) throw broken("goes on after its value has ended");
  }
}

/** Reads the tokens of JSON one after the other. */
function scannerOf(text: string, firstLine: number) {
  let at = 0;

  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const skipSpace = () => match(space);
  const broken = (problem: string) => {
    const line = firstLine + text.slice(0, at).split("\n").length - 1;
    return new DocumentError("invalid_file", `The file is not valid JSON: line ${line} ${problem}.`);
  };
  const readString = () => {
    const start = at + 1;
    let end = text.indexOf('"', start);
    while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end === -1) throw broken("has a string that is not closed");
    const content = readable(text.slice(start, end));
    if (content === null)
      throw broken("has a string with an invalid escape or a control character such as a line break");
    at = end + 1;
    return `"${content}"`;
  };

  return {
    broken,
    skipSpace,
    /** The character that comes next; "" at the end. */
    peek: () => text[at] ?? "",
    step: () => {
      at += 1;
    },
    readScalar: () => {
      if (text[at] === '"') return readString();
      const found = match(scalar);
      if (found === "") throw broken(at === text.length ? "ends too early" : "has something where a value must be");
      return found;
    },
    /** A member's name up to its value, as `"name": `. */
    readKey: () => {
      skipSpace();
      if (text[at] !== '"') throw broken("has something where a name in quotes must be");
      const name = readString();
      skipSpace();
      if (text[at] !== ":") throw broken("has no colon after a name");
      at += 1;
      skipSpace();
      return `${name}: `;
    },
  };
}

/** Whether an odd number of backslashes comes right before `at`. */
function isEscaped(text: string, at: number, from = 0): boolean {
  let start = at;
  while (start > from && text[start - 1] === "\\") start -= 1;
  return (at - start) % 2 === 1;
}

/**
 * The content of a string with letters instead of their escapes, so that searches find them; still valid JSON. Null if
 * it is invalid.
 */
function readable(content: string): string | null {
  // Control characters below U+0020.
  if (/[^\P{Cc}\x7f-\x9f]/u.test(content)) return null;
  if (!content.includes("\\")) return content;
  let text = "";
  for (const slice of slicesOf(content)) {
    if (slice.replace(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/g, "").includes("\\")) return null;
    text += slice.replace(/\\(?:u(.{4})|.)/g, unescaped);
  }
  return text.toWellFormed();
}

/** Cuts a string between escapes: replacing millions of them in one call takes more than a gigabyte. */
function* slicesOf(content: string): Generator<string> {
  let at = 0;
  while (at < content.length) {
    const limit = Math.min(at + sliceSize, content.length);
    const last = content.lastIndexOf("\\", limit - 1);
    const isCut = limit < content.length && last > limit - longestEscape && !isEscaped(content, last, at);
    const end = isCut ? last : limit;
    yield content.slice(at, end);
    at = end;
  }
}

function unescaped(escape: string, hex?: string): string {
  if (hex === undefined) return escape === "\\/" ? "/" : escape;
  const code = parseInt(hex, 16);
  // The database cannot store the first; the second is a byte order mark.
  if (code === 0 || code === 0xfeff) return "";
  if (code < 0x20) return escape;
  const character = String.fromCharCode(code);
  return character === '"' || character === "\\" ? `\\${character}` : character;
}
