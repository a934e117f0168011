/** Numbers as people type them: with a point or a comma, depending on where they are from. */

export type DecimalSign = "." | ",";

/** A number that nobody can be sure of: `1,000` is a thousand to some, and one to others. */
export const ambiguous = Symbol("ambiguous");

const grouped = (sign: string, rest = "") => new RegExp(`^\\d{1,3}(?:${sign}\\d{3})+${rest}$`);
const bySpaces = grouped("[ \\u00a0\\u2009\\u202f'’]", "(?:[.,]\\d+)?");
/** With signs that can only be read one way: `1,234.5`, `1.234,5`, `1,234,567`. */
const unmistakable = [
  [grouped(",", "\\.\\d+"), ","],
  [grouped("\\.", ",\\d+"), "."],
  [/^\d{1,3}(?:,\d{3}){2,}$/, ","],
  [/^\d{1,3}(?:\.\d{3}){2,}$/, "."],
] as const;

/**
 * What was typed as a number; undefined: nothing, NaN: something else.
 * @param decimal the sign before decimals in the language of the page; the other one is read, too, unless it may part
 *   thousands
 */
export function readNumber(text: string, decimal: DecimalSign): number | typeof ambiguous | undefined {
  const typed = text.trim();
  if (typed === "") return undefined;
  const [, sign = "", digits = "", power = ""] = /^([-+−]?)(.*?)(e[-+]?\d{1,3})?$/is.exec(typed) ?? [];
  const plain = withoutGroups(digits, decimal);
  if (plain === null) return ambiguous;
  if (!/^(?:\d+\.?\d*|\.\d+)$/.test(plain)) return Number.NaN;
  const value = Number(`${sign === "" || sign === "+" ? "" : "-"}${plain}${power}`);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** Digits with a point before the decimals, and nothing between thousands; null: they can be read in two ways. */
function withoutGroups(digits: string, decimal: DecimalSign): string | null {
  if (bySpaces.test(digits)) return digits.replaceAll(/[^\d.,]/g, "").replace(",", ".");
  const parted = unmistakable.find(([pattern]) => pattern.test(digits));
  if (parted !== undefined) return digits.replaceAll(parted[1], "").replace(",", ".");
  const other = decimal === "." ? "," : ".";
  if (digits.includes(other) && /^[1-9]\d{0,2}[.,]\d{3}$/.test(digits)) return null;
  return digits.replace(",", ".");
}

/** As people of the language read it, to be changed by them; nothing stays nothing. */
export const writeNumber = (value: number | null | undefined, decimal: DecimalSign): string =>
  value == null ? "" : String(value).replace(".", decimal);
