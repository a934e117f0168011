import { endianness } from "node:os";

/** Typed arrays have the machine's byte order; OpenAI's `encoding_format: "base64"` is little-endian float32. */
const foreignOrder = endianness() === "BE";

/**
 * The numbers of a base64 text; null when its bytes are not whole float32 numbers. The caller must check that it is
 * base64.
 */
export function decodeBase64Floats(text: string): Float32Array | null {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length % 4 !== 0) return null;
  if (foreignOrder) bytes.swap32();
  // Copied, because a Buffer may begin anywhere in Node's pool and a Float32Array must begin at a multiple of 4.
  const vector = new Float32Array(bytes.length / 4);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}

/** A vector as base64 text. */
export function encodeBase64Floats(vector: Float32Array): string {
  const bytes = Buffer.from(vector.slice().buffer);
  if (foreignOrder) bytes.swap32();
  return bytes.toString("base64");
}

/** The vector scaled to length 1; a zero vector stays as it is. */
export function normalized(vector: Float32Array): Float32Array {
  let square = 0;
  for (const each of vector) square += each * each;
  const length = Math.sqrt(square);
  return length > 0 ? vector.map((each) => each / length) : vector;
}

/** The numbers as PostgreSQL sends them: big-endian float32. */
export function toNetworkOrder(vector: Float32Array): Buffer {
  // Swapped all at once: native code, unlike a loop of writeFloatBE.
  const bytes = Buffer.from(vector.slice().buffer);
  return foreignOrder ? bytes : bytes.swap32();
}

/** The inverse of `toNetworkOrder`, in new memory. */
export function fromNetworkOrder(bytes: Uint8Array): Float32Array {
  const numbers = new Uint8Array(bytes.length);
  numbers.set(bytes);
  if (!foreignOrder) Buffer.from(numbers.buffer).swap32();
  return new Float32Array(numbers.buffer);
}

/** A limit of lengths as people write it: 1e-15, 1e19. */
const shown = (limit: number) => limit.toExponential().replace("+", "");

/**
 * Why cosine can never find a vector: it has no direction, or its length is outside what an engine's sums bear.
 * @returns null if it can
 */
export function directionProblem(vector: Float32Array, { min, max }: { min: number; max: number }): string | null {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square >= min ** 2 && square <= max ** 2) return null;
  const problem =
    square === 0
      ? "all numbers are zero; such a vector has no direction and"
      : `too ${square > 1 ? "large" : "small"}: a vector of the length ${Math.sqrt(square).toPrecision(2)} is outside ${shown(min)}…${shown(max)} and`;
  return `${problem} can never be found by cosine`;
}
