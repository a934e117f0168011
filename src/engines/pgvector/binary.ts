import { type RawBuilder, sql } from "kysely";
import { fromNetworkOrder } from "../../numbers/float32.js";

/**
 * PostgreSQL's binary parameter formats. As text, writing vectors of 1,536 dimensions takes 11 times as long, and 26
 * times on PGlite (`bench vectors`, decision 28).
 */

/** pgvector's `vector_recv`: int16 dimensions, int16 zero, then float32 numbers, all big-endian. */
export function encodeVector(vector: Float32Array): Buffer {
  const buffer = Buffer.allocUnsafe(vectorSize(vector));
  writeVector(buffer, vector, 0);
  return buffer;
}

const vectorSize = (vector: Float32Array) => 4 + vector.byteLength;

function writeVector(buffer: Buffer, vector: Float32Array, at: number): void {
  buffer.writeInt16BE(vector.length, at);
  buffer.writeInt16BE(0, at + 2);
  // Copy in the machine's byte order, then swap all bytes at once: native code, unlike a loop of writeFloatBE.
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  bytes.copy(buffer, at + 4);
  if (littleEndian) buffer.subarray(at + 4, at + 4 + bytes.length).swap32();
}

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * A vector in an answer, for `decodeSentVector`. As base64, because drivers get bytea as hex: PGlite takes 0.9 s to
 * read 1,000 × 1,536 numbers from that, and 0.13 s from base64 (`pg` takes the same time for both).
 */
export const sentVector = (vector: RawBuilder<unknown>): RawBuilder<string | null> =>
  sql`encode(vector_send(${vector}), 'base64')`;

/** The vector of a text that `sentVector` selected: `vector_send` gives what `encodeVector` makes. */
export const decodeSentVector = (text: string): Float32Array =>
  fromNetworkOrder(Buffer.from(text, "base64").subarray(4));

/**
 * `array_recv`: one dimension, each element as its length and bytes, -1 for null. All in one buffer, because a buffer
 * per element of a large batch would burden the garbage collector.
 */
function encodeArray<T>(
  elementOid: number,
  elements: readonly (T | null)[],
  sizeOf: (element: T) => number,
  write: (buffer: Buffer, element: T, at: number) => unknown,
): Buffer {
  const sizes = elements.map((element) => (element === null ? -1 : sizeOf(element)));
  const buffer = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + Math.max(size, 0), 20));
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  buffer.writeUInt32BE(elementOid, 8);
  buffer.writeInt32BE(elements.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = 20;
  elements.forEach((element, i) => {
    const size = sizes[i] ?? -1;
    buffer.writeInt32BE(size, at);
    at += 4;
    if (element === null) return;
    write(buffer, element, at);
    at += size;
  });
  return buffer;
}

/** vector[]. @param vectorOid the type's OID in this database */
export const encodeVectorArray = (vectorOid: number, vectors: readonly (Float32Array | null)[]): Buffer =>
  encodeArray(vectorOid, vectors, vectorSize, writeVector);

/** The fixed OIDs of PostgreSQL's built-in types (src/include/catalog/pg_type.dat). */
const textOid = 25;

/** text[] of JavaScript strings. */
export const encodeTextArray = (values: readonly (string | null)[]): Buffer =>
  encodeArray(
    textOid,
    values,
    (value) => Buffer.byteLength(value),
    (buffer, value, at) => buffer.write(value, at, "utf8"),
  );
