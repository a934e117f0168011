import { readFile } from "node:fs/promises";
import { type Block, DocumentError } from "../words/document.js";
import { decodeFile, decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { linesOf, noText } from "./text.js";

/** In bytes. More is read only line by line, when each line is a value. */
const largest = 67_108_864;
const deepest = 1_000;
/** Lines further in are indented no further: an array at depth 1,000 would become a thousand times as long. */
const deepestIndent = 10;
/**
 * In characters, by depth: a block that has as many ends before the next element or member there. So each of the outermost
 * is a block of its own, unless it is tiny, and parts of a large one are.
 */
const enough = [100, 800, 2_000];
const enoughDeeper = 4_000;

const sliceSize = 65_536;
/** \u0041 */
const longestEscape = 6;

const space = /[ \t\r\n]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;

/**
 * JSON, or values one after the other (JSON Lines), laid out with two spaces. It is not parsed and written again, so that
 * numbers keep all their digits and members given twice are there twice.
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

/** @param firstLine number of the text's first line, for messages. */
function* layOut(text: string, firstLine: number): Generator<Block> {
  const values = valuesOf(text, firstLine);
  for (const { text: piece, isFirst } of values) {
    // Parts of one value are on lines of their own; between values is a blank line.
    yield { kind: "text", text: piece, place: {}, ...(isFirst ? {} : { before: "\n" }) };
  }
}

function* valuesOf(text: string, firstLine: number): Generator<{ text: string; isFirst: boolean }> {
  /** Brackets that have to come. */
  const closing: string[] = [];
  let at = 0;
  let out = "";
  let isFirst = true;

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
  const indent = () => "  ".repeat(Math.min(closing.length, deepestIndent));

  const readString = () => {
    const start = at + 1;
    let end = text.indexOf('"', start);
    while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end === -1) throw broken("has a text that is not closed");
    const content = readable(text.slice(start, end));
    if (content === null) throw broken("has a text with a wrong escape, or a line break or the like in it");
    at = end + 1;
    return `"${content}"`;
  };
  const readScalar = () => {
    if (text[at] === '"') return readString();
    const found = match(scalar);
    if (found === "") throw broken(at === text.length ? "ends too early" : "has something where a value must be");
    return found;
  };
  const readKey = () => {
    skipSpace();
    if (text[at] !== '"') throw broken("has something where a name in quotes must be");
    const name = readString();
    skipSpace();
    if (text[at] !== ":") throw broken("has no colon after a name");
    at += 1;
    skipSpace();
    return `${name}: `;
  };
  /** From an opening bracket to the first value within, or past the closing one. Says whether there is one. */
  const open = (bracket: string) => {
    const close = bracket === "{" ? "}" : "]";
    at += 1;
    skipSpace();
    if (text[at] === close) {
      at += 1;
      out += bracket + close;
      return false;
    }
    closing.push(close);
    if (closing.length > deepest) throw broken(`is nested more than ${deepest} levels deep`);
    out += `${bracket}\n${indent()}`;
    if (close === "}") out += readKey();
    return true;
  };
  /** Whether the text goes on with another value in the same bracket; closes brackets that end here. */
  const hasNext = () => {
    for (let close = closing.at(-1); close !== undefined; close = closing.at(-1)) {
      skipSpace();
      if (text[at] === ",") return true;
      if (text[at] !== close)
        throw broken(at === text.length ? "ends too early" : "lacks a comma or a closing bracket");
      at += 1;
      closing.pop();
      out += `\n${indent()}${close}`;
    }
    return false;
  };

  skipSpace();
  while (at < text.length) {
    for (;;) {
      const first = text[at] ?? "";
      if (first === "{" || first === "[") {
        if (open(first)) continue;
      } else out += readScalar();
      if (!hasNext()) break;
      at += 1;
      out += ",";
      if (out.length >= (enough[closing.length - 1] ?? enoughDeeper)) {
        yield { text: out, isFirst };
        isFirst = false;
        out = indent();
      } else out += `\n${indent()}`;
      if (closing.at(-1) === "}") out += readKey();
      else skipSpace();
    }
    yield { text: out, isFirst };
    isFirst = true;
    out = "";
    const gap = skipSpace();
    if (at < text.length && !gap.includes("\n")) throw broken("goes on after its value has ended");
  }
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number, from = 0): boolean {
  let start = at;
  while (start > from && text[start - 1] === "\\") start -= 1;
  return (at - start) % 2 === 1;
}

/** The inside of a string with its letters as such, not as escapes, for search finds these; still JSON. Null when it is wrong. */
function readable(content: string): string | null {
  // U+0000 to U+001F: control characters but those of U+007F and on.
  if (/[^\P{Cc}\x7f-\x9f]/u.test(content)) return null;
  if (!content.includes("\\")) return content;
  let text = "";
  for (const slice of slicesOf(content)) {
    if (slice.replace(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/g, "").includes("\\")) return null;
    text += slice.replace(/\\(?:u(.{4})|.)/g, unescaped);
  }
  return text.toWellFormed();
}

/** A string's parts, with no escape on a border: to replace millions of them at once takes more than a gigabyte. */
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
  // These two must be nowhere in a text.
  if (code === 0 || code === 0xfeff) return "";
  if (code < 0x20) return escape;
  const character = String.fromCharCode(code);
  return character === '"' || character === "\\" ? `\\${character}` : character;
}
