import { describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import iconv from "iconv-lite";
import { Readable } from "node:stream";
import { readCsv } from "../../src/formats/csv.js";
import { noOptions, readBytes, withFile } from "./readBytes.js";

const read = (text: string | Buffer, name = "a.csv") => readBytes(readCsv, Buffer.from(text), name);
const texts = async (text: string | Buffer) => (await read(text)).map((block) => block.text);

describe("readCsv", () => {
  test("makes each line a row, the first one the header", async () => {
    expect(await read("name,age\nAnna,31\nBernd,\n")).toEqual([
      { kind: "row", text: "name | age", header: null, place: {} },
      { kind: "row", text: "Anna | 31", header: "name | age", place: {} },
      { kind: "row", text: "Bernd", header: "name | age", place: {} },
    ]);
  });

  test.each<[string, string]>([
    ["numbers", "1,2\n3,4"],
    ["an empty cell", "Stanley Cups,\nTeam,City"],
    ["dates", "2024-01-01,x\n2024-01-02,y"],
    ["a single cell", "apple\npear"],
    ["very long cells", `${"long ".repeat(300)},b\n1,2`],
  ])("does not treat a first row with %s as a header", async (_, text) => {
    expect((await read(text)).map((block) => block.kind === "row" && block.header)).toEqual([null, null]);
  });

  test.each<[string, string, string[]]>([
    ["semicolons", "a;b\n1,5;2,5\n3,5;4,5", ["a | b", "1,5 | 2,5", "3,5 | 4,5"]],
    ["semicolons beside commas", "Lorem, ipsum; dolor\nsit; amet", ["Lorem, ipsum | dolor", "sit | amet"]],
    ["tabs", "a, b\tc\nd\te", ["a, b | c", "d | e"]],
    ["bars", "a|b\n1|2", ["a | b", "1 | 2"]],
    ["delimiters within quotes", '"a;b;c",d\n"e;f;g",h', ["a;b;c | d", "e;f;g | h"]],
    ["a line that names it", "sep=;\r\na,b;c\r\n", ["a,b | c"]],
    ["nothing at all", "one\ntwo", ["one", "two"]],
    ["rows of any length", "a,b,c\n1\n1,2,3,4\n\n,,\n", ["a | b | c", "1", "1 | 2 | 3 | 4"]],
  ])("finds %s between the cells", async (_, text, rows) => {
    expect(await texts(text)).toEqual(rows);
  });

  test("reads quotes, line breaks in cells, and all kinds of line ends", async () => {
    expect(await texts('a,b\r\n1,"x ""y""\r\n z"\r\n')).toEqual(["a | b", '1 | x "y" z']);
    expect(await texts("a,b\rc,d\r")).toEqual(["a | b", "c | d"]);
    expect(await texts('a,b\n1,5" pipe\n2,x')).toEqual(["a | b", '1 | 5" pipe', "2 | x"]);
  });

  test("reads other encodings", async () => {
    expect(await texts(iconv.encode("Straße;Größe\nKöln;3,50 €\n", "windows-1252"))).toEqual([
      "Straße | Größe",
      "Köln | 3,50 €",
    ]);
    expect(await texts(Buffer.from("\ufeffa\tb\n1\t2", "utf16le"))).toEqual(["a | b", "1 | 2"]);
  });

  test("continues after an unclosed quote", async () => {
    const rest = `3,${"four ".repeat(20)}\n`.repeat(15_000);
    const blocks = await read(`a,b\n"x, y",1\n2,"never closed\n${rest}5,6`);
    expect(blocks.slice(0, 3).map(({ text }) => text)).toEqual(["a | b", "x, y | 1", '2 | "never closed']);
    expect(blocks).toHaveLength(15_004);
    expect(blocks.at(-1)).toEqual({ kind: "row", text: "5 | 6", header: "a | b", place: {} });
  });

  test("continues after an unclosed quote near the end, and after multi-byte characters", async () => {
    expect(await texts('ä,ö\n€,😀\n1,"ü\n2,3')).toEqual(["ä | ö", "€ | 😀", '1 | "ü', "2 | 3"]);
  });

  test.each([
    ["short rows", "a\n".repeat(100_000)],
    ["rows behind a quote that is never closed", `a,b\n"x\n${"x\n".repeat(100_000)}`],
  ])("holds few of many %s", async (_, text) => {
    await withFile(Buffer.from(text), async (path) => {
      const given = jest.spyOn(Readable.prototype, "push");
      try {
        const records = () =>
          given.mock.calls.filter(([each]) => typeof each === "object" && each !== null && "record" in each).length;
        const blocks = readCsv({ path, size: text.length, name: "a.csv" }, noOptions)[Symbol.asyncIterator]();
        for (let taken = 0; taken < 2; taken += 1) await blocks.next();
        expect(records()).toBeLessThan(20_000);
        await blocks.return?.();
      } finally {
        given.mockRestore();
      }
    });
  });

  test("reads text without a table as text", async () => {
    const long = "word ".repeat(300_000);
    const blocks = await read(`a,b\n1,2\n${long}`);
    expect(blocks.slice(0, 3).map(({ kind }) => kind)).toEqual(["row", "row", "text"]);
    expect(
      blocks
        .slice(2)
        .map(({ text }) => text)
        .join("") === long,
    ).toBe(true);
  });

  test("finds all cells of any table, in order", async () => {
    const cell = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('"', ",", ";", "a\nb", '""', "1,5", "\r\n"),
    );
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(table, async (rows) => {
        const cells = rows.flat().map((text) => text.replace(/[\0\ufeff]/g, "").toWellFormed());
        fc.pre(cells.some((text) => text.trim() !== "") && !cells.some((text) => text.includes("\u001b$B")));
        // More occurrences of the delimiter than any other character has inside the cells.
        const written = "p,q,r,s,t,u\n".repeat(20) + rows.map((row) => row.map(quoted).join(",")).join("\n");
        const found = (await texts(written)).join("\n");
        let at = 0;
        for (const text of cells.map((text) => text.replace(/\s+/g, " ").trim())) {
          at = found.indexOf(text, at);
          expect(at).not.toBe(-1);
          at += text.length;
        }
      }),
    );
  });

  test.each([
    ["", "The file is empty."],
    [" \n,,\n", "The file has no text, only white space."],
  ])("refuses %j", async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: "invalid_file", message });
  });
});

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
