import { randomUUID } from "node:crypto";
import { type ReadVector, afterSpace, readBase64, readFloats } from "../../numbers/floatArray.js";
import { parseBytes } from "./jsonBody.js";
import { invalid } from "../../words/errors.js";
import { exactJson, isObject } from "../../words/exactJson.js";

const field = Buffer.from('"embedding"');

/** Placeholder for a vector in the text that JSON.parse gets. No sender can guess it. */
const stand = randomUUID();
const standText = Buffer.from(JSON.stringify(stand));

/** As JSON. A search reads it whole for each row that it finds; PostgreSQL takes seconds for much more. */
const mostMetadataBytes = 2 ** 20;

/** @throws ApiError 400 if a row has too much metadata */
function checkMetadata(value: unknown, path: string): void {
  if (!isObject(value) || Buffer.byteLength(exactJson(value.metadata ?? null)) <= mostMetadataBytes) return;
  const most = mostMetadataBytes.toLocaleString("en");
  throw invalid(path === "" ? "metadata" : `${path}.metadata`, `at most ${most} bytes as JSON`);
}

/**
 * Parses the JSON text of one row. An `embedding` given as an array of plain numbers or as base64 becomes a
 * Float32Array: it is read from the bytes directly, and JSON.parse gets only the text around it. For any unusual row,
 * JSON.parse gets the whole text.
 * @param path the row's place in the body; `""`: the body is the row
 * @throws ApiError 400 as `parseBytes`
 */
export function parseRowText(bytes: Buffer, path: string): unknown {
  const value = parseWithoutVector(bytes) ?? parseBytes(bytes, path);
  // No metadata is longer than the row's text, which most rows have less of.
  if (bytes.length > mostMetadataBytes) checkMetadata(value, path);
  return value;
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
    // The whole text will be parsed again, for an error with the right position and path.
    return null;
  }
  // Otherwise this was another `embedding`, for example in the metadata, or one of two.
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
