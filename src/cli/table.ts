import stringWidth from "string-width";
import { type Output, widthOf } from "./io.js";
import { printable } from "../words/readable.js";

export interface Column<Row> {
  title: string;
  /** @param plain true: for a program that reads a pipe, so neither rounded nor abbreviated */
  value: (row: Row, plain: boolean) => string;
  align?: "right";
  /** The column that is cut if the line is wider than the terminal. */
  flexible?: boolean;
}

const gap = "  ";
const narrowest = 12;

/** On a terminal, aligned columns with headings, cut to its width; in a pipe, one tab-separated line per row, uncut. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], out: Output): string {
  const terminal = out.isTTY === true;
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row, !terminal)).trim()));
  if (!terminal) return cells.map((line) => `${line.join("\t")}\n`).join("");
  const widths = columns.map((column, i) =>
    Math.max(stringWidth(column.title), ...cells.map((line) => stringWidth(line[i] ?? ""))),
  );
  const excess = widths.reduce((sum, width) => sum + width + gap.length, -gap.length) - widthOf(out, 80);
  const flexible = columns.findIndex((column) => column.flexible);
  const flexibleWidth = widths[flexible];
  if (excess > 0 && flexibleWidth !== undefined) {
    widths[flexible] = Math.max(Math.min(narrowest, flexibleWidth), flexibleWidth - excess);
  }
  return [columns.map((column) => column.title), ...cells]
    .map((line) => line.map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align === "right")))
    .map((line) => `${line.join(gap).trimEnd()}\n`)
    .join("");
}

function pad(cell: string, width: number, right: boolean): string {
  const text = cut(cell, width);
  const blanks = " ".repeat(width - stringWidth(text));
  return right ? blanks + text : text + blanks;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Text of at most `width` terminal cells, ending with "…" if something is left out. */
function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Unix seconds as "2026-01-31 12:00" (UTC), in a pipe as ISO 8601. */
export function readableTime(seconds: number, plain: boolean): string {
  const iso = new Date(seconds * 1000).toISOString();
  return plain ? iso.replace(".000Z", "Z") : iso.slice(0, 16).replace("T", " ");
}
