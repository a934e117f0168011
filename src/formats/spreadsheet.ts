import { readFile } from "node:fs/promises";
import { DocumentError } from "../words/document.js";
import { checkCompoundFile } from "./compoundFile.js";
import type { ReadFormat } from "./format.js";
import { readOdsSheets } from "./ods.js";
import { blocksOfSheets, type Sheet } from "./sheet.js";
import { readXlsbSheets, readXlsSheets } from "./xls.js";
import { readXlsxSheets } from "./xlsx.js";
import { firstBytes, isOle, openZip, type Zip } from "./zip.js";

/**
 * Reads a spreadsheet sheet by sheet, hidden ones too, with values as they are shown.
 * @throws DocumentError when it is damaged, encrypted or too large
 */
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
    throw new DocumentError(
      "invalid_file",
      start.length === 0 ? "The file is empty." : "The file is not a spreadsheet.",
    );
  }
};

/** Chooses the reader by content, because many files have the extension of another format. */
async function sheetsOfZip(zip: Zip): Promise<AsyncIterable<Sheet> | Sheet[]> {
  if (zip.names.has("content.xml")) return readOdsSheets(zip);
  if (zip.names.has("xl/workbook.bin")) return readXlsbSheets(zip);
  return readXlsxSheets(zip);
}
