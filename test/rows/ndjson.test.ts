import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { gzipSync } from "node:zlib";
import type { TransferRow } from "../../src/words/rows.js";
import { type TemporaryDirectory, numbersOf, readRows, temporaryDirectory } from "./support.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => {
  directory.remove();
});

const base64 = Buffer.from(Float32Array.of(0.5, -2).buffer).toString("base64");

describe("NDJSON", () => {
  test("reads every field of a row; numbers in metadata keep their digits", async () => {
    const path = directory.file(
      "rows.ndjson",
      `{"id":"a","content":"Größe\\n東京","embedding":[0.5,-2],"metadata":{"n":12345678901234567890.50},"created_at":1750000000.25,"vector_store_id":"vs_1"}\r\n` +
        `\n{"id":7,"content":"","embedding":"${base64}","created_at":"2026-01-31T12:00:00.123456+02:00","further":[{"x":1}]}\n` +
        `{"content":"no more","embedding":null,"metadata":null}`,
    );
    const rows = await readRows([path]);
    expect(rows.map((row) => ({ ...row, vector: undefined }))).toEqual([
      {
        at: "line 1 of rows.ndjson",
        key: "rows.ndjson:1",
        id: "a",
        storeId: "vs_1",
        content: "Größe\n東京",
        metadata: '{"n":12345678901234567890.50}',
        createdAt: 1750000000_250000,
      },
      {
        at: "line 3 of rows.ndjson",
        key: "rows.ndjson:3",
        id: "7",
        storeId: null,
        content: "",
        metadata: null,
        createdAt: Date.parse("2026-01-31T10:00:00Z") * 1000 + 123456,
      },
      {
        at: "line 4 of rows.ndjson",
        key: "rows.ndjson:4",
        id: null,
        storeId: null,
        content: "no more",
        metadata: null,
        createdAt: null,
      },
    ]);
    expect(rows.map(numbersOf)).toEqual([[0.5, -2], [0.5, -2], null]);
  });

  test("ids that are numbers keep their digits too", async () => {
    const lines = ["9007199254740992", "9007199254740993"].map(
      (id) => `{"id":${id},"vector_store_id":${id},"content":"x"}\n`,
    );
    const rows = await readRows([directory.file("ids.ndjson", lines.join(""))]);
    expect(rows.map(({ id, storeId }) => [id, storeId])).toEqual([
      ["9007199254740992", "9007199254740992"],
      ["9007199254740993", "9007199254740993"],
    ]);
  });

  test("other column names, and further columns that become keys of the metadata", async () => {
    const path = directory.file(
      "other.jsonl",
      `{"_id":"a","text":"x","v":[1],"m":{"a":1},"lang":"de","n":1e400}\n{"text":"y","lang":"en"}\n`,
    );
    const columns = { id: "_id", content: "text", embedding: "v", metadata: "m", metadataColumns: ["lang", "n"] };
    const rows = await readRows([path], { columns });
    expect(rows.map((row) => [row.id, row.content, row.metadata])).toEqual([
      ["a", "x", '{"a":1,"lang":"de","n":1e400}'],
      [null, "y", '{"lang":"en"}'],
    ]);
  });

  test("is read from .gz and from standard input alike", async () => {
    const text = `{"id":"a","content":"größe","embedding":[1]}\n{"id":"b","content":"y","embedding":[2]}`;
    const [zipped, streamed] = [
      await readRows([directory.file("z.ndjson.gz", gzipSync(text))]),
      await readRows(["-"], { stdin: text }),
    ];
    const unplaced = (rows: readonly TransferRow[]) => rows.map((row) => ({ ...row, at: "", key: "" }));
    expect(unplaced(zipped)).toEqual(unplaced(streamed));
    expect(streamed.map((row) => row.at)).toEqual(["line 1 of standard input", "line 2 of standard input"]);
  });

  test.each([
    ['{"content":"x"', /^line 2 of bad.ndjson: is not a JSON object: ends too early/],
    ["[]", /^line 2 of bad.ndjson: is not a JSON object: has an unexpected character at column 1/],
    ['{"embedding":[1]}', /^line 2 of bad.ndjson: has no "content", the row's text.*--content-column/],
    ['{"content":7}', /^line 2 of bad.ndjson: "content", the row's text, is not a string/],
    ['{"content":"x","embedding":[1,null]}', /^line 2 of bad.ndjson: number 2 of "embedding" is missing/],
    ['{"content":"x","embedding":[1,1e39]}', /^line 2 of bad.ndjson: number 2 of "embedding" is missing or outside/],
    ['{"content":"x","embedding":[]}', /^line 2 of bad.ndjson: "embedding" is empty/],
    [
      '{"content":"x","embedding":"AAAA!"}',
      /^line 2 of bad.ndjson: "embedding" is neither an array of numbers nor base64/,
    ],
    [
      '{"content":"x","embedding":"AAAAAA=="}'.replace("AAAAAA==", "AAAAAAA="),
      /neither an array of numbers nor base64/,
    ],
    ['{"content":"x","embedding":{}}', /neither an array of numbers nor base64/],
    ['{"content":"x","id":{}}', /^line 2 of bad.ndjson: "id" is not a text/],
    [
      '{"content":"x","created_at":"yesterday"}',
      /^line 2 of bad.ndjson: "created_at" is neither a number of Unix seconds/,
    ],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /^line 2 of bad.ndjson: is not valid UTF-8/],
    ['{"object":"vector_store","name":"x"}', /^line 2 of bad.ndjson: is not a vector store: .*id/],
  ])("a broken line is named by its number: %s", async (line, message) => {
    const path = directory.file("bad.ndjson", Buffer.concat([Buffer.from('{"content":"x"}\n'), Buffer.from(line)]));
    await expect(readRows([path])).rejects.toThrow(message);
  });
});
