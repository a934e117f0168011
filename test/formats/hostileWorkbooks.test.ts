import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import * as xlsx from "xlsx";
import { DocumentError } from "../../src/words/document.js";
import { makeZip } from "./makeZip.js";
import { read, rowTexts, xlsxOf } from "./makeWorkbook.js";

// Hundreds of damaged workbooks take longer than a minute on a busy machine.
describe("hostile workbooks", () => {
  test.each<[xlsx.BookType]>([["xls"], ["xlsb"], ["ods"]])(
    "%s cannot pollute prototypes by a name",
    async (bookType) => {
      const book = xlsx.utils.book_new();
      // Defines an own property with this name; an assignment would set the prototype.
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

  test("sizes in the local headers of an .xlsb are ignored", async () => {
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
    "%s are read or refused, whatever the damage",
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
