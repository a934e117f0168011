import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesOfExport, openDirectoryOutput } from "../../src/rows/exportDirectory.js";
import { type ExportFormat, type WrittenRows, exportFormats } from "../../src/rows/exportFile.js";
import { type TransferStore, noChecksum } from "../../src/words/rows.js";
import { checksumOf, pagesAfter, pagesOf, rowsOfPages, stores } from "./exportPages.js";
import { type TemporaryDirectory, openRows, readPages, temporaryDirectory } from "./support.js";
import { keptOf } from "./transferArbitraries.js";

const pages = pagesOf(7);

let directory: TemporaryDirectory;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const path = () => join(directory.path, "export");
const open = (format: ExportFormat, options: { overwrite?: boolean; identity?: string } = {}) =>
  openDirectoryOutput(path(), {
    format,
    vectors: "base64",
    rowsOnly: false,
    overwrite: false,
    identity: "a",
    rowsPerFile: 5,
    stores,
    ...options,
  });

async function interrupt(format: ExportFormat, written: readonly WrittenRows[], options = {}) {
  const output = await open(format, options);
  for (const page of written) await output.write(page);
  await output.leave();
}

async function complete(format: ExportFormat, options = {}) {
  const output = await open(format, options);
  for (const page of pagesAfter(pages, output)) await output.write(page);
  return { files: await output.finish(), begun: output.begun };
}

interface Manifest {
  finished: boolean;
  rows: number;
  checksum: string;
  files: { name: string; rows: number; checksum: string }[];
  stores: object[];
}
const manifestOf = () => JSON.parse(readFileSync(join(path(), "manifest.json"), "utf8")) as Manifest;

/** Each store once, as its last description has it. */
const storesOf = (told: readonly TransferStore[]) => [...new Map(told.map((store) => [store.id, store])).values()];

/** Files of six rows (two pages) each, and everything in them. */
async function expectWhole(format: ExportFormat): Promise<void> {
  const names = [1, 2, 3, 4].map((number) => `part-0000${number}.${format}`);
  expect(readdirSync(path()).sort()).toEqual(["manifest.json", ...names]);
  expect(manifestOf()).toMatchObject({
    finished: true,
    rows: 21,
    checksum: checksumOf(pages),
    files: names.map((name, i) => ({
      name,
      rows: i === 3 ? 3 : 6,
      checksum: checksumOf(pages.slice(2 * i, 2 * i + 2)),
    })),
    stores: stores.map(({ id, name }) => ({ object: "vector_store", id, name })),
  });
  const read = await readPages([path()]);
  expect(keptOf(read.flatMap((page) => page.rows))).toEqual(rowsOfPages(pages));
  expect(storesOf(read.flatMap((page) => page.stores))).toEqual(stores);
}

describe.each(exportFormats)("a directory of %s", (format) => {
  test("has files of at least the rows asked for, and a manifest", async () => {
    const { files, begun } = await complete(format);
    expect(begun).toEqual({ position: null, rows: 0, checksum: noChecksum });
    expect(files).toEqual([
      ...[1, 2, 3, 4].map((number) => join(path(), `part-0000${number}.${format}`)),
      join(path(), "manifest.json"),
    ]);
    await expectWhole(format);
  });

  test("continues after an interruption at any page", async () => {
    for (let count = 0; count <= pages.length; count += 1) {
      await interrupt(format, pages.slice(0, count));
      expect(manifestOf().finished).toBe(false);
      const { begun } = await complete(format);
      // Parquet begins its last file again.
      const kept = format === "parquet" ? Math.max(0, 2 * Math.ceil(count / 2) - 2) : count;
      expect(begun).toEqual({
        position: kept === 0 ? null : { page: kept - 1 },
        rows: 3 * kept,
        checksum: checksumOf(pages.slice(0, kept)),
      });
      await expectWhole(format);
      rmSync(path(), { recursive: true });
    }
  });

  test("continues if it was killed between a file and the manifest", async () => {
    await interrupt(format, pages.slice(0, 1));
    copyFileSync(join(path(), "manifest.json"), join(directory.path, "before"));
    const output = await open(format);
    for (const page of pagesAfter(pages.slice(0, 3), output)) await output.write(page);
    await output.leave();
    // The first file is complete, and the manifest does not know it.
    copyFileSync(join(directory.path, "before"), join(path(), "manifest.json"));
    for (const name of readdirSync(path())) if (name.startsWith("part-00002")) rmSync(join(path(), name));
    expect((await complete(format)).begun.rows).toBe(0);
    await expectWhole(format);
  });

  test("is not written again without --overwrite, and then starts over", async () => {
    await complete(format);
    await expect(open(format)).rejects.toThrow(/export: already has a finished export.*--overwrite/);
    expect((await complete(format, { overwrite: true })).begun.rows).toBe(0);
    await expectWhole(format);
  });

  test("starts over if the interrupted export is another one", async () => {
    await interrupt(format, pages.slice(0, 5), { identity: "b" });
    expect((await complete(format)).begun.rows).toBe(0);
    await expectWhole(format);
  });

  test("may have no rows", async () => {
    const output = await open(format);
    await output.finish();
    expect(manifestOf()).toMatchObject({ finished: true, rows: 0, checksum: noChecksum });
    expect((await readPages([path()])).flatMap((page) => page.rows)).toEqual([]);
  });
});

describe("reading a directory", () => {
  test("needs a finished export", async () => {
    await expect(filesOfExport(directory.path)).rejects.toThrow(/has no manifest\.json: name its files/);
    await interrupt("ndjson", pages.slice(0, 3));
    await expect(openRows([path()])).rejects.toThrow(/export: has an unfinished export\. Run the same export again/);
    await complete("ndjson");
    expect(await filesOfExport(path())).toHaveLength(4);
  });

  test.each(["", "{}", "[1]", '{"object": "vector_store.export", "format": "xlsx"}'])(
    "refuses the manifest %j, and so does writing",
    async (text) => {
      await complete("ndjson");
      writeFileSync(join(path(), "manifest.json"), text);
      const message = /manifest\.json: is not the manifest of an export\. Name another directory/;
      await expect(filesOfExport(path())).rejects.toThrow(message);
      await expect(open("ndjson", { overwrite: true })).rejects.toThrow(message);
    },
  );
});
