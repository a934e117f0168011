import { readFile } from "node:fs/promises";
import { DocumentError } from "../words/document.js";
import { checkCompoundFile } from "./compoundFile.js";
import type { ReadFormat } from "./format.js";
import { readOdsSheets } from "./ods.js";
import { blocksOfSheets, type Sheet } from "./sheet.js";
import { readXlsbSheets, readXlsSheets } from "./xls.js";
import { readXlsxSheets } from "./xlsx.js";
import { firstBytes, isOle, openZip, type Zip } from "./zip.js";

/** Reads spreadsheets sheet by sheet, hidden ones too, with cells as they are shown. */
export const readSpreadsheet: ReadFormat = async function* (source) {
  const start = await firstBytes(source.path, 8);
  if (start.toString("latin1").startsWith("PK")) {
    const zip = await openZip(source.path);
    try {
      yield* blocksOfSheets(await sheetsOfZip(zip));
    } finally {
      zip.close();
    }
  } else if (isOle(start)) {
    const bytes = await readFile(source.path);
    checkCompoundFile(bytes);
    yield* blocksOfSheets(await readXlsSheets(bytes));
  } else {
    throw new DocumentError("invalid_file", start.length === 0 ? "The file is empty." : "The file is no spreadsheet.");
  }
};

/** By what is in it: many a file has the name of another format. */
async function sheetsOfZip(zip: Zip): Promise<AsyncIterable<Sheet> | Sheet[]> {
  if (zip.names.has("content.xml")) return readOdsSheets(zip);
  if (zip.names.has("xl/workbook.bin")) return readXlsbSheets(zip);
  return readXlsxSheets(zip);
}
