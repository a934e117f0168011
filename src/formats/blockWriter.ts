import type { Block, Place } from "../words/document.js";
import { clean } from "./encoding.js";

/** A row of more is a page that was laid out with a table: no chunk holds it, and its paragraphs read better as such. */
const longestRow = 4_000;

/** Cells and paragraphs of a row that are held until it ends; Word's tables have 63 columns. */
const mostHeld = 2_000;

/** A header is repeated in every chunk of its table; of more, little room is left. */
export const longestHeader = 1_000;

interface Paragraph {
  text: string;
  /** Of a heading. */
  level?: number | undefined;
  /** It follows the paragraph before without a blank line, as items of a list do. */
  tight?: boolean;
}

interface Table {
  /** Undefined until the first row is there. */
  header: string | null | undefined;
  /** Cells so far of the row that is being read. */
  row: Paragraph[][];
  /** How many cells and paragraphs are in it. */
  held: number;
}

/** Makes blocks of paragraphs, and of those in the cells of tables rows. */
export interface BlockWriter {
  paragraph: (paragraph: Paragraph) => void;
  openTable: () => void;
  openCell: () => void;
  closeRow: () => void;
  closeTable: () => void;
}

/** A table in a cell of another comes with rows of its own, between what the outer row has before it and after it. */
export function blockWriter(emit: (block: Block) => void, place: Place): BlockWriter {
  const tables: Table[] = [];

  function write({ text, level, tight }: Paragraph) {
    const cleaned = cleanText(text);
    if (cleaned === "") return;
    if (level !== undefined) emit({ kind: "heading", level, text: oneLine(cleaned), place });
    else emit({ kind: "text", text: cleaned, place, ...(tight === true && { before: "\n" }) });
  }

  function writeRow(table: Table) {
    const isFlood = table.held > mostHeld;
    table.held = 0;
    const row = take(table);
    const text = joinCells(row.map((cell) => cell.map((paragraph) => paragraph.text).join(" ")));
    if (text === "") return;
    // Alone, a cell is a frame around text, or a title above the header.
    const isTitle = row.length === 1 || (table.header === undefined && row.filter(hasText).length === 1);
    if (isTitle || isFlood || text.length > longestRow) {
      for (const paragraph of row.flat()) write(paragraph);
      return;
    }
    emit({ kind: "row", text, header: table.header ?? null, place });
    if (table.header === undefined) table.header = text.length > longestHeader ? null : text;
  }

  /** Before there is one more thing in a row. */
  function hold(table: Table) {
    table.held += 1;
    if (table.held > mostHeld) for (const paragraph of take(table).flat()) write(paragraph);
  }

  return {
    paragraph: (paragraph) => {
      const table = tables.at(-1);
      if (table === undefined) {
        write(paragraph);
        return;
      }
      hold(table);
      (table.row.at(-1) ?? openCell(table)).push(paragraph);
    },
    openTable: () => {
      const outer = tables.at(-1);
      if (outer !== undefined) writeRow(outer);
      tables.push({ header: undefined, row: [], held: 0 });
    },
    openCell: () => {
      const table = tables.at(-1);
      if (table === undefined) return;
      hold(table);
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

/** The text of a row; empty when all its cells are. */
export function joinCells(cells: readonly string[]): string {
  const texts = cells.map((cell) => oneLine(cleanText(cell)));
  return texts.slice(0, texts.findLastIndex((text) => text !== "") + 1).join(" | ");
}

/** Without what no database stores, and without blanks around it. */
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
