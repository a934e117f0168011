import { StartupError } from "../../words/errors.js";
import { readBase64, readFloats } from "../../numbers/floatArray.js";
import { toNetworkOrder } from "../../numbers/float32.js";
import type { VectorForm } from "./mapping.js";

/**
 * Reads rows of COPY … (FORMAT binary) field by field, in their order
 * (https://www.postgresql.org/docs/current/sql-copy.html). Texts are made from the block itself: a Buffer for each
 * field of a million rows would burden the garbage collector.
 */
export class CopyReader {
  /** Begins after the signature, the flags and the header extension. */
  private at: number;

  constructor(private readonly block: Buffer) {
    this.at = 19 + block.readInt32BE(15);
  }

  /** @returns false after the last row. */
  nextRow(): boolean {
    const fields = this.block.readInt16BE(this.at);
    this.at += 2;
    return fields !== -1;
  }

  text(): string | null {
    const end = this.nextField();
    return end === null ? null : this.block.toString("utf8", this.at, (this.at = end));
  }

  bytes(): Buffer | null {
    const end = this.nextField();
    return end === null ? null : this.block.subarray(this.at, (this.at = end));
  }

  bigint(): bigint | null {
    const end = this.nextField();
    if (end === null) return null;
    const value = this.block.readBigInt64BE(this.at);
    this.at = end;
    return value;
  }

  /** The end of the field that begins at `at`; null for NULL. */
  private nextField(): number | null {
    const size = this.block.readInt32BE(this.at);
    this.at += 4;
    return size === -1 ? null : this.at + size;
  }
}

/** float32 numbers in network order. @param at the row, for messages. @throws StartupError */
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
        throw new StartupError(`${at}: its embedding has ${bytes.length} bytes, not whole float32 numbers`);
      return Buffer.from(bytes).swap32();
  }
}

/**
 * `array_send` of real[]: dimensions, whether there are nulls, the type, length and lower bound; then each element with
 * its length.
 */
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
