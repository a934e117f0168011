import { invalid } from "../words/errors.js";
import { decodeBase64Floats, toNetworkOrder } from "../numbers/float32.js";

/** What the fields of a row are called in a file. */
export interface FileColumns {
  id: string;
  content: string;
  embedding: string;
  metadata: string;
  /** Further ones that become keys of the metadata. */
  metadataColumns: readonly string[];
  createdAt: string;
  store: string;
}

/** @throws ApiError 400 when a value is no text. */
export function textValue(value: unknown, at: string, name: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  throw invalid(at, `"${name}" is no text`);
}

/** @throws ApiError 400 when there is none */
export function contentValue(value: unknown, at: string, name: string): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined)
    throw invalid(at, `there is no "${name}", the row's text. Another name for it is given with --content-column`);
  throw invalid(at, `"${name}", the row's text, is no string`);
}

/** Numbers of any kind as float32 in network order. @throws ApiError 400 */
export function vectorOf(numbers: ArrayLike<unknown>, at: string, name: string): Buffer {
  const vector = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i += 1) {
    const number = numbers[i];
    vector[i] = typeof number === "bigint" ? Number(number) : typeof number === "number" ? number : NaN;
  }
  return checkedVector(vector, at, name);
}

export function checkedVector(vector: Float32Array, at: string, name: string): Buffer {
  if (vector.length === 0) throw invalid(at, `"${name}" is empty`);
  const wrong = vector.findIndex((number) => !Number.isFinite(number));
  if (wrong !== -1)
    throw invalid(at, `number ${wrong + 1} of "${name}" is missing, or not within the range of float32`);
  return toNetworkOrder(vector);
}

/** base64 of float32 numbers, little-endian. @throws ApiError 400 */
export function vectorFromBase64(text: string, at: string, name: string): Buffer {
  const vector = /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? decodeBase64Floats(text) : null;
  if (vector === null) throw invalid(at, `"${name}" is neither an array of numbers nor base64 of float32 numbers`);
  return checkedVector(vector, at, name);
}

/** JSON text of an object with further keys, whose values are JSON texts too. A value that is no object becomes the key "metadata". */
export function withKeys(metadata: string | null, keys: readonly (readonly [string, string])[]): string | null {
  if (keys.length === 0) return metadata;
  const pairs = keys.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",");
  const own = metadata?.trim() ?? "{}";
  if (!own.startsWith("{")) return `{"metadata":${own},${pairs}}`;
  return /^\{\s*\}$/.test(own) ? `{${pairs}}` : `${own.slice(0, -1)},${pairs}}`;
}

/**
 * Unix microseconds of a number of seconds, or of a date as ISO 8601 has it; without a zone it is UTC.
 * @throws ApiError 400
 */
export function momentValue(value: unknown, at: string, name: string): number | null {
  if (value === null || value === undefined || value === "") return null;
  const seconds = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof seconds === "number" && Math.abs(seconds) < 1e11) return Math.round(seconds * 1e6);
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
