import { z } from "zod";
import { decodeBase64Floats } from "../../numbers/float32.js";
import { invalid } from "../../words/errors.js";
import { ExactNumber } from "../../words/exactJson.js";

/**
 * An embedding as numbers, or as base64 of little-endian float32 (OpenAI's `encoding_format`), which is faster to send
 * and parse.
 */
export const embedding = z
  .unknown()
  .optional()
  .meta({
    oneOf: [
      { type: "array", items: { type: "number" } },
      { type: "string", contentEncoding: "base64" },
      { type: "null" },
    ],
  });

/**
 * Decodes numbers or base64 into finite float32 numbers. Their count is checked later, against the store's dimensions.
 */
export function decodeEmbedding(value: unknown, path: string): Float32Array {
  const vector = value instanceof Float32Array ? value : decodeVector(value, path);
  if (vector.length === 0) throw invalid(path, "must not be empty");
  for (let i = 0; i < vector.length; i += 1) {
    if (!Number.isFinite(vector[i]))
      throw invalid(`${path}[${i}]`, "expected a finite number within the range of float32 (±3.4e38)");
  }
  return vector;
}

function decodeVector(value: unknown, path: string): Float32Array {
  if (typeof value === "string") return decodeBase64(value, path);
  if (!Array.isArray(value))
    throw invalid(path, "expected an array of numbers, or base64 of float32 numbers", "invalid_type");
  const vector = new Float32Array(value.length);
  for (let i = 0; i < value.length; i += 1) {
    const given: unknown = value[i];
    const number = given instanceof ExactNumber ? given.toNumber() : given;
    if (typeof number !== "number") {
      throw invalid(
        `${path}[${i}]`,
        `expected a number, received ${number === null ? "null" : typeof number}`,
        "invalid_type",
      );
    }
    vector[i] = number;
  }
  return vector;
}

function decodeBase64(text: string, path: string): Float32Array {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw invalid(path, "is not valid base64");
  const vector = decodeBase64Floats(text);
  if (vector === null) {
    const { length } = Buffer.from(text, "base64");
    throw invalid(path, `expected base64 of float32 numbers (a multiple of 4 bytes), got ${length} bytes`);
  }
  return vector;
}
