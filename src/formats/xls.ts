import type { CellObject, WorkBook } from "xlsx";
import { DocumentError } from "../words/document.js";
import { numberFormatter } from "./numberFormat.js";
import { cellCounter, fillDown, filled, mostColumns, type Row, type Sheet } from "./sheet.js";
import { encrypted, type Zip } from "./zip.js";

/** The parts of a workbook that hold its cells. Damage in other parts can make the xlsx package run forever. */
const wanted =
  /^(\[Content_Types\]\.xml|xl\/_rels\/workbook\.bin\.rels|xl\/(workbook|sharedStrings|styles|(work|macro)sheets\/[^/]*)\.bin)$/i;

/** Size of the parts in all. They are held in memory, and reading a sheet takes several times its size. */
const mostBytes = 100 * 2 ** 20;

/**
 * Reads the sheets of an old Excel workbook (.xls), all in memory.
 * @throws DocumentError when it is damaged, encrypted or too large
 */
export async function readXlsSheets(bytes: Buffer): Promise<Sheet[]> {
  const xlsx = await import("xlsx");
  // Excel 95 and before stored texts in code pages.
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

/** Runs the xlsx package without its messages on the console about each unknown record. */
function quietly(read: () => WorkBook): WorkBook {
  const { error } = console;
  // eslint-disable-next-line no-console -- nothing else runs before it is restored
  console.error = () => undefined;
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes("assword")) throw encrypted(cause);
    throw new DocumentError("invalid_file", "The spreadsheet is damaged. Save it again and resend it.", { cause });
  } finally {
    // eslint-disable-next-line no-console -- see above
    console.error = error;
  }
}

/** Reads the sheets of a binary Excel workbook (.xlsb), which is a zip. @throws DocumentError as `readXlsSheets` */
export async function readXlsbSheets(zip: Zip): Promise<Sheet[]> {
  return readXlsSheets(await storedZip(zip));
}

function rowsOf(
  data: readonly CellObject[][],
  textOf: (cell: CellObject) => string,
  count: (cells: number) => void,
): Map<number, Row> {
  const rows = new Map<number, Row>();
  // A sparse array: nearly all of a million rows may be missing.
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
 * Packs the workbook into a zip without compression. The xlsx package trusts the sizes in the headers beside each
 * entry, while ours were checked in the directory; so it gets only what was unpacked within the limits.
 */
async function storedZip(zip: Zip): Promise<Buffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const name of zip.names) {
    // It insists on the existence of parts that others refer to.
    const data = wanted.test(name) ? await zip.read(name) : Buffer.alloc(0);
    const nameBytes = Buffer.from(name);
    // Version 2.0, UTF-8 names, no compression, time or checksum; then both sizes and the length of the name.
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
