import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ColumnSource, type ParquetWriteOptions, parquetWriteBuffer } from "hyparquet-writer";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type TemporaryDirectory, numbersOf, readRows, temporaryDirectory } from "./support.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => {
  directory.remove();
});

const parquet = (columnData: ColumnSource[], options: Partial<ParquetWriteOptions> = {}) =>
  directory.file("types.parquet", Buffer.from(parquetWriteBuffer({ columnData, ...options })));

const content: ColumnSource = { name: "content", data: ["x", "y"], type: "STRING" };

describe("columns of other types", () => {
  test("become metadata without losing a digit", async () => {
    const path = parquet([
      content,
      { name: "big", data: [9007199254740993n, null], type: "INT64" },
      { name: "small", data: [1, -2], type: "INT32" },
      { name: "double", data: [0.1, 1e300], type: "DOUBLE" },
      { name: "flag", data: [true, false], type: "BOOLEAN" },
      { name: "time", data: [new Date("2026-01-31T12:00:00.123Z"), null], type: "TIMESTAMP" },
      { name: "json", data: [{ n: 1, t: "ü" }, [1, 2]], type: "JSON" },
      { name: "text", data: ["größe", null], type: "STRING" },
    ]);
    const metadataColumns = ["big", "small", "double", "flag", "time", "json", "text"];
    const rows = await readRows([path], { columns: { metadataColumns } });
    expect(rows.map((row) => row.metadata)).toEqual([
      '{"big":9007199254740993,"small":1,"double":0.1,"flag":true,"time":"2026-01-31T12:00:00.123Z",' +
        '"json":"{\\"n\\":1,\\"t\\":\\"ü\\"}","text":"größe"}',
      '{"small":-2,"double":1e+300,"flag":false,"json":"[1,2]"}',
    ]);
  });

  test("of decimals keep all their digits, whatever they are stored in", async () => {
    const schema = (name: string, type: "INT32" | "INT64" | "FIXED_LEN_BYTE_ARRAY" | "BYTE_ARRAY", scale: number) => ({
      ...{ name, type, converted_type: "DECIMAL" as const, repetition_type: "OPTIONAL" as const, scale, precision: 38 },
      ...(type === "FIXED_LEN_BYTE_ARRAY" ? { type_length: 16 } : {}),
    });
    const columns = [
      { name: "i32", data: [12_345n, -5n, null], element: schema("i32", "INT32", 2) },
      { name: "i64", data: [1234567890123456789n, -1n, null], element: schema("i64", "INT64", 9) },
      { name: "whole", data: [99999999999999999999999999999999999999n, -9007199254740993n, 7n] },
      { name: "fixed", data: [-12345678901234567890123456789012345678n, 10n ** 18n, 0n] },
      { name: "bytes", data: [12345678901234567890n, -128n, null], element: schema("bytes", "BYTE_ARRAY", 10) },
    ].map((each) => ({
      ...each,
      element: each.element ?? schema(each.name, "FIXED_LEN_BYTE_ARRAY", each.name === "whole" ? 0 : 18),
    }));
    const texts = { name: "content", data: ["x", "y", "z"] };
    const path = directory.file(
      "decimals.parquet",
      Buffer.from(
        parquetWriteBuffer({
          columnData: [texts, ...columns.map(({ name, data }) => ({ name, data }))],
          schema: [
            { name: "root", num_children: 6 },
            { name: "content", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
            ...columns.map(({ element }) => element),
          ],
        }),
      ),
    );
    const metadataColumns = columns.map(({ name }) => name);
    const rows = await readRows([path], { columns: { metadataColumns, id: "whole" } });
    expect(rows.map((row) => row.metadata)).toEqual([
      '{"i32":123.45,"i64":1234567890.123456789,"whole":99999999999999999999999999999999999999,' +
        '"fixed":-12345678901234567890.123456789012345678,"bytes":1234567890.1234567890}',
      '{"i32":-0.05,"i64":-1e-9,"whole":-9007199254740993,"fixed":1,"bytes":-1.28e-8}',
      '{"whole":7,"fixed":0}',
    ]);
    expect(rows.map((row) => row.id)).toEqual(["99999999999999999999999999999999999999", "-9007199254740993", "7"]);
  });

  test("of lists of decimals are vectors", async () => {
    const optional = { repetition_type: "OPTIONAL" as const };
    const decimal = { type: "INT64" as const, converted_type: "DECIMAL" as const, scale: 18, precision: 18 };
    const path = directory.file(
      "vectors.parquet",
      Buffer.from(
        parquetWriteBuffer({
          columnData: [
            { name: "content", data: ["x", "y"] },
            { name: "embedding", data: [[123456789012345678n, -(5n * 10n ** 17n)], null] },
          ],
          schema: [
            { name: "root", num_children: 2 },
            { name: "content", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
            { name: "embedding", converted_type: "LIST", num_children: 1, ...optional },
            { name: "list", repetition_type: "REPEATED", num_children: 1 },
            { name: "element", ...decimal, ...optional },
          ],
        }),
      ),
    );
    expect((await readRows([path])).map(numbersOf)).toEqual([[Math.fround(0.12345678901234568), -0.5], null]);
  });

  test("are ids, times and vectors", async () => {
    const path = parquet([
      { name: "id", data: [9007199254740993n, 2n], type: "INT64" },
      content,
      { name: "created_at", data: [new Date("2026-01-31T12:00:00.123Z"), null], type: "TIMESTAMP" },
      {
        name: "embedding",
        data: [Uint8Array.from(Buffer.from(Float32Array.of(1, -0.5).buffer)), null],
        type: "BYTE_ARRAY",
      },
    ]);
    const rows = await readRows([path]);
    expect(rows.map((row) => [row.id, row.createdAt, numbersOf(row)])).toEqual([
      ["9007199254740993", Date.parse("2026-01-31T12:00:00.123Z") * 1000, [1, -0.5]],
      ["2", null, null],
    ]);
  });

  test("are vectors as text", async () => {
    const base64 = Buffer.from(Float32Array.of(3, 4).buffer).toString("base64");
    const path = parquet([content, { name: "embedding", data: ["[1, 2.5]", base64], type: "STRING" }]);
    expect((await readRows([path])).map(numbersOf)).toEqual([
      [1, 2.5],
      [3, 4],
    ]);
  });

  test.each<[ColumnSource, RegExp]>([
    [
      { name: "embedding", data: [new Uint8Array(5), null], type: "BYTE_ARRAY" },
      /^row 1 of .*: "embedding" has 5 bytes/,
    ],
    [{ name: "embedding", data: [1.5, 2.5], type: "DOUBLE" }, /^row 1 of .*: "embedding" is not a list of numbers/],
    [
      { name: "embedding", data: ["[1]", "[1, x]"], type: "STRING" },
      /^row 2 of .*: "embedding" is not an array of numbers/,
    ],
    [{ name: "id", data: [true, false], type: "BOOLEAN" }, /^row 1 of .*: "id" is not a text/],
    [{ name: "created_at", data: ["soon", null], type: "STRING" }, /^row 1 of .*: "created_at" is neither/],
  ])("of a wrong type are named with their row: %j", async (column, message) => {
    await expect(readRows([parquet([content, column])])).rejects.toThrow(message);
  });
});

test.each(["SNAPPY", "GZIP", "BROTLI", "UNCOMPRESSED"] as const)(
  "rows are read across pages and row groups: %s",
  async (codec) => {
    const texts = Array.from({ length: 1234 }, (_, i) => (i % 3 === 0 ? "same" : `text ${i} ${"x".repeat(i % 50)}`));
    const path = parquet(
      [
        { name: "id", data: texts.map((_, i) => String(i)), type: "STRING" },
        { name: "content", data: texts, type: "STRING" },
      ],
      {
        codec,
        rowGroupSize: 500,
        pageSize: 1000,
        compressors: { GZIP: (bytes) => gzipSync(bytes), BROTLI: (bytes) => brotliCompressSync(bytes) },
      },
    );
    const rows = await readRows([path]);
    expect(rows.map((row) => row.id)).toEqual(texts.map((_, i) => String(i)));
    expect(rows.map((row) => row.content)).toEqual(texts);
  },
);
