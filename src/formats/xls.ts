import type { CellObject, WorkBook } from "xlsx";
import { DocumentError } from "../words/document.js";
import { numberFormatter } from "./numberFormat.js";
import { cellCounter, fillDown, filled, mostColumns, type Row, type Sheet } from "./sheet.js";
import { encrypted, type Zip } from "./zip.js";

/** Parts of a workbook that say what is in its cells; damage in the others can make the package run without end. */
const wanted =
  /^(\[Content_Types\]\.xml|xl\/_rels\/workbook\.bin\.rels|xl\/(workbook|sharedStrings|styles|(work|macro)sheets\/[^/]*)\.bin)$/i;

/** Of the parts, which are read whole; while a sheet is read it takes several times as much. */
const mostBytes = 100 * 2 ** 20;

/** Reads the sheets of Excel workbooks of old (.xls), which are held whole. */
export async function readXlsSheets(bytes: Buffer): Promise<Sheet[]> {
  const xlsx = await import("xlsx");
  // For texts of Excel 95 and before; since then they are Unicode.
  xlsx.set_cptable(await import("xlsx/dist/cpexcel.full.mjs"));
  const book = quietly(() => xlsx.read(bytes, { dense: true, cellFormula: false, cellHTML: false, cellNF: true }));
  const show = await numberFormatter(book.Workbook?.WBProps?.date1904 ?? false);
  const textOf = ({ t, v, w, z }: CellObject) => {
    if (t === "z") return "";
    return t === "n" && typeof v === "number" ? show(v, z ?? 0) : (w ?? String(v ?? ""));
  };
  const count = cellCounter();
  return book.SheetNames.map((name, index) => {
    const sheet = book.Sheets[name];
    const cells: unknown = sheet?.["!data"];
    const rows = Array.isArray(cells) ? rowsOf(cells as CellObject[][], textOf, count) : new Map<number, Row>();
    const merges = sheet?.["!merges"] ?? [];
    fillDown(
      rows,
      merges.map(({ s: from, e: to }) => ({ column: from.c, first: from.r, last: to.r })),
    );
    return { name, isHidden: (book.Workbook?.Sheets?.[index]?.Hidden ?? 0) > 0, rows: [...rows.values()] };
  });
}

/** The package complains on the console about each record that it does not know; the log is not for that. */
function quietly(read: () => WorkBook): WorkBook {
  const { error } = console;
  // eslint-disable-next-line no-console -- nothing else runs until it is put back
  console.error = () => undefined;
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes("assword")) throw encrypted(cause);
    throw new DocumentError("invalid_file", "The spreadsheet is damaged. Save and send it anew.", { cause });
  } finally {
    // eslint-disable-next-line no-console -- see above
    console.error = error;
  }
}

/** Reads the sheets of binary Excel workbooks (.xlsb), which are zips. */
export async function readXlsbSheets(zip: Zip): Promise<Sheet[]> {
  return readXlsSheets(await storedZip(zip));
}

function rowsOf(
  data: readonly CellObject[][],
  textOf: (cell: CellObject) => string,
  count: (cells: number) => void,
): Map<number, Row> {
  const rows = new Map<number, Row>();
  // Of a million rows nearly all may be missing.
  for (const index of Object.keys(data).map(Number)) {
    const cells = data[index] ?? [];
    const row: Row = [];
    for (const column of Object.keys(cells).map(Number)) {
      const cell = cells[column];
      const text = cell === undefined ? "" : textOf(cell);
      if (text.trim() !== "" && column < mostColumns) row[column] = text;
    }
    if (filled(row) > 0) rows.set(index, row);
    count(filled(row));
  }
  return rows;
}

/**
 * The same workbook in a zip without compression. The package that reads it believes the sizes beside each entry, not those of the
 * directory that were checked, so it gets what was really unpacked.
 */
async function storedZip(zip: Zip): Promise<Buffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const name of zip.names) {
    // It insists on parts that others refer to.
    const data = wanted.test(name) ? await zip.read(name) : Buffer.alloc(0);
    const nameBytes = Buffer.from(name);
    // Version 2.0, UTF-8 names, no compression, time or checksum; then both sizes, and how long the name is.
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt16LE(0x0800, 2);
    header.writeUInt32LE(data.length, 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt16LE(nameBytes.length, 22);
    parts.push(Buffer.from("PK\x03\x04"), header, nameBytes, data);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), header, tail, nameBytes]));
    offset += 30 + nameBytes.length + data.length;
    if (offset > mostBytes) {
      throw new DocumentError("invalid_file", "The spreadsheet is too large inside. Split it into several.");
    }
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
