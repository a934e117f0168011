import { invalid } from "../words/errors.js";
import { ExactNumber } from "../words/exactJson.js";
import { decodeBase64Floats, toNetworkOrder } from "../numbers/float32.js";

/** The names of a row's columns in a file. */
export interface FileColumns {
  id: string;
  content: string;
  embedding: string;
  metadata: string;
  /** Further columns that become keys of the metadata. */
  metadataColumns: readonly string[];
  createdAt: string;
  store: string;
}

/** An optional text; numbers count as text. @throws ApiError 400 */
export function textValue(value: unknown, at: string, name: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || value instanceof ExactNumber) return String(value);
  throw invalid(at, `"${name}" is not a text`);
}

/** The text of a row. @throws ApiError 400 if it is missing */
export function contentValue(value: unknown, at: string, name: string): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined)
    throw invalid(at, `has no "${name}", the row's text. Name another column with --content-column`);
  throw invalid(at, `"${name}", the row's text, is not a string`);
}

/** A vector of numbers of any kind as float32 in network order. @throws ApiError 400 */
export function vectorOf(numbers: ArrayLike<unknown>, at: string, name: string): Buffer {
  const vector = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i += 1) {
    const number = numbers[i];
    const isNumber = typeof number === "bigint" || typeof number === "number" || number instanceof ExactNumber;
    vector[i] = isNumber ? Number(number) : NaN;
  }
  return checkedVector(vector, at, name);
}

/** A vector in network order. @throws ApiError 400 if it is empty or has a number that float32 cannot hold */
export function checkedVector(vector: Float32Array, at: string, name: string): Buffer {
  if (vector.length === 0) throw invalid(at, `"${name}" is empty`);
  const wrong = vector.findIndex((number) => !Number.isFinite(number));
  if (wrong !== -1) throw invalid(at, `number ${wrong + 1} of "${name}" is missing or outside the range of float32`);
  return toNetworkOrder(vector);
}

/** A vector from base64 of float32 numbers, little-endian. @throws ApiError 400 */
export function vectorFromBase64(text: string, at: string, name: string): Buffer {
  const vector = /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? decodeBase64Floats(text) : null;
  if (vector === null) throw invalid(at, `"${name}" is neither an array of numbers nor base64 of float32 numbers`);
  return checkedVector(vector, at, name);
}

/** Adds keys to metadata; all values are JSON text. Metadata that is not an object becomes the key "metadata". */
export function withKeys(metadata: string | null, keys: readonly (readonly [string, string])[]): string | null {
  if (keys.length === 0) return metadata;
  const pairs = keys.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",");
  const own = metadata?.trim() ?? "{}";
  if (!own.startsWith("{")) return `{"metadata":${own},${pairs}}`;
  return /^\{\s*\}$/.test(own) ? `{${pairs}}` : `${own.slice(0, -1)},${pairs}}`;
}

/**
 * Unix microseconds of a number of Unix seconds or an ISO 8601 time, which is UTC if it has no zone.
 * @throws ApiError 400
 */
export function momentValue(value: unknown, at: string, name: string): number | null {
  if (value === null || value === undefined || value === "") return null;
  const isText = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim());
  const seconds = isText || value instanceof ExactNumber ? Number(value) : value;
  if (typeof seconds === "number" && Math.abs(seconds) < 1e11) {
    // Multiplied as a whole, microseconds of years from 2041 on would be rounded twice.
    const whole = Math.floor(seconds);
    return whole * 1e6 + Math.round((seconds - whole) * 1e6);
  }
  const micros = typeof value === "string" ? isoMicros(value.trim()) : null;
  if (micros === null)
    throw invalid(at, `"${name}" is neither a number of Unix seconds nor a time such as 2026-01-31T12:00:00Z`);
  return micros;
}

function isoMicros(text: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i.exec(
    text,
  );
  if (parts === null) return null;
  const [, date = "", time = "00:00:00", fraction = "", zone = "Z"] = parts;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const millis = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(millis) ? null : millis * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}
