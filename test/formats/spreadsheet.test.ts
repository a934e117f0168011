import { describe, expect, test } from "@jest/globals";
import * as xlsx from "xlsx";
import { read, rowsOf, rowTexts, xlsxOf } from "./makeWorkbook.js";

describe("sheets", () => {
  test("have their name as heading, and rows, the first one the header", async () => {
    const bytes = xlsxOf([
      { name: "People", rows: rowsOf(["Name", "Age"], ["Ann", 30]) },
      { name: "Secret", state: "veryHidden", rows: rowsOf(["x", "y"]) },
      { name: "Empty", rows: "" },
    ]);
    expect(await read(bytes)).toEqual([
      { kind: "heading", level: 1, text: "People", place: { sheet: "People" } },
      { kind: "row", text: "Name | Age", header: null, place: { sheet: "People" } },
      { kind: "row", text: "Ann | 30", header: "Name | Age", place: { sheet: "People" } },
      { kind: "heading", level: 1, text: "Secret", place: { sheet: "Secret" } },
      { kind: "text", text: 'Sheet "Secret" (hidden)', place: { sheet: "Secret" } },
      { kind: "row", text: "x | y", header: null, place: { sheet: "Secret" } },
      { kind: "heading", level: 1, text: "Empty", place: { sheet: "Empty" } },
    ]);
  });

  test("may have a title above the header", async () => {
    const blocks = await read(xlsxOf([{ name: "S", rows: rowsOf(["Sales"], ["a", "b"], ["1"], ["2", "3"]) }]));
    expect(blocks.slice(1).map((block) => [block.text, block.kind === "row" && block.header])).toEqual([
      ["Sales", null],
      ["a | b", null],
      ["1", "a | b"],
      ["2 | 3", "a | b"],
    ]);
  });

  test("omit empty rows and columns, however far they reach", async () => {
    const rows = `<row r="3"><c r="C3"><v>1</v></c><c r="E3" t="str"><v> </v></c><c r="XFD3"><v>2</v></c></row>
      <row r="1048576"><c r="C1048576"><v>3</v></c><c r="ZZZ1048576"><v>4</v></c></row>`;
    expect(await rowTexts(xlsxOf([{ name: "S", rows }]))).toEqual(["1 | 2", "3"]);
  });

  test("that are all empty make the workbook empty", async () => {
    expect(await read(xlsxOf([{ name: "Sheet1", rows: "" }]))).toEqual([]);
  });

  test("repeat merged cells in each row", async () => {
    const rows = `<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="B2"><v>3</v></c></row>
      <row r="3"><c r="B3"><v>4</v></c></row>`;
    const after =
      '<mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="A1:XFD1048576x"/><mergeCell ref="?"/></mergeCells>';
    expect(await rowTexts(xlsxOf([{ name: "S", rows, after }]))).toEqual(["1 | 2", "1 | 3", " | 4"]);
  });
});

