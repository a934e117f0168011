import { decodeBase64Floats } from "./float32.js";

/** A vector read from JSON text, and the index after the last byte of that text. */
export interface ReadVector {
  vector: Float32Array;
  end: number;
}

/** More numbers than any vector has. What is longer is left to JSON.parse. */
const scratch = new Float32Array(65_536);

/** 10^-300 to 10^300, each the nearest double. */
const powersOfTen = Float64Array.from({ length: 601 }, (_, i) => Number(`1e${i - 300}`));

/** Of a longer text the digits are not computed here, so that the error stays within the margin. */
const maxNumberLength = 32;

/**
 * How far off a value computed here may be, relatively and generously: at most 17 digits are added beyond the 15 that a double surely
 * holds (2^-52 each), the power of ten, the product with it, and the products that ask for the neighbourhood are 2^-53 each.
 */
const margin = 2 ** -46;
const [below, above] = [1 - margin, 1 + margin];

/**
 * Reads a JSON array of numbers without making text or JavaScript numbers of them.
 * Every number is exactly `Math.fround(JSON.parse(text))`: where a value's neighbourhood does not all round to the same float32 (once
 * in 2^21 numbers, or at a tie), its text is given to Number.
 * @param start index of the `[`.
 * @returns null for anything but JSON numbers and white space, for which JSON.parse has the word; numbers may be infinite.
 */
export function readFloats(bytes: Buffer, start: number): ReadVector | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lastFour = bytes.length - 4;
  let at = afterSpace(bytes, start + 1);
  if (bytes[at] === 0x5d) return { vector: new Float32Array(0), end: at + 1 };
  for (let count = 0; count < scratch.length; count += 1) {
    const first = at;
    // Computed: a branch on the sign would be guessed wrong for half of the numbers.
    const minus = (((bytes[at] ?? 0) ^ 0x2d) - 1) >>> 31;
    at += minus;

    let mantissa = digitAt(bytes, at);
    if (!isDigit(mantissa)) return null;
    at += 1;
    // No number but 0 itself begins with 0.
    if (mantissa !== 0) {
      for (let digit = digitAt(bytes, at); isDigit(digit); digit = digitAt(bytes, ++at))
        mantissa = mantissa * 10 + digit;
    }
    let power = 0;
    if (bytes[at] === 0x2e) {
      const fraction = ++at;
      for (; at <= lastFour; at += 4) {
        const four = view.getInt32(at, true);
        const others = notDigits(four);
        if (others !== 0) {
          const digits = (31 - Math.clz32(others & -others)) >> 3;
          // Moved up, so that zeros stand before them. In two steps: a shift by 32 would be none.
          mantissa = mantissa * (powersOfTen[300 + digits] ?? NaN) + valueOf((four << (24 - 8 * digits)) << 8);
          at += digits;
          break;
        }
        mantissa = mantissa * 10_000 + valueOf(four);
      }
      for (let digit = digitAt(bytes, at); isDigit(digit); digit = digitAt(bytes, ++at))
        mantissa = mantissa * 10 + digit;
      if (at === fraction) return null;
      power = fraction - at;
    }
    if (((bytes[at] ?? 0) | 0x20) === 0x65) {
      const sign = bytes[++at];
      if (sign === 0x2d || sign === 0x2b) at += 1;
      const from = at;
      let exponent = 0;
      for (let digit = digitAt(bytes, at); isDigit(digit); digit = digitAt(bytes, ++at))
        exponent = exponent * 10 + digit;
      if (at === from) return null;
      power += sign === 0x2d ? -exponent : exponent;
    }

    // NaN, out of the table's range, equals nothing.
    const value = mantissa * (powersOfTen[power + 300] ?? NaN);
    const certain = Math.fround(value * below) === Math.fround(value * above) && at - first <= maxNumberLength;
    if (certain) scratch[count] = value * (1 - 2 * minus);
    else scratch[count] = Number(bytes.toString("latin1", first, at));

    if (bytes[at] !== 0x2c) {
      at = afterSpace(bytes, at);
      if (bytes[at] === 0x5d) return { vector: scratch.slice(0, count + 1), end: at + 1 };
      if (bytes[at] !== 0x2c) return null;
    }
    at = afterSpace(bytes, at + 1);
  }
  return null;
}

/** What the byte is as a digit, or something that is none. */
const digitAt = (bytes: Buffer, at: number): number => (bytes[at] ?? 0) - 0x30;

const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;

/** Four bytes as an integer, the first one lowest; in the answer the highest bit of the first that is no digit is set, and none below. */
const notDigits = (four: number): number =>
  // Above "9" (0x39 + 0x46 = 0x7f) the sum has that bit, or the byte has, below "0" the difference.
  ((four + 0x46464646) | (four - 0x30303030)) & 0x80808080;

/** The number that four ASCII digits stand for, all computed at once; a byte of 0 counts as the digit 0. */
function valueOf(four: number): number {
  const digits = four & 0x0f0f0f0f;
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

/** Index of the first byte from `at` on that is not JSON's white space. */
export function afterSpace(bytes: Buffer, at: number): number {
  for (; ; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x20) return at;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
  }
}

/**
 * Reads a JSON string of base64 of float32 numbers.
 * @param start index of the opening quote.
 * @returns null for anything unusual. Node's decoder passes over what is not base64, so every character counted is the proof of it;
 * only `-` and `_` (base64url) it takes as well, and of a last group of one character it would not tell.
 */
export function readBase64(bytes: Buffer, start: number): ReadVector | null {
  const end = bytes.indexOf(0x22, start + 1);
  if (end === -1) return null;
  const text = bytes.toString("latin1", start + 1, end);
  const length = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length;
  if (length === 0 || length % 4 === 1 || text.includes("-") || text.includes("_")) return null;
  const vector = decodeBase64Floats(text);
  if (vector?.byteLength !== Math.floor((length * 3) / 4)) return null;
  return { vector, end: end + 1 };
}
