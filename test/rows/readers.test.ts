import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fromNetworkOrder } from "../../src/numbers/float32.js";
import { type FileFormat, openFiles } from "../../src/rows/fileSource.js";
import type { FileColumns } from "../../src/rows/rowColumns.js";
import type { TransferPage, TransferRow } from "../../src/words/rows.js";

const usual: FileColumns = {
  id: "id",
  content: "content",
  embedding: "embedding",
  metadata: "metadata",
  metadataColumns: [],
  createdAt: "created_at",
  store: "vector_store_id",
};

interface Options {
  columns?: Partial<FileColumns>;
  format?: FileFormat;
  delimiter?: string;
  after?: unknown;
  stdin?: string;
}

async function open(paths: readonly string[], { columns, format, delimiter, stdin = "" }: Options = {}) {
  async function* input() {
    // In pieces that no line ends with.
    for (let at = 0; at < stdin.length; at += 7) yield Promise.resolve(Buffer.from(stdin.slice(at, at + 7)));
  }
  const options = { columns: { ...usual, ...columns }, format: format ?? null, delimiter: delimiter ?? null };
  return openFiles(paths, options, input());
}

async function pagesOf(paths: readonly string[], options: Options = {}): Promise<TransferPage[]> {
  const pages: TransferPage[] = [];
  for await (const page of (await open(paths, options)).pages(options.after ?? null)) pages.push(page);
  return pages;
}

const rowsOf = async (paths: readonly string[], options: Options = {}) =>
  (await pagesOf(paths, options)).flatMap((page) => page.rows);

const numbers = (row: TransferRow | undefined) =>
  row?.vector == null ? null : Array.from(fromNetworkOrder(row.vector));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "vector-store-rows-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});
const file = (name: string, content: string | Buffer) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

const base64 = Buffer.from(Float32Array.of(0.5, -2).buffer).toString("base64");