describe("cells", () => {
  test("show numbers in their formats, and dates unambiguously", async () => {
    const styles = `<numFmts><numFmt numFmtId="164" formatCode="0.0&quot; kg&quot;"/><numFmt numFmtId="165" formatCode="dd.mm.yyyy hh:mm"/></numFmts>
      <cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>${[0, 14, 164, 165, 10, 3].map((id) => `<xf numFmtId="${id}"/>`).join("")}</cellXfs>`;
    const cells = [
      [45_292, 1],
      [1.25, 2],
      [45_292.5, 3],
      [0.125, 4],
      [1_234_567, 5],
      [4_006_381_333_931, 0],
      [0.1 + 0.2, 0],
    ];
    const row = cells.map(([value, style]) => `<c s="${style}"><v>${value}</v></c>`).join("");
    expect(await rowTexts(xlsxOf([{ name: "S", rows: `<row>${row}</row>` }], "", styles))).toEqual([
      "2024-01-01 | 1.3 kg | 01.01.2024 12:00 | 12.50% | 1,234,567 | 4006381333931 | 0.3",
    ]);
  });

  test.each<[string, string]>([
    ["dd.mm.yyyy", "01.01.2024"],
    ["[$-407]d. mmm yy", "1. Jan 24"],
    ["yyyy年m月d日", "2024年1月1日"],
    ['"a.b" 0.0', "a.b 45292.5"],
    ["#,##0.00\\ €;-#,##0.00\\ €", "45,292.50 €"],
    ["0.", "45293."],
    ["?!%$[", "45292.5"],
    [`0${"0".repeat(300)}`, "45292.5"],
  ])("show numbers in the format %s", async (format, shown) => {
    const code = format.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const styles = `<numFmts><numFmt numFmtId="164" formatCode="${code}"/></numFmts><cellXfs><xf numFmtId="164"/></cellXfs>`;
    const rows = '<row><c s="0"><v>45292.5</v></c></row>';
    expect(await rowTexts(xlsxOf([{ name: "S", rows }], "", styles))).toEqual([shown]);
    const sheet = { A1: { t: "n", v: 45_292.5, z: format }, "!ref": "A1" };
    if (format.length > 255 || format.startsWith("?")) return;
    const book = { SheetNames: ["S"], Sheets: { S: sheet } } as xlsx.WorkBook;
    expect(await rowTexts(xlsx.write(book, { type: "buffer", bookType: "xls" }) as Buffer)).toEqual([shown]);
  });

  test("show all kinds of texts", async () => {
    const strings =
      "<si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>reading</t></rPh></si><si><t>a_x000D_\nb</t></si>";
    const row = `<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>99</v></c><c t="str"><f>A1</f><v>formula</v></c>
      <c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="d"><v>2024-01-01</v></c><c><f>1+1</f></c></row>`;
    expect(await rowTexts(xlsxOf([{ name: "S", rows: row }], strings))).toEqual([
      "shared | rich | a b | formula | TRUE | #N/A | 2024-01-01",
    ]);
  });

  test("above the limit are refused", async () => {
    const row = `<row>${"<c><v>1</v></c>".repeat(10_000)}</row>`;
    await expect(read(xlsxOf([{ name: "S", rows: row.repeat(201) }]))).rejects.toThrow("more than 2,000,000 cells");
  });
});

describe("formats", () => {
  const cells = [
    ["Name", "Größe"],
    ["Ann", 1.5],
    ["漢字", null],
  ];

  function bookOf(): xlsx.WorkBook {
    const book = xlsx.utils.book_new();
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(cells), "Öne");
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([["x"]]), "Two");
    book.Workbook = { Sheets: [{ Hidden: 0 }, { Hidden: 1 }] };
    return book;
  }

  test.each<[xlsx.BookType]>([["xlsx"], ["xlsm"], ["xlsb"], ["xls"], ["ods"]])("%s is read", async (bookType) => {
    const bytes = xlsx.write(bookOf(), { type: "buffer", bookType }) as Buffer;
    const blocks = await read(bytes, `a.${bookType}`);
    expect(blocks.filter(({ text }) => !text.endsWith("(hidden)"))).toEqual([
      { kind: "heading", level: 1, text: "Öne", place: { sheet: "Öne" } },
      { kind: "row", text: "Name | Größe", header: null, place: { sheet: "Öne" } },
      { kind: "row", text: "Ann | 1.5", header: "Name | Größe", place: { sheet: "Öne" } },
      { kind: "row", text: "漢字", header: "Name | Größe", place: { sheet: "Öne" } },
      { kind: "heading", level: 1, text: "Two", place: { sheet: "Two" } },
      { kind: "row", text: "x", header: null, place: { sheet: "Two" } },
    ]);
  });

  test.each<[xlsx.BookType]>([["xlsb"], ["xls"]])("%s says which sheets are hidden", async (bookType) => {
    const blocks = await read(xlsx.write(bookOf(), { type: "buffer", bookType }) as Buffer);
    expect(blocks.filter(({ kind }) => kind === "text").map(({ text }) => text)).toEqual(['Sheet "Two" (hidden)']);
  });
});
