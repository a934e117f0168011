import { describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import * as xlsx from "xlsx";
import { type Block, DocumentError } from "../../src/words/document.js";
import { readSpreadsheet } from "../../src/formats/spreadsheet.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

interface SheetParts {
  name: string;
  state?: string;
  /** XML of its rows, and what follows them. */
  rows: string;
  after?: string;
}

/** @param strings XML of the shared strings */
function xlsxOf(sheets: SheetParts[], strings = "", styles = ""): Buffer {
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

/** Rows of cells with texts of their own. */
function rowsOf(...rows: (string | number)[][]): string {
  const cell = (value: string | number) =>
    typeof value === "number" ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t>${value}</t></is></c>`;
  return rows.map((row) => `<row>${row.map(cell).join("")}</row>`).join("");
}

function read(bytes: Buffer, name = "a.xlsx"): Promise<Block[]> {
  return readBytes(readSpreadsheet, bytes, name);
}

/** Texts of the rows of a workbook, without its sheets' names. */
async function rowTexts(bytes: Buffer): Promise<string[]> {
  return (await read(bytes)).filter(({ kind }) => kind === "row").map(({ text }) => text);
}

// Hundreds of spoilt workbooks, which take a busy machine longer than a minute.
jest.setTimeout(300_000);

describe("sheets", () => {
  test("have their name as heading, and rows with the first as header", async () => {
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

  test("have a title above their header that is none", async () => {
    const blocks = await read(xlsxOf([{ name: "S", rows: rowsOf(["Sales"], ["a", "b"], ["1"], ["2", "3"]) }]));
    expect(blocks.slice(1).map((block) => [block.text, block.kind === "row" && block.header])).toEqual([
      ["Sales", null],
      ["a | b", null],
      ["1", "a | b"],
      ["2 | 3", "a | b"],
    ]);
  });

  test("come without rows and columns that are empty, however far they reach", async () => {
    const rows = `<row r="3"><c r="C3"><v>1</v></c><c r="E3" t="str"><v> </v></c><c r="XFD3"><v>2</v></c></row>
      <row r="1048576"><c r="C1048576"><v>3</v></c><c r="ZZZ1048576"><v>4</v></c></row>`;
    expect(await rowTexts(xlsxOf([{ name: "S", rows }]))).toEqual(["1 | 2", "3"]);
  });

  test("of a workbook in which all are empty are nothing", async () => {
    expect(await read(xlsxOf([{ name: "Sheet1", rows: "" }]))).toEqual([]);
  });

  test("say in each row what is merged over it", async () => {
    const rows = `<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="B2"><v>3</v></c></row>
      <row r="3"><c r="B3"><v>4</v></c></row>`;
    const after =
      '<mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="A1:XFD1048576x"/><mergeCell ref="?"/></mergeCells>';
    expect(await rowTexts(xlsxOf([{ name: "S", rows, after }]))).toEqual(["1 | 2", "1 | 3", " | 4"]);
  });
});

describe("cells", () => {
  test("show numbers in their formats, and dates so that everybody understands them", async () => {
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

  test("show texts of all kinds", async () => {
    const strings =
      "<si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>reading</t></rPh></si><si><t>a_x000D_\nb</t></si>";
    const row = `<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>99</v></c><c t="str"><f>A1</f><v>formula</v></c>
      <c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="d"><v>2024-01-01</v></c><c><f>1+1</f></c></row>`;
    expect(await rowTexts(xlsxOf([{ name: "S", rows: row }], strings))).toEqual([
      "shared | rich | a b | formula | TRUE | #N/A | 2024-01-01",
    ]);
  });

  test("that are too many are refused", async () => {
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

  test("have repeated cells and rows, and end with the last of them that has a text", async () => {
    const rows =
      row(cell("A") + cell("", 'table:number-columns-repeated="2"') + cell("B", 'table:number-columns-repeated="2"')) +
      row(cell("1") + '<table:table-cell table:number-columns-repeated="16383"/>', 'table:number-rows-repeated="2"') +
      row(cell(""), 'table:number-rows-repeated="1048573"');
    expect(await rowTexts(ods(`<table:table table:name="S">${rows}</table:table>`))).toEqual(["A | B | B", "1", "1"]);
  });

  test("have texts as shown, else values, and no comments, pictures or older states", async () => {
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

  test("say in each row what is merged over it, and which sheets are hidden", async () => {
    const rows =
      row(cell("A", 'table:number-rows-spanned="2"') + cell("1")) +
      row(`<table:covered-table-cell/>${cell("2")}`) +
      row(`<table:covered-table-cell/>${cell("3")}`);
    const blocks = await read(ods(`<table:table table:name="S" table:style-name="ta2">${rows}</table:table>`));
    expect(blocks.map(({ text }) => text)).toEqual(["S", 'Sheet "S" (hidden)', "A | 1", "A | 2", " | 3"]);
  });

  test("with a repetition that is an attack are refused", async () => {
    const rows = row(cell("x", 'table:number-columns-repeated="16384"'), 'table:number-rows-repeated="1000000"');
    await expect(read(ods(`<table:table>${rows}</table:table>`))).rejects.toThrow("more than 2,000,000 cells");
  });

  test("with a password are refused", async () => {
    const manifest = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>';
    await expect(read(ods("", { "META-INF/manifest.xml": manifest }))).rejects.toThrow("password");
  });
});

describe("hostile workbooks", () => {
  test.each<[xlsx.BookType]>([["xls"], ["xlsb"], ["ods"]])(
    "%s cannot reach beyond themselves by a name",
    async (bookType) => {
      const book = xlsx.utils.book_new();
      // As an object with this name of its own, which an assignment would not make.
      Object.defineProperty(book.Sheets, "__proto__", {
        value: xlsx.utils.aoa_to_sheet([["text", "more"]]),
        enumerable: true,
      });
      book.SheetNames.push("__proto__", "constructor");
      Object.assign(book.Sheets, { constructor: xlsx.utils.aoa_to_sheet([["other"]]) });
      const blocks = await read(xlsx.write(book, { type: "buffer", bookType }) as Buffer);
      expect(blocks.map(({ text }) => text)).toEqual(["__proto__", "text | more", "constructor", "other"]);
      expect("!data" in {}).toBe(false);
      expect("!ref" in {}).toBe(false);
    },
  );

  test("sizes beside the parts of an .xlsb are not believed", async () => {
    const book = xlsx.utils.book_new();
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([["text"]]), "S");
    const whole = xlsx.write(book, { type: "buffer", bookType: "xlsb", compression: true }) as Buffer;
    const bytes = Buffer.from(whole);
    // Every local header claims 2 GB.
    for (let at = bytes.indexOf("PK\x03\x04"); at !== -1; at = bytes.indexOf("PK\x03\x04", at + 4))
      bytes.writeUInt32LE(2 ** 31, at + 22);
    expect(bytes.equals(whole)).toBe(false);
    expect(await rowTexts(bytes)).toEqual(["text"]);
  });

  test.each<[xlsx.BookType]>([["xls"], ["xlsb"], ["xlsx"], ["ods"]])(
    "%s are read or refused, whatever is wrong in them",
    async (bookType) => {
      const book = xlsx.utils.book_new();
      xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([["Name", 1.5, true], ["x".repeat(300)]]), "S");
      const whole = xlsx.write(book, { type: "buffer", bookType }) as Buffer;
      const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
          const bytes = Buffer.from(whole);
          for (const { at, to } of changes) bytes[at] = to;
          const found = await read(bytes).catch((error: unknown) => {
            expect(error).toBeInstanceOf(DocumentError);
            return [];
          });
          for (const { text } of found) expect(text.trim()).not.toBe("");
        }),
        { numRuns: 100 },
      );
    },
  );

  test.each<[string, Buffer, string]>([
    ["empty", Buffer.alloc(0), "The file is empty."],
    ["text", Buffer.from("Dear Sir or Madam,"), "The file is not a spreadsheet."],
    ["a zip of something else", makeZip({ "a.txt": "b" }), "it lacks xl/workbook.xml"],
    ["a workbook with entities", xlsxOf([{ name: "S", rows: "<!DOCTYPE a [<!ENTITY b 'c'>]>" }]), "damaged"],
    ["cut off", xlsxOf([{ name: "S", rows: "" }]).subarray(0, -40), "cannot be unpacked"],
    [
      "an OLE file that is cut off",
      Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(1_000)]),
      "damaged",
    ],
  ])("are refused when they are %s", async (_, bytes, message) => {
    const reading = read(bytes);
    await expect(reading).rejects.toBeInstanceOf(DocumentError);
    await expect(reading).rejects.toThrow(message);
  });
});
