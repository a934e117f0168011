import { randomUUID } from "node:crypto";
import { type ReadVector, afterSpace, readBase64, readFloats } from "../../numbers/floatArray.js";
import { parseBytes } from "./jsonBody.js";
import { isObject } from "../wire/common.js";

const field = Buffer.from('"embedding"');

/** Stands for a vector in the text that is given to JSON.parse. No sender can know it. */
const stand = randomUUID();
const standText = Buffer.from(JSON.stringify(stand));

/**
 * The JSON text of one row to its value, in which `embedding` is a Float32Array where it was an array of plain numbers or base64. The
 * vector is read from the bytes and JSON.parse gets the text around it. Whatever is unusual about a row, JSON.parse gets all of it.
 * @param path where the row stands, `""` for a body that is the row.
 * @throws ApiError 400 as `parseBytes`.
 */
export function parseRowText(bytes: Buffer, path: string): unknown {
  return parseWithoutVector(bytes) ?? parseBytes(bytes, path);
}

function parseWithoutVector(bytes: Buffer): unknown {
  const at = bytes.indexOf(field);
  const read = at === -1 ? null : readVector(bytes, at + field.length);
  if (read === null) return null;
  const { vector, start, end } = read;
  let value: unknown;
  try {
    value = parseBytes(Buffer.concat([bytes.subarray(0, start), standText, bytes.subarray(end)]));
  } catch {
    // Told again from the whole text, with its own positions and path.
    return null;
  }
  // Otherwise this was another `embedding`, in the metadata perhaps, or one of two.
  if (!isObject(value) || value.embedding !== stand) return null;
  value.embedding = vector;
  return value;
}

function readVector(bytes: Buffer, afterKey: number): (ReadVector & { start: number }) | null {
  const colon = afterSpace(bytes, afterKey);
  if (bytes[colon] !== 0x3a) return null;
  const start = afterSpace(bytes, colon + 1);
  const read =
    bytes[start] === 0x5b ? readFloats(bytes, start) : bytes[start] === 0x22 ? readBase64(bytes, start) : null;
  return read && { ...read, start };
}
