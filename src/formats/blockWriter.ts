import { type Block, DocumentError, type Place } from "../words/document.js";
import { clean } from "./encoding.js";

/**
 * In characters. A longer row is a page laid out as a table: no chunk could hold it, so its paragraphs are written one
 * by one.
 */
const longestRow = 4_000;

/** Cells and paragraphs held until their row ends; a table in Word has at most 63 columns. */
const mostHeld = 2_000;

/** In characters, held until their row ends: far more than the longest row, so that blanks in them do not matter. */
const mostHeldText = 100 * longestRow;

/** In characters. A header is repeated in every chunk of its table; a longer one would leave little room for rows. */
export const longestHeader = 1_000;

interface Paragraph {
  text: string;
  /** Heading level from 1; undefined means "not a heading". */
  level?: number | undefined;
  /** No blank line separates it from the paragraph before, as between list items. */
  tight?: boolean;
}

interface Table {
  /** Undefined until the first row is complete; null if the table has none. */
  header: string | null | undefined;
  /** The cells of the open row, each a list of paragraphs. */
  row: Paragraph[][];
  /** Number of cells and paragraphs in the open row. */
  held: number;
  /** Number of characters in the open row. */
  heldText: number;
}

/** Turns paragraphs into blocks, and paragraphs in the cells of a table into rows. */
export interface BlockWriter {
  paragraph: (paragraph: Paragraph) => void;
  openTable: () => void;
  openCell: () => void;
  closeRow: () => void;
  closeTable: () => void;
}

/** A table inside a cell yields its own rows, between the part of the outer row before it and the part after it. */
export function blockWriter(emit: (block: Block) => void, place: Place): BlockWriter {
  const tables: Table[] = [];

  function write({ text, level, tight }: Paragraph) {
    const cleaned = cleanText(text);
    if (cleaned === "") return;
    if (level !== undefined) emit({ kind: "heading", level, text: oneLine(cleaned), place });
    else emit({ kind: "text", text: cleaned, place, ...(tight === true && { before: "\n" }) });
  }

  function writeRow(table: Table) {
    const isFlood = table.held > mostHeld || table.heldText > mostHeldText;
    table.held = 0;
    table.heldText = 0;
    const row = take(table);
    const text = joinCells(row.map((cell) => cell.map((paragraph) => paragraph.text).join(" ")));
    if (text === "") return;
    // A row with one cell is a frame around text, or a title above the header.
    const isTitle = row.length === 1 || (table.header === undefined && row.filter(hasText).length === 1);
    if (isTitle || isFlood || text.length > longestRow) {
      for (const paragraph of row.flat()) write(paragraph);
      return;
    }
    emit({ kind: "row", text, header: table.header ?? null, place });
    if (table.header === undefined) table.header = text.length > longestHeader ? null : text;
  }

  /** Counts one more thing in the open row, and empties a row that holds too much. */
  function hold(table: Table, text: string) {
    table.held += 1;
    table.heldText += text.length;
    if (table.held > mostHeld || table.heldText > mostHeldText)
      for (const paragraph of take(table).flat()) write(paragraph);
  }

  return {
    paragraph: (paragraph) => {
      const table = tables.at(-1);
      if (table === undefined) {
        write(paragraph);
        return;
      }
      hold(table, paragraph.text);
      (table.row.at(-1) ?? openCell(table)).push(paragraph);
    },
    openTable: () => {
      const outer = tables.at(-1);
      if (outer !== undefined) writeRow(outer);
      tables.push({ header: undefined, row: [], held: 0, heldText: 0 });
    },
    openCell: () => {
      const table = tables.at(-1);
      if (table === undefined) return;
      hold(table, "");
      openCell(table);
    },
    closeRow: () => {
      const table = tables.at(-1);
      if (table !== undefined) writeRow(table);
    },
    closeTable: () => {
      const table = tables.pop();
      if (table !== undefined) writeRow(table);
    },
  };
}

/**
 * In characters. Thousands of cells that share one long text make a row of gigabytes, which must not be joined at all.
 */
const mostInRow = 4 * 2 ** 20;

/** Joins the cells of a row to "a | b"; "" if all cells are empty. @throws DocumentError above 4 million characters */
export function joinCells(cells: readonly string[]): string {
  if (cells.reduce((sum, cell) => sum + cell.length, 0) > mostInRow) {
    const most = mostInRow.toLocaleString("en");
    throw new DocumentError("invalid_file", `A row of a table has more than ${most} characters. Split it.`);
  }
  const texts = cells.map((cell) => oneLine(cleanText(cell)));
  return texts.slice(0, texts.findLastIndex((text) => text !== "") + 1).join(" | ");
}

/** Removes what the database cannot store, and blanks at both ends. */
export function cleanText(text: string): string {
  return clean(text).trim();
}

function hasText(cell: readonly Paragraph[]): boolean {
  return cell.some(({ text }) => cleanText(text) !== "");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

function take(table: Table): Paragraph[][] {
  const { row } = table;
  table.row = [];
  return row;
}

function openCell(table: Table): Paragraph[] {
  const cell: Paragraph[] = [];
  table.row.push(cell);
  return cell;
}
