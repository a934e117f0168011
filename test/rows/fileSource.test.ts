import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type TemporaryDirectory, openRows, readPages, readRows, temporaryDirectory } from "./support.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => {
  directory.remove();
});

describe("a source of files", () => {
  test("recognises formats by the file name's extension, or by --format", async () => {
    const path = directory.file("rows.txt", '{"content":"x"}\n');
    await expect(openRows([path])).rejects.toThrow(/does not end in \.ndjson.*--format/);
    expect(await readRows([path], { format: "ndjson" })).toHaveLength(1);
    await expect(openRows([join(directory.path, "absent.csv")])).rejects.toThrow(/absent\.csv: there is no such file/);
    await expect(openRows([directory.path])).rejects.toThrow(/has no manifest\.json/);
    await expect(openRows([directory.file("x.parquet.gz", "")])).rejects.toThrow(/unpack the \.gz/);
  });

  test.each(["ndjson", "csv", "parquet", "ndjson.gz"])("can be continued after every page: %s", async (format) => {
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
            directory.file(`one.${format}`, content[format as keyof typeof content]),
            directory.file(`two.${format}`, content[format as keyof typeof content]),
          ];
    const pages = await readPages(paths);
    const all = pages.flatMap((page) => page.rows);
    expect(all).toHaveLength(format === "parquet" ? 80 : 2 * count);
    expect(pages.length).toBeGreaterThan(2);
    for (const [i, page] of pages.entries()) {
      const before = pages.slice(0, i + 1).reduce((sum, each) => sum + each.rows.length, 0);
      const position = JSON.parse(JSON.stringify(page.position)) as unknown;
      expect(await readRows(paths, { after: position })).toEqual(all.slice(before));
    }
    if ((await openRows(paths)).total === null) return;
    const dones = pages.map((page) => page.done);
    expect(dones).toEqual([...dones].sort((a, b) => a - b));
  });

  test("adds up the sizes of its files, unless one is unknown", async () => {
    const [one, two] = [directory.file("1.ndjson", '{"content":"x"}\n'), directory.file("2.csv", "content\ny\n")];
    const source = await openRows([one, two]);
    expect(source).toMatchObject({ name: "1.ndjson, 2.csv", repeatable: true, total: { amount: 26, unit: "bytes" } });
    expect((await readPages([one, two])).map((page) => page.done)).toEqual([16, 26]);
    expect((await openRows([one, directory.file("3.csv.gz", gzipSync("content\n"))])).total).toBeNull();
    expect(await openRows([one, "-"])).toMatchObject({ total: null, repeatable: false });
  });

  test("has another identity if a file's content or the columns change", async () => {
    const path = directory.file("same.ndjson", '{"content":"x"}\n');
    const identityOf = async (options = {}) => JSON.stringify((await openRows([path], options)).identity);
    const before = await identityOf();
    expect(await identityOf()).toBe(before);
    expect(await identityOf({ columns: { content: "text" } })).not.toBe(before);
    directory.file("same.ndjson", '{"content":"y"}\n');
    expect(await identityOf()).not.toBe(before);
  });

  test("refuses a broken .gz, other formats on standard input, and a file that cannot be opened", async () => {
    const broken = directory.file("broken.ndjson.gz", gzipSync('{"content":"x"}\n').subarray(0, -6));
    await expect(readRows([broken])).rejects.toThrow(/broken\.ndjson\.gz: cannot be unpacked/);
    await expect(readRows([directory.file("no.csv.gz", "content\nx\n")])).rejects.toThrow(
      /no\.csv\.gz: cannot be unpacked/,
    );
    await expect(openRows(["-"], { format: "csv" })).rejects.toThrow(/only NDJSON can be read from standard input/);
    const file = directory.file("file", "");
    await expect(openRows([join(file, "x.csv")])).rejects.toThrow(/x\.csv: cannot be read \(ENOTDIR\)/);
  });
});
