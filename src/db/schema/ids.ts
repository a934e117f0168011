import { createHash } from "node:crypto";
import { bigintId, newId, uuidV7 } from "../../words/ids.js";

/** The type of an id column. An adopted table may have chosen any of these. */
export type IdType = "text" | "uuid" | "bigint";

/** Whether a column can hold an id. If it cannot, the id does not exist, and PostgreSQL would fail to compare it. */
export function canHold(type: IdType, id: string): boolean {
  if (id.includes("\0") || id.length > 1000) return false;
  if (type === "uuid") return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  return type === "text" || (/^-?\d{1,19}$/.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id));
}

/** The id as its column writes it (uuids in lower case); null if the column cannot hold it. */
export function asWritten(type: IdType, id: string): string | null {
  if (!canHold(type, id)) return null;
  if (type === "text") return id;
  return type === "uuid" ? id.toLowerCase() : BigInt(id).toString();
}

/** A new id for a store or a chunk. @param now Unix milliseconds */
export function makeId(type: IdType, prefix: "vs_" | "emb_", now: number = Date.now()): string {
  if (type === "uuid") return uuidV7(now);
  return type === "text" ? newId(prefix, now) : bigintId(now);
}

/** Always the same id for the same parts: a version 8 UUID (RFC 9562), or its bits in the column's type. */
export function derivedId(type: IdType, prefix: "vs_" | "emb_", parts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest();
  if (type === "bigint") return (hash.readBigUInt64BE(0) >> 1n).toString();
  const hex = hash.toString("hex", 0, 16);
  if (type === "text") return prefix + hex;
  const variant = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(18, 20)}-${hex.slice(20)}`;
}
