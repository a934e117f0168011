/**
 * PostgreSQL's binary parameter formats. A vector of 1,536 dimensions takes 335–650 µs to encode as text and 290–440 µs
 * for the server to read; in binary 14–26 µs and 170 µs. So everything large is sent in binary.
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

/** The inverse of `encodeVector`, as `vector_send` gives it. */
export function decodeVector(bytes: Uint8Array): Float32Array {
  // Copied into new memory: aligned, and the driver cannot reuse it (Buffer's slice() would be a view of its pool).
  const numbers = new Uint8Array(bytes.length - 4);
  numbers.set(bytes.subarray(4));
  if (littleEndian) Buffer.from(numbers.buffer).swap32();
  return new Float32Array(numbers.buffer);
}

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
