import { afterSpace } from "../numbers/floatArray.js";

/** The place of a value in the bytes: `end` is the offset after its last byte. */
export interface Span {
  start: number;
  end: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Finds the fields of a JSON object without parsing their values: numbers may be larger than JavaScript's, and vectors
 * are read straight from the bytes. The last of several fields of one name counts, as in JSON.parse. Values are not
 * checked; whoever parses them must.
 * @throws SyntaxError with the column, from 1
 */
export function fieldsOf(bytes: Buffer): Map<string, Span> {
  const fields = new Map<string, Span>();
  let at = expect(bytes, afterSpace(bytes, 0), openObject);
  at = afterSpace(bytes, at);
  if (bytes[at] === closeObject) return ended(bytes, at + 1, fields);
  for (;;) {
    if (bytes[at] !== quote) throw unexpected(bytes, at);
    const nameEnd = afterString(bytes, at);
    const name = JSON.parse(bytes.toString("utf8", at, nameEnd)) as string;
    const start = afterSpace(bytes, expect(bytes, afterSpace(bytes, nameEnd), colon));
    const end = afterValue(bytes, start);
    fields.set(name, { start, end });
    at = afterSpace(bytes, end);
    if (bytes[at] === closeObject) return ended(bytes, at + 1, fields);
    at = afterSpace(bytes, expect(bytes, at, comma));
  }
}

function ended(bytes: Buffer, at: number, fields: Map<string, Span>): Map<string, Span> {
  const end = afterSpace(bytes, at);
  if (end < bytes.length) throw unexpected(bytes, end);
  return fields;
}

function expect(bytes: Buffer, at: number, byte: number): number {
  if (bytes[at] !== byte) throw unexpected(bytes, at);
  return at + 1;
}

const unexpected = (bytes: Buffer, at: number) =>
  new SyntaxError(at >= bytes.length ? "ends too early" : `has an unexpected character at column ${at + 1}`);

function afterValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === quote) return afterString(bytes, start);
  if (first === openArray) return afterNumbers(bytes, start) ?? afterBrackets(bytes, start);
  if (first === openObject) return afterBrackets(bytes, start);
  let at = start;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === comma || byte === closeObject || byte === closeArray || byte <= 0x20) break;
  }
  if (at === start) throw unexpected(bytes, at);
  return at;
}

function afterString(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(quote, start + 1); end !== -1; end = bytes.indexOf(quote, end + 1)) {
    let before = end;
    while (bytes[before - 1] === backslash) before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  throw unexpected(bytes, bytes.length);
}

/** Skips an array of numbers in one step, since most bytes of a row are digits. @returns null for other arrays */
function afterNumbers(bytes: Buffer, start: number): number | null {
  const end = bytes.indexOf(closeArray, start);
  if (end === -1) return null;
  const inside = bytes.subarray(start + 1, end);
  return inside.includes(quote) || inside.includes(openArray) || inside.includes(openObject) ? null : end + 1;
}

function afterBrackets(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) at = afterString(bytes, at) - 1;
    else if (byte === openArray || byte === openObject) depth += 1;
    else if ((byte === closeArray || byte === closeObject) && --depth === 0) return at + 1;
  }
  throw unexpected(bytes, bytes.length);
}
