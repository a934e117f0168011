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
  test("tells formats by the ending of the name, or by --format", async () => {
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
});
