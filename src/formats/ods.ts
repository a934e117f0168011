import { checkReadable } from "./openDocument.js";
import { lengthened } from "./paragraphs.js";
import { cellCounter, filled, mostColumns, type Row, type Sheet } from "./sheet.js";
import { attribute, type Attributes, parseXml, type XmlHandlers } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

/** Not part of the cells: their former contents, comments, and drawings above them. */
const leftOut = new Set(["tracked-changes", "annotation", "shapes"]);

/** The attributes that hold the value of a cell without text. */
const values = ["string-value", "date-value", "time-value", "boolean-value", "value"];

interface Cell {
  text: string;
  /** Used if the cell has no text. */
  value: string;
  /** How many equal columns it stands for. */
  columns: number;
  /** How many rows it spans. */
  rows: number;
  /** It is merged into a cell above or to the left. */
  isCovered: boolean;
}

/** Reads the sheets of an OpenDocument spreadsheet. @throws DocumentError when it is damaged, encrypted or too large */
export async function readOdsSheets(zip: Zip): Promise<Sheet[]> {
  await checkReadable(zip);
  const sheets: Sheet[] = [];
  await parseXml(zip.stream("content.xml"), sheetHandlers(sheets, zip));
  return sheets;
}

function sheetHandlers(sheets: Sheet[], { holder }: Zip): XmlHandlers {
  const holdName = holder();
  // The number of cells has a limit of its own.
  const holdCell = holder(0);
  const count = cellCounter();
  const hiddenStyles = new Set<string>();
  let style = "";
  let sheet: Sheet | undefined;
  let row: Row = [];
  let rowIndex = 0;
  let rowRepeat = 1;
  let column = 0;
  let cell: Cell | undefined;
  let isText = false;
  /** By column: the text of a cell that spans rows, and the last row that it spans. */
  const merged = new Map<number, { text: string; last: number }>();
  let skipped = 0;

  function openSheet(attributes: Attributes) {
    const isHidden = hiddenStyles.has(attribute(attributes, "style-name") ?? "");
    const name = holdName(attribute(attributes, "name") ?? "");
    sheets.push((sheet = { name, isHidden, rows: [] }));
    rowIndex = 0;
    merged.clear();
  }

  function closeRow() {
    count(filled(row) * rowRepeat);
    if (filled(row) > 0) for (let times = 0; times < rowRepeat; times += 1) sheet?.rows.push(row);
    rowIndex += rowRepeat;
  }

  function closeCell({ text, value, columns, rows, isCovered }: Cell) {
    cell = undefined;
    const above = merged.get(column);
    const last = Math.min(column + columns, mostColumns);
    const shown = (text.trim() || value).trim();
    if (shown !== "") {
      holdCell(shown);
      for (let at = column; at < last; at += 1) row[at] = shown;
      if (rows > 1) merged.set(column, { text: shown, last: rowIndex + rows - 1 });
    } else if (isCovered && above !== undefined && above.last >= rowIndex) row[column] = above.text;
    column += columns;
  }

  function add(text: string) {
    if (cell !== undefined && isText) cell.text = lengthened(cell.text, text);
  }

  return {
    open: (name, attributes) => {
      if (skipped > 0 || leftOut.has(name) || (name === "table" && cell !== undefined)) skipped += 1;
      else if (name === "style") style = attribute(attributes, "name") ?? "";
      else if (name === "table-properties" && attribute(attributes, "display") === "false")
        hiddenStyles.add(holdName(style));
      else if (name === "table") openSheet(attributes);
      else if (name === "table-row") [row, column, rowRepeat] = [[], 0, countOf(attributes, "number-rows-repeated")];
      else if (name.endsWith("table-cell")) cell = cellOf(name, attributes);
      else if (name === "p") isText = true;
      else if (name === "s" || name === "tab" || name === "line-break") add(" ");
    },
    text: (text) => {
      if (skipped === 0) add(text);
    },
    close: (name) => {
      if (skipped > 0) skipped -= 1;
      else if (name === "p") {
        add("\n");
        isText = false;
      } else if (name.endsWith("table-cell") && cell !== undefined) closeCell(cell);
      else if (name === "table-row") closeRow();
    },
  };
}

function cellOf(name: string, attributes: Attributes): Cell {
  return {
    text: "",
    value: values.map((key) => attribute(attributes, key)).find((value) => value !== undefined) ?? "",
    columns: countOf(attributes, "number-columns-repeated"),
    rows: countOf(attributes, "number-rows-spanned"),
    isCovered: name === "covered-table-cell",
  };
}

/** A count in an attribute; at least 1. */
function countOf(attributes: Attributes, name: string): number {
  return Math.max(1, Math.trunc(Number(attribute(attributes, name) ?? 1)) || 1);
}
