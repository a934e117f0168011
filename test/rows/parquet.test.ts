import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryDirectory, numbersOf, readRows, temporaryDirectory } from "./support.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => {
  directory.remove();
});

describe("Parquet files of other programs", () => {
  const fixture = (name: string) => join("test/rows/fixtures", name);
  const vectors = JSON.parse(readFileSync(fixture("vectors.json"), "utf8")) as number[][];
  const metadataOf = (i: number) => ({ n: i, tag: i % 2 === 1 ? "größe" : "x" });

  test.each(["pandas.parquet", "polars.parquet", "duckdb.parquet", "pyarrow-v2.parquet"])("%s", async (name) => {
    const rows = await readRows([fixture(name)]);
    expect(rows.map(numbersOf)).toEqual(vectors);
    expect(rows.map((row) => row.id)).toEqual(vectors.map((_, i) => `row-${i}`));
    expect(rows.map((row) => row.content)).toEqual(vectors.map((_, i) => `Zeile ${i}`));
    expect(rows.map((row) => row.createdAt)).toEqual(vectors.map((_, i) => 1750000000123456 + i * 1e6));
    expect(rows.map((row) => row.metadata)).toEqual(
      vectors.map((_, i) => `{"n": ${i}, "tag": "${metadataOf(i).tag}", "big": 12345678901234567890123}`),
    );
    expect(rows.map((row) => row.at)).toEqual(vectors.map((_, i) => `row ${i + 1} of ${name}`));
  });

  test("metadata as a struct, vectors of doubles, several row groups", async () => {
    const rows = await readRows([fixture("pandas-struct.parquet")]);
    expect(rows.map(numbersOf)).toEqual(vectors);
    expect(rows.map((row) => JSON.parse(row.metadata ?? "") as object)).toEqual(vectors.map((_, i) => metadataOf(i)));
  });

  test("vectors as bytes, ids as numbers, columns that become metadata", async () => {
    const rows = await readRows([fixture("binary.parquet")], { columns: { metadataColumns: ["lang", "n"] } });
    expect(rows.map(numbersOf)).toEqual(vectors);
    expect(rows.slice(0, 2).map((row) => [row.id, row.metadata])).toEqual([
      ["0", '{"lang":"de","n":0}'],
      ["1", '{"lang":"en","n":1}'],
    ]);
  });

  test("rows without a vector, and rows that continue in the next page", async () => {
    const rows = await readRows([fixture("nulls.parquet")]);
    expect(rows.map(numbersOf)).toEqual(vectors.map((vector, i) => (i % 10 === 3 ? null : vector)));
  });

  test("a file that is cut off, not Parquet, or without texts is refused by its name", async () => {
    const cut = directory.file("cut.parquet", readFileSync(fixture("pandas.parquet")));
    truncateSync(cut, 2000);
    await expect(readRows([cut])).rejects.toThrow(/^cut.parquet: is not a readable Parquet file/);
    await expect(readRows([directory.file("none.parquet", "x")])).rejects.toThrow(/^none.parquet: .*ends too early/);
    await expect(readRows([fixture("pandas.parquet")], { columns: { content: "text" } })).rejects.toThrow(
      /^--content-column: pandas.parquet has no column "text" \(it has: id, content, embedding, metadata, created_at\)/,
    );
    // With its footer, but without a page.
    const whole = readFileSync(fixture("pandas.parquet"));
    await expect(
      readRows([
        directory.file("hole.parquet", Buffer.concat([whole.subarray(0, 4), Buffer.alloc(900), whole.subarray(904)])),
      ]),
    ).rejects.toThrow(/^hole.parquet: is not a readable Parquet file/);
  });
});
