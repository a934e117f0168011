/** A number format: its code, or the number of one of Excel's built-in formats. */
export type NumberFormat = string | number;

/** The xlsx package's formatter, which its types leave out. */
type Formatter = (format: NumberFormat, value: number, options: { date1904: boolean; dateNF: string }) => string;

/** Excel refuses longer formats. */
const longestFormat = 255;

/** Quoted or escaped text, a point that begins no decimals, and characters without a meaning in formats. */
const parts = /"[^"]*"|\\.|\.(?![0#?])|[^\0-\x7f€上下午]/gu;

/** Makes a function that shows numbers as Excel does. @param date1904 whether days count from 1904, as on old Macs */
export async function numberFormatter(date1904: boolean): Promise<(value: number, format: NumberFormat) => string> {
  const xlsx: { SSF: { format: Formatter } } = await import("xlsx");
  const usable = new Map<NumberFormat, NumberFormat>();
  // Excel shows its short date in the order of the user's country.
  const options = { date1904, dateNF: "yyyy-mm-dd" };

  return (value, format) => {
    const known = usable.get(format) ?? escaped(format);
    usable.set(format, known);
    try {
      const shown = xlsx.SSF.format(known, value, options);
      // Article and account numbers, which Excel shows as 4.00638E+12, stay whole.
      return /^-?\d(\.\d+)?E\+\d+$/.test(shown) ? String(value) : shown;
    } catch {
      return String(value);
    }
  };
}

/** Escapes what the package fails on: the points of dd.mm.yyyy, and characters of other scripts. */
function escaped(format: NumberFormat): NumberFormat {
  if (typeof format === "number") return format;
  if (format.length > longestFormat) return "General";
  return format.replace(parts, (part) => (part.length > 1 ? part : `\\${part}`));
}
