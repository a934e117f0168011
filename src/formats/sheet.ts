import { type Block, DocumentError } from "../words/document.js";
import { cleanText, joinCells, longestHeader } from "./blockWriter.js";

/** The texts of a row's cells, at the indices of their columns; the other indices have none. */
export type Row = string[];

/** A sheet of a spreadsheet, as it shows its cells. */
export interface Sheet {
  name: string;
  isHidden: boolean;
  /** Those that have a text. */
  rows: Row[];
}

/** Of a workbook; what people call a large one has some 100,000. */
const mostCells = 2_000_000;

/** Excel's. */
export const mostColumns = 16_384;

/** Above it, a sheet has mostly gaps, and they are not told. */
const mostPlaces = 20_000_000;

/** A cell that is merged over the rows below it; indices from 0. */
export interface Merge {
  column: number;
  first: number;
  last: number;
}

/** Far above real workbooks; what is merged over more rows says nothing about each. */
export const mostMerges = 20_000;
const longestMerge = 1_000;

/** Counts the cells of a workbook. @returns what adds some; it throws a DocumentError at too many */
export function cellCounter(): (count: number) => void {
  let cells = 0;
  return (count) => {
    cells += count;
    if (cells <= mostCells) return;
    const most = mostCells.toLocaleString("en");
    throw new DocumentError("invalid_file", `The spreadsheet has more than ${most} cells. Split it into several.`);
  };
}

/** How many cells of a row have a text. */
export function filled(row: Row): number {
  return Object.keys(row).length;
}

/** Says in each row what is merged over it. */
export function fillDown(rows: ReadonlyMap<number, Row>, merges: readonly Merge[]): void {
  for (const { column, first, last } of merges.slice(0, mostMerges)) {
    const text = rows.get(first)?.[column];
    if (text === undefined) continue;
    for (let index = first + 1; index <= Math.min(last, first + longestMerge); index += 1) {
      const row = rows.get(index);
      if (row !== undefined) row[column] ??= text;
    }
  }
}

/** The rows of sheets, without the columns that are empty throughout. None when all sheets are empty. */
export async function* blocksOfSheets(sheets: Iterable<Sheet> | AsyncIterable<Sheet>): AsyncGenerator<Block> {
  let count = 0;
  let hasText = false;
  const untold: Block[] = [];
  for await (const { name, isHidden, rows } of sheets) {
    count += 1;
    const sheet = cleanText(name) || `Sheet ${count}`;
    untold.push({ kind: "heading", level: 1, text: sheet, place: { sheet } });
    if (isHidden) untold.push({ kind: "text", text: `Sheet "${sheet}" (hidden)`, place: { sheet } });
    hasText ||= rows.length > 0;
    if (!hasText) continue;
    yield* untold.splice(0);
    yield* blocksOfRows(rows, sheet);
  }
}

function* blocksOfRows(rows: readonly Row[], sheet: string): Generator<Block> {
  const used = new Set<number>();
  for (const row of rows) for (const column of Object.keys(row)) used.add(Number(column));
  const columns = [...used].sort((a, b) => a - b);
  const hasGaps = columns.length * rows.length <= mostPlaces;
  let header: string | null | undefined;
  for (const row of rows) {
    const text = joinCells(hasGaps ? columns.map((column) => row[column] ?? "") : Object.values(row));
    if (text === "") continue;
    yield { kind: "row", text, header: header ?? null, place: { sheet } };
    // A cell alone above a table is its title.
    if (header !== undefined || (columns.length > 1 && filled(row) === 1)) continue;
    header = text.length > longestHeader ? null : text;
  }
}
