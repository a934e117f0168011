import { createHash } from "node:crypto";
import type { IdType } from "../../db/schema/layout.js";
import { canHold } from "../../db/tables/stores.js";
import type { TransferRow } from "../../words/rows.js";

/**
 * The id that a row of a source gets. Its own where the column can hold it; otherwise one that is made from the row, the same in every
 * run, so that a row that is imported again is the same row.
 */
export function rowId(row: TransferRow, prefix: string, into: { idType: IdType; storeId: string }): string {
  const own = row.id === null ? null : ownId(prefix + row.id, into.idType);
  if (own !== null) return own;
  // The same row in two stores is two rows.
  const parts = [
    into.storeId,
    prefix,
    row.id ?? "",
    row.id === null ? row.key : "",
    row.id === null ? row.content : "",
  ];
  return madeId(into.idType, "emb_", parts);
}

/** As the database writes it: a uuid in capitals is the same uuid. */
function ownId(id: string, type: IdType): string | null {
  if (id === "" || !canHold(type, id) || !id.isWellFormed()) return null;
  if (type === "text") return id;
  return type === "uuid" ? id.toLowerCase() : BigInt(id).toString();
}

/** An id from what identifies a thing: version 8 of a UUID (RFC 9562), or the same bits in the form that the column takes. */
export function madeId(type: IdType, prefix: "emb_" | "vs_", parts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest();
  if (type === "bigint") return (hash.readBigUInt64BE(0) >> 1n).toString();
  const hex = hash.toString("hex", 0, 16);
  if (type === "text") return prefix + hex;
  const variant = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(18, 20)}-${hex.slice(20)}`;
}