describe("NDJSON", () => {
  test("has every field of a row; the numbers of metadata keep their digits", async () => {
    const path = file(
      "rows.ndjson",
      `{"id":"a","content":"Größe\\n東京","embedding":[0.5,-2],"metadata":{"n":12345678901234567890.50},"created_at":1750000000.25,"vector_store_id":"vs_1"}\r\n` +
        `\n{"id":7,"content":"","embedding":"${base64}","created_at":"2026-01-31T12:00:00.123456+02:00","further":[{"x":1}]}\n` +
        `{"content":"no more","embedding":null,"metadata":null}`,
    );
    const rows = await rowsOf([path]);
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
    expect(rows.map(numbers)).toEqual([[0.5, -2], [0.5, -2], null]);
  });

  test("other names, and further fields that become keys of the metadata", async () => {
    const path = file(
      "other.jsonl",
      `{"_id":"a","text":"x","v":[1],"m":{"a":1},"lang":"de","n":1e400}\n{"text":"y","lang":"en"}\n`,
    );
    const columns = { id: "_id", content: "text", embedding: "v", metadata: "m", metadataColumns: ["lang", "n"] };
    const rows = await rowsOf([path], { columns });
    expect(rows.map((row) => [row.id, row.content, row.metadata])).toEqual([
      ["a", "x", '{"a":1,"lang":"de","n":1e400}'],
      [null, "y", '{"lang":"en"}'],
    ]);
  });

  test("compressed or from standard input it is the same", async () => {
    const text = `{"id":"a","content":"größe","embedding":[1]}\n{"id":"b","content":"y","embedding":[2]}`;
    const [zipped, streamed] = [
      await rowsOf([file("z.ndjson.gz", gzipSync(text))]),
      await rowsOf(["-"], { stdin: text }),
    ];
    const unplaced = (rows: readonly TransferRow[]) => rows.map((row) => ({ ...row, at: "", key: "" }));
    expect(unplaced(zipped)).toEqual(unplaced(streamed));
    expect(streamed.map((row) => row.at)).toEqual(["line 1 of standard input", "line 2 of standard input"]);
  });

  test.each([
    ['{"content":"x"', /^line 2 of bad.ndjson: it is not a JSON object: ends too early/],
    ["[]", /^line 2 of bad.ndjson: it is not a JSON object: has an unexpected character at column 1/],
    ['{"embedding":[1]}', /^line 2 of bad.ndjson: there is no "content", the row's text.*--content-column/],
    ['{"content":7}', /^line 2 of bad.ndjson: "content", the row's text, is no string/],
    ['{"content":"x","embedding":[1,null]}', /^line 2 of bad.ndjson: number 2 of "embedding" is missing/],
    [
      '{"content":"x","embedding":[1,1e39]}',
      /^line 2 of bad.ndjson: number 2 of "embedding" is missing, or not within/,
    ],
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
    ['{"content":"x","id":{}}', /^line 2 of bad.ndjson: "id" is no text/],
    [
      '{"content":"x","created_at":"yesterday"}',
      /^line 2 of bad.ndjson: "created_at" is neither a number of Unix seconds/,
    ],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /^line 2 of bad.ndjson: it is not valid UTF-8/],
    ['{"object":"vector_store","name":"x"}', /^line 2 of bad.ndjson: it is no vector store: .*id/],
  ])("a broken line is told by its number: %s", async (line, message) => {
    const path = file("bad.ndjson", Buffer.concat([Buffer.from('{"content":"x"}\n'), Buffer.from(line)]));
    await expect(rowsOf([path])).rejects.toThrow(message);
  });
});

describe("CSV", () => {
  test("has quoted cells, JSON and base64; empty cells are none", async () => {
    const path = file(
      "rows.csv",
      `\ufeffid,content,embedding,metadata,created_at,lang\r\n` +
        `a,"a ""quoted""\ntext","[0.5, -2]","{""n"": 12345678901234567890}",2026-01-31,de\r\n` +
        `,größe,${base64},,1750000000,\r\n`,
    );
    const rows = await rowsOf([path], { columns: { metadataColumns: ["lang"] } });
    expect(rows.map((row) => [row.id, row.content, row.metadata, row.createdAt, numbers(row)])).toEqual([
      ["a", 'a "quoted"\ntext', '{"n": 12345678901234567890,"lang":"de"}', Date.parse("2026-01-31") * 1000, [0.5, -2]],
      [null, "größe", null, 1750000000_000000, [0.5, -2]],
    ]);
    expect(rows.map((row) => row.at)).toEqual(["row 1 of rows.csv", "row 2 of rows.csv"]);
  });

  test("tabs in .tsv, and any delimiter that is named", async () => {
    expect((await rowsOf([file("t.tsv", "content\tid\nx y\t1\n")])).map((row) => [row.id, row.content])).toEqual([
      ["1", "x y"],
    ]);
    expect((await rowsOf([file("s.csv", "content;id\nx;1\n")], { delimiter: ";" })).map((row) => row.id)).toEqual([
      "1",
    ]);
  });

  test.each([
    ["text,id\nx,1\n", /^--content-column: bad.csv has no column "content" \(its first row has: text, id\)/],
    ["content,id\nx,1\ny\n", /^row 2 of bad.csv: it has 1 columns, and the first row has 2/],
    ['content,id\nx,1\n"y,2\n', /^row 2 of bad.csv: it cannot be read/],
    ['content,embedding\nx,[1]\ny,"[1,x]"\n', /^row 2 of bad.csv: "embedding" is no array of numbers/],
    [Buffer.from("content\n\xff\n", "latin1"), /^bad.csv: it is not valid UTF-8/],
  ])("what is wrong is told by its row: %s", async (text, message) => {
    await expect(rowsOf([file("bad.csv", text)])).rejects.toThrow(message);
  });
});

describe("Parquet, as others write it", () => {
  const fixture = (name: string) => join("test/rows/fixtures", name);
  const vectors = JSON.parse(readFileSync(fixture("vectors.json"), "utf8")) as number[][];
  const metadataOf = (i: number) => ({ n: i, tag: i % 2 === 1 ? "größe" : "x" });

  test.each(["pandas.parquet", "polars.parquet", "duckdb.parquet", "pyarrow-v2.parquet"])("%s", async (name) => {
    const rows = await rowsOf([fixture(name)]);
    expect(rows.map(numbers)).toEqual(vectors);
    expect(rows.map((row) => row.id)).toEqual(vectors.map((_, i) => `row-${i}`));
    expect(rows.map((row) => row.content)).toEqual(vectors.map((_, i) => `Zeile ${i}`));
    expect(rows.map((row) => row.createdAt)).toEqual(vectors.map((_, i) => 1750000000123456 + i * 1e6));
    expect(rows.map((row) => row.metadata)).toEqual(
      vectors.map((_, i) => `{"n": ${i}, "tag": "${metadataOf(i).tag}", "big": 12345678901234567890123}`),
    );
    expect(rows.map((row) => row.at)).toEqual(vectors.map((_, i) => `row ${i + 1} of ${name}`));
  });

  test("metadata in columns of its own, vectors of doubles, several row groups", async () => {
    const rows = await rowsOf([fixture("pandas-struct.parquet")]);
    expect(rows.map(numbers)).toEqual(vectors);
    expect(rows.map((row) => JSON.parse(row.metadata ?? "") as object)).toEqual(vectors.map((_, i) => metadataOf(i)));
  });

  test("vectors as bytes, ids as numbers, columns that become metadata", async () => {
    const rows = await rowsOf([fixture("binary.parquet")], { columns: { metadataColumns: ["lang", "n"] } });
    expect(rows.map(numbers)).toEqual(vectors);
    expect(rows.slice(0, 2).map((row) => [row.id, row.metadata])).toEqual([
      ["0", '{"lang":"de","n":0}'],
      ["1", '{"lang":"en","n":1}'],
    ]);
  });

  test("rows without a vector, rows that pages divide", async () => {
    const rows = await rowsOf([fixture("nulls.parquet")]);
    expect(rows.map(numbers)).toEqual(vectors.map((vector, i) => (i % 10 === 3 ? null : vector)));
  });

  test("a file that ends early, is none or lacks the text is refused by its name", async () => {
    const cut = file("cut.parquet", readFileSync(fixture("pandas.parquet")));
    truncateSync(cut, 2000);
    await expect(rowsOf([cut])).rejects.toThrow(/^cut.parquet: it is no Parquet file that can be read/);
    await expect(rowsOf([file("none.parquet", "x")])).rejects.toThrow(/^none.parquet: .*ends too early/);
    await expect(rowsOf([fixture("pandas.parquet")], { columns: { content: "text" } })).rejects.toThrow(
      /^--content-column: pandas.parquet has no column "text" \(it has: id, content, embedding, metadata, created_at\)/,
    );
    // Its footer is there, a page is not.
    const whole = readFileSync(fixture("pandas.parquet"));
    await expect(
      rowsOf([file("hole.parquet", Buffer.concat([whole.subarray(0, 4), Buffer.alloc(900), whole.subarray(904)]))]),
    ).rejects.toThrow(/^hole.parquet: it is no Parquet file that can be read/);
  });
});

describe("files", () => {
  test("are told apart by their endings, else by --format", async () => {
    const path = file("rows.txt", '{"content":"x"}\n');
    await expect(open([path])).rejects.toThrow(/does not end in \.ndjson.*--format/);
    expect(await rowsOf([path], { format: "ndjson" })).toHaveLength(1);
    await expect(open([join(directory, "absent.csv")])).rejects.toThrow(/absent\.csv: there is no such file/);
    await expect(open([directory])).rejects.toThrow(/it has no manifest\.json/);
    await expect(open([file("x.parquet.gz", "")])).rejects.toThrow(/take the \.gz off/);
  });

  test.each(["ndjson", "csv", "parquet", "ndjson.gz"])("can be gone on with after every page: %s", async (format) => {
    const count = 2500;
    const row = (i: number) => ({
      id: `r${i}`,
      content: i % 5 === 0 ? `line\nof ${i} "größe"` : `text ${i}`,
      embedding: [i, 1],
    });
    const ndjson = Array.from({ length: count }, (_, i) => JSON.stringify(row(i))).join("\n");
    const csv = Array.from(
      { length: count },
      (_, i) => `r${i},"${row(i).content.replaceAll('"', '""')}","[${i},1]"`,
    ).join("\n");
    const content = { ndjson, csv: `id,content,embedding\n${csv}\n`, "ndjson.gz": gzipSync(ndjson) };
    const paths =
      format === "parquet"
        ? [join("test/rows/fixtures", "pyarrow-v2.parquet"), join("test/rows/fixtures", "pandas-struct.parquet")]
        : [
            file(`one.${format}`, content[format as keyof typeof content]),
            file(`two.${format}`, content[format as keyof typeof content]),
          ];
    const pages = await pagesOf(paths);
    const all = pages.flatMap((page) => page.rows);
    expect(all).toHaveLength(format === "parquet" ? 80 : 2 * count);
    expect(pages.length).toBeGreaterThan(2);
    for (const [i, page] of pages.entries()) {
      const before = pages.slice(0, i + 1).reduce((sum, each) => sum + each.rows.length, 0);
      const position = JSON.parse(JSON.stringify(page.position)) as unknown;
      expect(await rowsOf(paths, { after: position })).toEqual(all.slice(before));
    }
    if ((await open(paths)).total === null) return;
    const dones = pages.map((page) => page.done);
    expect(dones).toEqual([...dones].sort((a, b) => a - b));
  });
});
