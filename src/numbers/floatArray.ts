import { decodeBase64Floats } from "./float32.js";

/** A vector read from JSON text, and the index after the last byte of that text. */
export interface ReadVector {
  vector: Float32Array;
  end: number;
}

/** More numbers than any vector has. Longer arrays are left to JSON.parse. */
const scratch = new Float32Array(65_536);

/** 10^-300 to 10^300, each the nearest double. */
const powersOfTen = Float64Array.from({ length: 601 }, (_, i) => Number(`1e${i - 300}`));

/** Longer texts go to Number, so that the error of values computed here stays within the margin. */
const maxNumberLength = 32;

/**
 * A generous bound on the relative error of a value computed here. At most 17 digits are added beyond the 15 that a
 * double surely holds (2^-52 each); the power of ten, the product with it, and the products with `below` and `above`
 * add 2^-53 each.
 */
const margin = 2 ** -46;
const [below, above] = [1 - margin, 1 + margin];

/**
 * Reads a JSON array of numbers without making strings or JavaScript numbers of them. Every number is exactly
 * `Math.fround(JSON.parse(text))`: if the values within the margin do not all round to the same float32 (once in 2^21
 * numbers, or at a tie), the text is given to Number.
 * @param start index of the `[`.
 * @returns null for anything but JSON numbers and white space, which JSON.parse must judge; numbers may be infinite.
 */
export function readFloats(bytes: Buffer, start: number): ReadVector | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lastFour = bytes.length - 4;
  let at = afterSpace(bytes, start + 1);
  if (bytes[at] === 0x5d) return { vector: new Float32Array(0), end: at + 1 };
  for (let count = 0; count < scratch.length; count += 1) {
    const first = at;
    // Computed: the CPU would mispredict a branch on the sign for half of the numbers.
    const minus = (((bytes[at] ?? 0) ^ 0x2d) - 1) >>> 31;
    at += minus;

    let mantissa = digitAt(bytes, at);
    if (!isDigit(mantissa)) return null;
    at += 1;
    // A leading 0 is the whole integer part.
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
          // Shifted up, so that zeros precede them. In two steps, because a shift by 32 shifts nothing.
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

    // Outside the table's range this is NaN, which equals nothing.
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

/** The value of an ASCII digit; outside 0…9 for any other byte. */
const digitAt = (bytes: Buffer, at: number): number => (bytes[at] ?? 0) - 0x30;

const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;

/**
 * Takes four bytes as an integer, the first one lowest. The lowest set bit of the result is the highest bit of the
 * first byte that is not a digit; 0 if all are digits.
 */
const notDigits = (four: number): number =>
  // Above "9" (0x39 + 0x46 = 0x7f) the sum has the high bit; below "0" the difference has it.
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
 * @returns null for anything unusual. Node's decoder skips what is not base64, so a result of the full length proves
 *   that all of it was. It also takes `-` and `_` (base64url) and ignores a last group of one character, so these are
 *   checked first.
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
