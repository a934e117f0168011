import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

/* JSON whose numbers keep their digits. JavaScript's doubles round whole numbers beyond 2^53; jsonb does not. */

/** A JSON number that a double would round, with its digits as they were written. */
export class ExactNumber {
  constructor(readonly text: string) {}

  /** The nearest double; infinite or 0 outside the range of doubles. */
  toNumber(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  /** JSON.stringify can write only doubles. What must be exact is written by `exactJson`. */
  toJSON(): number | string {
    if (!writing.exactly) return this.toNumber();
    writing.found = true;
    return mark + this.text;
  }
}

/** Whether two JSON values are the same, in whatever order their keys are. */
export const sameJson = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

/** Whether a value of parsed JSON is an object: neither null, an array nor a number with all its digits. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

/** Stands before the digits of a number in a JSON string, while the text passes through JSON's own functions. */
const mark = randomUUID();
const marked = new RegExp(`"${mark}([-+.eE0-9]+)"`, "g");
const writing = { exactly: false, found: false };

/** As JSON.stringify, with the digits of every `ExactNumber`. */
export function exactJson(value: unknown, indent?: number): string {
  const text = writeMarked(value, indent);
  return writing.found ? text.replace(marked, "$1") : text;
}

function writeMarked(value: unknown, indent: number | undefined): string {
  writing.exactly = true;
  writing.found = false;
  try {
    return JSON.stringify(value, null, indent);
  } finally {
    writing.exactly = false;
  }
}

/** As JSON.parse, but numbers that a double would round are `ExactNumber`s. @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!mayBeRounded(text)) return value;
  const withMarks = markNumbers(text);
  return withMarks === null ? value : unmark({ value: JSON.parse(withMarks) as unknown }).value;
}

const [quote, point, nine, letterE] = [0x22, 0x2e, 0x39, 0x65];

/**
 * Whether valid JSON has a number with 16 characters or an exponent, as every number has that a double rounds. Not a
 * regular expression, which cannot jump over strings and takes longer than JSON.parse.
 */
function mayBeRounded(text: string): boolean {
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= point && code <= nine) {
      length += 1;
      if (length === 16) return true;
    } else if (code === quote) {
      at = endOfString(text, at);
      length = 0;
    } else {
      if (length > 0 && (code | 0x20) === letterE) return true;
      length = 0;
    }
  }
  return false;
}

/** Makes strings of the numbers that a double would round. @returns null if there are none. @param text valid JSON */
function markNumbers(text: string): string | null {
  const next = /"|-?\d[\d.]{15,}(?:[eE][+-]?\d+)?|-?\d[\d.]*[eE][+-]?\d{3,}/g;
  const parts: string[] = [];
  let kept = 0;
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    const [literal] = found;
    if (literal === '"') next.lastIndex = endOfString(text, found.index) + 1;
    else if (isRounded(literal)) {
      parts.push(text.slice(kept, found.index), `"${mark}${literal}"`);
      kept = next.lastIndex;
    }
  }
  if (kept === 0) return null;
  return parts.join("") + text.slice(kept);
}

/** The index of the quote that ends the string beginning at `start`; the text's length if it has no end. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === "\\") before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}

/** Replaces marked strings. Not a reviver of JSON.parse, which overflows the stack on deeply nested text. */
function unmark(root: { value: unknown }): { value: unknown } {
  const open: Record<string, unknown>[] = [root];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    for (const key of Object.keys(each)) {
      const value = each[key];
      if (typeof value === "string" && value.startsWith(mark)) each[key] = new ExactNumber(value.slice(mark.length));
      else if (typeof value === "object" && value !== null) open.push(value as Record<string, unknown>);
    }
  }
  return root;
}

/** Whether a double, written as JavaScript writes it, is another number than the literal. */
function isRounded(literal: string): boolean {
  const nearest = Number(literal);
  const written = String(nearest);
  return written !== literal && (!Number.isFinite(nearest) || decimalOf(literal) !== decimalOf(written));
}

/** The one form of all ways to write a number: significant digits and the power of ten behind them. */
function decimalOf(literal: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

const mostCharacters = 1000;

/** Why a number of a request cannot be stored; null: it can. PostgreSQL's jsonb could take more, at any length. */
export function problemWithNumber(value: number | ExactNumber): string | null {
  const nearest = value instanceof ExactNumber ? value.toNumber() : value;
  if (!Number.isFinite(nearest)) return "a number outside the range of a double (±1.8e308)";
  if (typeof value === "number") return null;
  if (nearest === 0) return "a number closer to 0 than a double can be (5e-324)";
  return value.text.length > mostCharacters ? `a number of more than ${mostCharacters} characters` : null;
}
