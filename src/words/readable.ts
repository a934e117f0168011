/* What a program writes for people. */

/**
 * Makes text from a server or a database safe to show: a store's name must not move the cursor, colour the terminal or
 * break a table's line. Each run of control and format characters, line breaks included, becomes one space.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ");
}

/** 1536 → "1.5 kB". */
export function readableBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** By shape, not by class: errors of fetch may come from another realm. */
export const hasMessage = (
  value: unknown,
): value is { message: unknown; code?: unknown; cause?: unknown; errors?: unknown } =>
  typeof value === "object" && value !== null && "message" in value;

/** The innermost reason: ECONNREFUSED, ENOTFOUND, a certificate error. */
export function connectionCode(error: unknown): string {
  let found = "no connection";
  let each: unknown = error;
  for (let depth = 0; depth < 8 && hasMessage(each); depth += 1) {
    if (typeof each.code === "string") found = each.code;
    else if (typeof each.message === "string" && each.message !== "" && depth > 0) found = printable(each.message);
    each = Array.isArray(each.errors) ? (each.errors as unknown[])[0] : each.cause;
  }
  return found;
}
