import { readSpreadsheet } from "../../src/formats/spreadsheet.js";
import type { Block } from "../../src/words/document.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

interface SheetParts {
  name: string;
  state?: string;
  /** XML of its rows. */
  rows: string;
  after?: string;
}

/** An Excel workbook. @param strings XML of the shared strings */
export function xlsxOf(sheets: SheetParts[], strings = "", styles = ""): Buffer {
  const each = (text: (sheet: SheetParts, number: number) => string) =>
    sheets.map((sheet, i) => text(sheet, i + 1)).join("");
  const link = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`;
  return makeZip({
    "xl/workbook.xml": `<workbook xmlns:r="${office}"><sheets>${each(({ name, state }, i) => `<sheet name="${name}" sheetId="${i + 7}" state="${state ?? "visible"}" r:id="r${i}"/>`)}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships>${each((_, i) => link(`r${i}`, "worksheet", `worksheets/sheet${i}.xml`))}${link("s", "sharedStrings", "sharedStrings.xml")}${link("t", "styles", "/xl/styles.xml")}</Relationships>`,
    "xl/sharedStrings.xml": `<sst>${strings}</sst>`,
    "xl/styles.xml": `<styleSheet>${styles}</styleSheet>`,
    ...Object.fromEntries(
      sheets.map(({ rows, after }, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        `<worksheet><sheetData>${rows}</sheetData>${after ?? ""}</worksheet>`,
      ]),
    ),
  });
}

/** XML of rows whose cells hold their texts inline. */
export function rowsOf(...rows: (string | number)[][]): string {
  const cell = (value: string | number) =>
    typeof value === "number" ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t>${value}</t></is></c>`;
  return rows.map((row) => `<row>${row.map(cell).join("")}</row>`).join("");
}

export function read(bytes: Buffer, name = "a.xlsx"): Promise<Block[]> {
  return readBytes(readSpreadsheet, bytes, name);
}

/** Texts of a workbook's rows, without the names of its sheets. */
export async function rowTexts(bytes: Buffer): Promise<string[]> {
  return (await read(bytes)).filter(({ kind }) => kind === "row").map(({ text }) => text);
}
