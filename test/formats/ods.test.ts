import { describe, expect, test } from "@jest/globals";
import { makeZip } from "./makeZip.js";
import { read, rowTexts } from "./makeWorkbook.js";

describe("OpenDocument spreadsheets", () => {
  const cell = (text: string, attributes = "") =>
    `<table:table-cell ${attributes}><text:p>${text}</text:p></table:table-cell>`;
  const row = (content: string, attributes = "") => `<table:table-row ${attributes}>${content}</table:table-row>`;

  function ods(tables: string, more: Record<string, string> = {}): Buffer {
    const namespaces = ["office", "text", "table", "style", "draw"].map((name) => `xmlns:${name}="${name}"`).join(" ");
    const styles = `<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>`;
    return makeZip({
      "content.xml": `<office:document-content ${namespaces}><office:automatic-styles>${styles}</office:automatic-styles><office:body><office:spreadsheet>${tables}</office:spreadsheet></office:body></office:document-content>`,
      ...more,
    });
  }

  test("have repeated cells and rows, and end with the last one that has text", async () => {
    const rows =
      row(cell("A") + cell("", 'table:number-columns-repeated="2"') + cell("B", 'table:number-columns-repeated="2"')) +
      row(cell("1") + '<table:table-cell table:number-columns-repeated="16383"/>', 'table:number-rows-repeated="2"') +
      row(cell(""), 'table:number-rows-repeated="1048573"');
    expect(await rowTexts(ods(`<table:table table:name="S">${rows}</table:table>`))).toEqual(["A | B | B", "1", "1"]);
  });

  test("have texts as shown, else values, without comments, pictures or older versions", async () => {
    const rows = row(
      `<table:table-cell office:value="0.5"><office:annotation><text:p>note</text:p></office:annotation><text:p>50 %</text:p></table:table-cell>` +
        `<table:table-cell office:value-type="date" office:date-value="2024-01-01"/>` +
        `<table:table-cell><text:p>two</text:p><text:p>lines</text:p></table:table-cell>`,
    );
    const shapes = "<table:shapes><draw:frame><text:p>shape</text:p></draw:frame></table:shapes>";
    const changes = `<table:tracked-changes><table:table-cell><text:p>old</text:p></table:table-cell></table:tracked-changes>`;
    expect(await rowTexts(ods(`${changes}<table:table>${shapes}${rows}</table:table>`))).toEqual([
      "50 % | 2024-01-01 | two lines",
    ]);
  });

  test("repeat merged cells in each row, and name hidden sheets", async () => {
    const rows =
      row(cell("A", 'table:number-rows-spanned="2"') + cell("1")) +
      row(`<table:covered-table-cell/>${cell("2")}`) +
      row(`<table:covered-table-cell/>${cell("3")}`);
    const blocks = await read(ods(`<table:table table:name="S" table:style-name="ta2">${rows}</table:table>`));
    expect(blocks.map(({ text }) => text)).toEqual(["S", 'Sheet "S" (hidden)', "A | 1", "A | 2", " | 3"]);
  });

  test("with an excessive repetition are refused", async () => {
    const rows = row(cell("x", 'table:number-columns-repeated="16384"'), 'table:number-rows-repeated="1000000"');
    await expect(read(ods(`<table:table>${rows}</table:table>`))).rejects.toThrow("more than 2,000,000 cells");
  });

  test("with a password are refused", async () => {
    const manifest = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>';
    await expect(read(ods("", { "META-INF/manifest.xml": manifest }))).rejects.toThrow("password");
  });
});
