import type { SchemaElement } from "hyparquet";
import { parseExactJson } from "../words/exactJson.js";

/** How to read a column of decimals with all their digits: hyparquet makes doubles of them. */
interface Decimals {
  /** The column as it is without its meaning: hyparquet reads whole numbers or bytes. */
  element: SchemaElement;
  /** Its values, or lists of them, as the numbers that are meant; what is missing stays so. */
  read(values: readonly unknown[]): unknown[];
}

/** @returns null for a column of another type */
export function decimalsOf({ converted_type, logical_type, ...element }: SchemaElement): Decimals | null {
  const logical = logical_type?.type === "DECIMAL" ? logical_type : null;
  if (converted_type !== "DECIMAL" && logical === null) return null;
  const scale = logical?.scale ?? element.scale ?? 0;
  const read = (value: unknown): unknown => {
    if (value === null || value === undefined) return value;
    return Array.isArray(value) ? value.map(read) : parseExactJson(decimalText(unscaled(value), scale));
  };
  return { element, read: (values) => values.map(read) };
}

/** Bytes are in two's complement, the highest first. */
function unscaled(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const hex = Buffer.from(value).toString("hex");
  return BigInt.asIntN(value.length * 8, BigInt(`0x${hex || "0"}`));
}

/** A whole number divided by 10 to the power of `scale`. */
function decimalText(whole: bigint, scale: number): string {
  if (scale === 0) return String(whole);
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, "0");
  return `${whole < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
