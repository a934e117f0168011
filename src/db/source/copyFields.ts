import { StartupError } from "../../errors.js";
import { readBase64, readFloats } from "../../floatArray.js";
import { toNetworkOrder } from "../../float32.js";
import type { VectorForm } from "./mapping.js";

/** Rows of COPY … (FORMAT binary), each field as bytes or null (https://www.postgresql.org/docs/current/sql-copy.html). */
export function* readCopy(bytes: Buffer): Generator<(Buffer | null)[]> {
  // The signature, the flags, and the length of what else the header has.
  let at = 19 + bytes.readInt32BE(15);
  for (;;) {
    const count = bytes.readInt16BE(at);
    at += 2;
    if (count === -1) return;
    const fields: (Buffer | null)[] = [];
    for (let i = 0; i < count; i += 1) {
      const size = bytes.readInt32BE(at);
      at += 4;
      fields.push(size === -1 ? null : bytes.subarray(at, at + size));
      at += Math.max(size, 0);
    }
    yield fields;
  }
}

/** float32 numbers in network order. @param at where the row stands, for messages. @throws StartupError */
export function decodeVectorField(bytes: Buffer, form: VectorForm, at: string): Buffer {
  switch (form) {
    case "vector":
      return bytes.subarray(4);
    case "array":
      return decodeArray(bytes, at);
    case "text":
      return decodeText(bytes, at);
    case "bytes":
      if (bytes.length === 0 || bytes.length % 4 !== 0)
        throw new StartupError(`${at}: its embedding has ${bytes.length} bytes, which are no float32 numbers`);
      return Buffer.from(bytes).swap32();
  }
}

/** `array_send` of real[]: dimensions, whether there are nulls, the type, length and lower bound; then each element with its length. */
function decodeArray(bytes: Buffer, at: string): Buffer {
  const count = bytes.readInt32BE(0) === 1 && bytes.readInt32BE(4) === 0 ? bytes.readInt32BE(12) : 0;
  if (count === 0) throw new StartupError(`${at}: its embedding is empty, has nulls or more than one dimension`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const vector = Buffer.allocUnsafe(4 * count);
  const out = new DataView(vector.buffer, vector.byteOffset, vector.length);
  for (let i = 0; i < count; i += 1) out.setInt32(4 * i, view.getInt32(24 + 8 * i));
  return vector;
}

/** `[1, 2, …]`, or base64 of float32 numbers, also as a JSON string. */
function decodeText(bytes: Buffer, at: string): Buffer {
  const text = bytes[0] === 0x5b || bytes[0] === 0x22 ? bytes : Buffer.from(`"${bytes.toString("latin1")}"`, "latin1");
  const read = text[0] === 0x5b ? readFloats(text, 0) : readBase64(text, 0);
  if (read?.end !== text.length || read.vector.length === 0)
    throw new StartupError(`${at}: its embedding is neither an array of numbers nor base64 of float32 numbers`);
  return toNetworkOrder(read.vector);
}
