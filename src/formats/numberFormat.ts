/** A format as the file has it, or the number of one of Excel's own. */
export type NumberFormat = string | number;

/** The xlsx package's formatter, which it does not describe. */
type Formatter = (format: NumberFormat, value: number, options: { date1904: boolean; dateNF: string }) => string;

/** Excel refuses longer ones. */
const longestFormat = 255;

/** Parts of a format: quoted or escaped text, a point that begins no decimals, and characters that mean nothing in formats. */
const parts = /"[^"]*"|\\.|\.(?![0#?])|[^\0-\x7f€上下午]/gu;

/** What shows numbers as Excel does. @param date1904 whether days count from 1904, as on old Macs */
export async function numberFormatter(date1904: boolean): Promise<(value: number, format: NumberFormat) => string> {
  const xlsx: { SSF: { format: Formatter } } = await import("xlsx");
  const usable = new Map<NumberFormat, NumberFormat>();
  // Excel shows its short date in the order of each reader's country.
  const options = { date1904, dateNF: "yyyy-mm-dd" };

  return (value, format) => {
    const known = usable.get(format) ?? escaped(format);
    usable.set(format, known);
    try {
      const shown = xlsx.SSF.format(known, value, options);
      // Numbers of articles and accounts, of which Excel shows 4.00638E+12.
      return /^-?\d(\.\d+)?E\+\d+$/.test(shown) ? String(value) : shown;
    } catch {
      return String(value);
    }
  };
}

/** The package gives up on what it does not expect: the points of dd.mm.yyyy, and the characters of other scripts. */
function escaped(format: NumberFormat): NumberFormat {
  if (typeof format === "number") return format;
  if (format.length > longestFormat) return "General";
  return format.replace(parts, (part) => (part.length > 1 ? part : `\\${part}`));
}
