import { type Block, DocumentError } from "../words/document.js";
import { cleanText, joinCells, longestHeader } from "./blockWriter.js";
import { shortName } from "./paragraphs.js";

/** The texts of a row's cells by column index, from 0; a sparse array without the empty cells. */
export type Row = string[];

/** A sheet of a spreadsheet, with the texts that its cells show. */
export interface Sheet {
  name: string;
  isHidden: boolean;
  /** The rows that have a text. */
  rows: Row[];
}

/** Cells in a workbook; a large one has about 100,000. */
const mostCells = 2_000_000;

/** Columns in an Excel sheet. */
export const mostColumns = 16_384;

/** Rows times columns; a larger sheet consists mostly of empty cells, which are then left out. */
const mostPlaces = 20_000_000;

/** A cell that spans the rows below it; indices from 0. */
export interface Merge {
  column: number;
  first: number;
  last: number;
}

/** Real workbooks have far fewer. A cell that spans more rows than `longestMerge` says nothing about each of them. */
export const mostMerges = 20_000;
const longestMerge = 1_000;

/**
 * Counts the cells of a workbook.
 * @returns a function that adds to the count, and throws a DocumentError above the limit
 */
export function cellCounter(): (count: number) => void {
  let cells = 0;
  return (count) => {
    cells += count;
    if (cells <= mostCells) return;
    const most = mostCells.toLocaleString("en");
    throw new DocumentError("invalid_file", `The spreadsheet has more than ${most} cells. Split it into several.`);
  };
}

/** Number of cells in a row that have a text. */
export function filled(row: Row): number {
  return Object.keys(row).length;
}

/** Copies the text of a cell that spans rows into each of these rows. */
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

/**
 * Yields the rows of sheets, without columns that are empty throughout, below a heading per sheet; nothing if all
 * sheets are empty.
 */
export async function* blocksOfSheets(sheets: Iterable<Sheet> | AsyncIterable<Sheet>): AsyncGenerator<Block> {
  let count = 0;
  let hasText = false;
  const untold: Block[] = [];
  for await (const { name, isHidden, rows } of sheets) {
    count += 1;
    const sheet = shortName(cleanText(name)) || `Sheet ${count}`;
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
    // A single cell above a table is its title, not its header.
    if (header !== undefined || (columns.length > 1 && filled(row) === 1)) continue;
    header = text.length > longestHeader ? null : text;
  }
}
