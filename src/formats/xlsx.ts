import { type NumberFormat, numberFormatter } from "./numberFormat.js";
import { mainPart, relationships } from "./ooxml.js";
import { lengthened } from "./paragraphs.js";
import { cellCounter, fillDown, filled, type Merge, mostColumns, mostMerges, type Row, type Sheet } from "./sheet.js";
import { attribute, parseXml, type XmlHandlers } from "./xmlEvents.js";
import type { Zip } from "./zip.js";

interface Book {
  /** Texts that cells share, by index. */
  strings: string[];
  /** Number formats by the style of a cell. */
  formats: NumberFormat[];
  show: (value: number, format: NumberFormat) => string;
  count: (cells: number) => void;
}

interface NamedSheet {
  name: string;
  isHidden: boolean;
  /** The id of the relationship to its part. */
  id: string;
}

/** Reads the sheets of an Excel workbook one by one. @throws DocumentError when it is damaged or too large */
export async function* readXlsxSheets(zip: Zip): AsyncGenerator<Sheet> {
  const main = await mainPart(zip, "xl/workbook.xml");
  const parts = await relationships(zip, main);
  const partOf = (type: string) => parts.find((part) => part.type === type)?.target;
  const { sheets, date1904 } = await readNames(zip, main);
  const book: Book = {
    strings: await readStrings(zip, partOf("sharedStrings")),
    formats: await readFormats(zip, partOf("styles")),
    show: await numberFormatter(date1904),
    count: cellCounter(),
  };
  const worksheets = new Map(parts.filter(({ type }) => type === "worksheet").map(({ id, target }) => [id, target]));
  const told = new Set<string>();
  for (const { name, isHidden, id } of sheets) {
    const part = worksheets.get(id);
    yield { name, isHidden, rows: part === undefined || told.has(part) ? [] : await readRows(zip, part, book) };
    if (part !== undefined) told.add(part);
  }
}

async function readNames(zip: Zip, part: string): Promise<{ sheets: NamedSheet[]; date1904: boolean }> {
  const sheets: NamedSheet[] = [];
  let date1904 = false;
  const hold = zip.holder();
  await parseXml(zip.stream(part), {
    open: (name, attributes) => {
      const of = (key: string) => attribute(attributes, key) ?? "";
      if (name === "workbookPr") date1904 = /^(1|true)$/.test(of("date1904"));
      if (name === "sheet") {
        sheets.push({ name: hold(of("name")), isHidden: /hidden/i.test(of("state")), id: hold(of("id")) });
      }
    },
  });
  return { sheets, date1904 };
}

async function readStrings(zip: Zip, part: string | undefined): Promise<string[]> {
  const strings: string[] = [];
  if (part === undefined) return strings;
  const hold = zip.holder();
  const text = textHandlers("si", (found) => strings.push(hold(found)));
  await parseXml(zip.stream(part), text);
  return strings;
}

/** Collects the text of each element of a name, without phonetic guides. */
function textHandlers(element: string, take: (text: string) => void): Required<XmlHandlers> {
  let found = "";
  let isText = false;
  let skipped = false;
  return {
    open: (name) => {
      if (name === element) found = "";
      else if (name === "rPh") skipped = true;
      else if (name === "t") isText = !skipped;
    },
    text: (text) => {
      if (isText) found = lengthened(found, text);
    },
    close: (name) => {
      if (name === "t") isText = false;
      else if (name === "rPh") skipped = false;
      else if (name === element) take(unescaped(found));
    },
  };
}

/** Decodes characters that XML cannot hold, which Excel writes as _x000D_. */
function unescaped(text: string): string {
  return text.replace(/_x([\da-f]{4})_/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

async function readFormats(zip: Zip, part: string | undefined): Promise<NumberFormat[]> {
  const own = new Map<number, string>();
  const ids: number[] = [];
  let isCells = false;
  if (part === undefined) return [];
  const hold = zip.holder();
  await parseXml(zip.stream(part), {
    open: (name, attributes) => {
      const id = Number(attribute(attributes, "numFmtId") ?? 0);
      const format = attribute(attributes, "formatCode") ?? "";
      if (name === "cellXfs") isCells = true;
      else if (name === "xf" && isCells) {
        hold("");
        ids.push(id);
      } else if (name === "numFmt" && !own.has(id)) own.set(id, hold(format));
    },
    close: (name) => {
      if (name === "cellXfs") isCells = false;
    },
  });
  return ids.map((id) => own.get(id) ?? id);
}

async function readRows(zip: Zip, part: string, book: Book): Promise<Row[]> {
  const rows = new Map<number, Row>();
  const merges: string[] = [];
  // The number of cells has a limit of its own.
  const hold = zip.holder(0);
  let row: Row = [];
  let rowIndex = -1;
  let column = -1;
  let cell = { type: "", style: 0 };
  let value = "";
  let isValue = false;
  const inline = textHandlers("is", (text) => {
    value = text;
  });

  function closeRow() {
    if (filled(row) > 0) rows.set(rowIndex, row);
    book.count(filled(row));
  }

  await parseXml(zip.stream(part), {
    open: (name, attributes) => {
      const of = (key: string) => attribute(attributes, key) ?? "";
      inline.open(name, attributes);
      if (name === "v") isValue = true;
      else if (name === "row") {
        row = [];
        const number = Number(of("r"));
        rowIndex = number >= 1 ? number - 1 : rowIndex + 1;
        column = -1;
      } else if (name === "c") {
        column = columnOf(of("r")) ?? column + 1;
        cell = { type: of("t"), style: Number(of("s")) };
        value = "";
      } else if (name === "mergeCell" && merges.length < mostMerges) merges.push(hold(of("ref")));
    },
    text: (text) => {
      inline.text(text);
      if (isValue) value = lengthened(value, text);
    },
    close: (name) => {
      inline.close(name);
      if (name === "v") isValue = false;
      else if (name === "row") closeRow();
      else if (name === "c" && column < mostColumns) {
        const text = shownValue(value, cell, book);
        if (text.trim() === "") return;
        // Shared strings are counted already.
        row[column] = cell.type === "s" ? text : hold(text);
      }
    },
  });
  fillDown(rows, merges.map(mergeOf));
  return [...rows].sort(([a], [b]) => a - b).map(([, texts]) => texts);
}

function shownValue(value: string, { type, style }: { type: string; style: number }, book: Book): string {
  if (value === "") return "";
  if (type === "s") return book.strings[Number(value)] ?? "";
  if (type === "str") return unescaped(value);
  if (type === "b") return value === "0" ? "FALSE" : "TRUE";
  const number = Number(value);
  // Errors, ISO 8601 dates and inline texts are shown as they are.
  if ((type !== "" && type !== "n") || Number.isNaN(number)) return value;
  return book.show(number, book.formats[style] ?? 0);
}

/** Parses a range such as "A1:B7". */
function mergeOf(range: string): Merge {
  const [from = "", to = ""] = range.split(":");
  const [first = 0, last = 0] = [from, to].map((cell) => Number(/\d+$/.exec(cell)?.[0]) - 1);
  return { column: columnOf(from) ?? 0, first, last };
}

/** The column index, from 0, of a cell such as "AB12". */
function columnOf(cell: string): number | undefined {
  const letters = /^[A-Z]{1,3}(?=\d)/.exec(cell)?.[0];
  if (letters === undefined) return undefined;
  return Array.from(letters).reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
