import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TemporaryDirectory, numbersOf, readRows, temporaryDirectory } from "./support.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => {
  directory.remove();
});

const base64 = Buffer.from(Float32Array.of(0.5, -2).buffer).toString("base64");

describe("CSV", () => {
  test("reads quoted cells, JSON and base64; empty cells count as missing", async () => {
    const path = directory.file(
      "rows.csv",
      `\ufeffid,content,embedding,metadata,created_at,lang\r\n` +
        `a,"a ""quoted""\ntext","[0.5, -2]","{""n"": 12345678901234567890}",2026-01-31,de\r\n` +
        `,größe,${base64},,1750000000,\r\n`,
    );
    const rows = await readRows([path], { columns: { metadataColumns: ["lang"] } });
    expect(rows.map((row) => [row.id, row.content, row.metadata, row.createdAt, numbersOf(row)])).toEqual([
      ["a", 'a "quoted"\ntext', '{"n": 12345678901234567890,"lang":"de"}', Date.parse("2026-01-31") * 1000, [0.5, -2]],
      [null, "größe", null, 1750000000_000000, [0.5, -2]],
    ]);
    expect(rows.map((row) => row.at)).toEqual(["row 1 of rows.csv", "row 2 of rows.csv"]);
  });

  test("cells are separated by tabs in .tsv, or by any delimiter given", async () => {
    expect(
      (await readRows([directory.file("t.tsv", "content\tid\nx y\t1\n")])).map((row) => [row.id, row.content]),
    ).toEqual([["1", "x y"]]);
    expect(
      (await readRows([directory.file("s.csv", "content;id\nx;1\n")], { delimiter: ";" })).map((row) => row.id),
    ).toEqual(["1"]);
  });

  test.each([
    ["text,id\nx,1\n", /^--content-column: bad.csv has no column "content" \(its first row has: text, id\)/],
    ["content,id\nx,1\ny\n", /^row 2 of bad.csv: has 1 columns, but the first row has 2/],
    ['content,id\nx,1\n"y,2\n', /^row 2 of bad.csv: cannot be read/],
    ['content,embedding\nx,[1]\ny,"[1,x]"\n', /^row 2 of bad.csv: "embedding" is not an array of numbers/],
    [Buffer.from("content\n\xff\n", "latin1"), /^bad.csv: is not valid UTF-8/],
  ])("an error names its row or column: %s", async (text, message) => {
    await expect(readRows([directory.file("bad.csv", text)])).rejects.toThrow(message);
  });
});
