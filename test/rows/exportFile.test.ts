import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { appendFileSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  type ExportFormat,
  type FileOutputOptions,
  type WrittenRows,
  exportFormats,
  openFileOutput,
} from "../../src/rows/exportFile.js";
import { createStreamOutput } from "../../src/rows/exportStream.js";
import { noChecksum } from "../../src/words/rows.js";
import { checksumOf, pagesAfter, pagesOf, rowsOfPages, stores } from "./exportPages.js";
import { type TemporaryDirectory, readPages, temporaryDirectory } from "./support.js";
import { keptOf } from "./transferArbitraries.js";

const pages = pagesOf(6);

let directory: TemporaryDirectory;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "out");
});
afterEach(() => {
  directory.remove();
});

const open = (format: ExportFormat, options: Partial<FileOutputOptions> = {}) =>
  openFileOutput(path, { format, vectors: "base64", rowsOnly: false, overwrite: false, identity: "a", ...options });

/** Writes these pages and is then interrupted. */
async function interrupt(
  format: ExportFormat,
  written: readonly WrittenRows[],
  options: Partial<FileOutputOptions> = {},
) {
  const output = await open(format, options);
  for (const page of written) await output.write(page);
  await output.leave();
}

/** Continues after what is there, to the end. @returns what the run began with */
async function complete(format: ExportFormat, options: Partial<FileOutputOptions> = {}) {
  const output = await open(format, options);
  for (const page of pagesAfter(pages, output)) await output.write(page);
  expect(await output.finish()).toEqual([path]);
  expect(readdirSync(directory.path)).toEqual(["out"]);
  return output.begun;
}

const contentOf = (format: ExportFormat) => {
  const bytes = readFileSync(path);
  return format === "ndjson.gz" ? gunzipSync(bytes).toString() : bytes.toString();
};

/** The content that a run without an interruption writes. */
async function wholeContent(format: ExportFormat): Promise<string> {
  await complete(format);
  const content = contentOf(format);
  rmSync(path);
  return content;
}

describe.each(["ndjson", "ndjson.gz"] as const)("a file of %s", (format) => {
  test("has each store before its first rows", async () => {
    const lines = (await wholeContent(format)).trimEnd().split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as { object?: string; id: string });
    expect(parsed.map(({ object, id }) => object ?? id)).toEqual([
      "vector_store",
      ...["row-0", "row-1", "row-2"],
      "vector_store",
      ...Array.from({ length: 15 }, (_, i) => `row-${i + 3}`),
    ]);
  });

  test("continues after an interruption at any page", async () => {
    const whole = await wholeContent(format);
    for (let count = 0; count <= pages.length; count += 1) {
      await interrupt(format, pages.slice(0, count));
      expect(existsSync(path)).toBe(false);
      expect(await complete(format)).toEqual({
        position: count === 0 ? null : { page: count - 1 },
        rows: 3 * count,
        checksum: checksumOf(pages.slice(0, count)),
      });
      expect(contentOf(format)).toBe(whole);
      rmSync(path);
    }
  });

  test("continues after several interruptions", async () => {
    const whole = await wholeContent(format);
    for (let page = 0; page < pages.length; page += 1) await interrupt(format, pages.slice(page, page + 1));
    expect((await complete(format)).rows).toBe(3 * pages.length);
    expect(contentOf(format)).toBe(whole);
  });

  test("drops what was written after the last note", async () => {
    const whole = await wholeContent(format);
    await interrupt(format, pages.slice(0, 2));
    appendFileSync(`${path}.partial`, '{"id": "half a ro');
    await complete(format);
    expect(contentOf(format)).toBe(whole);
  });

  test.each([
    [
      "is gone",
      (note: string) => {
        rmSync(note);
      },
    ],
    [
      "is empty",
      (note: string) => {
        writeFileSync(note, "");
      },
    ],
    [
      "is not a note",
      (note: string) => {
        writeFileSync(note, '{"identity": "a"}');
      },
    ],
  ])("starts over if the note %s", async (_, change) => {
    const whole = await wholeContent(format);
    await interrupt(format, pages.slice(0, 2));
    change(`${path}.partial.json`);
    expect(await complete(format)).toEqual({ position: null, rows: 0, checksum: noChecksum });
    expect(contentOf(format)).toBe(whole);
  });

  test("starts over if the file is gone, or the export is another one", async () => {
    const whole = await wholeContent(format);
    await interrupt(format, pages.slice(0, 2));
    rmSync(`${path}.partial`);
    expect((await complete(format)).rows).toBe(0);
    expect(contentOf(format)).toBe(whole);
    rmSync(path);
    await interrupt(format, pages.slice(0, 2), { identity: "b" });
    expect((await complete(format)).rows).toBe(0);
    expect(contentOf(format)).toBe(whole);
  });
});

test("a Parquet file starts over after an interruption", async () => {
  await interrupt("parquet", pages.slice(0, 2));
  expect(readdirSync(directory.path)).toEqual([]);
  expect(await complete("parquet")).toEqual({ position: null, rows: 0, checksum: noChecksum });
  const read = await readPages([path], { format: "parquet" });
  expect(keptOf(read.flatMap((page) => page.rows))).toEqual(rowsOfPages(pages));
  expect(read.flatMap((page) => page.stores)).toEqual(stores);
});

test.each(["ndjson", "ndjson.gz", "parquet"] as const)(
  "%s replaces an existing file only with --overwrite, and when it is complete",
  async (format) => {
    writeFileSync(path, "mine");
    await expect(open(format)).rejects.toThrow(/out: already exists\. Name another file, or add --overwrite/);
    expect(readFileSync(path, "utf8")).toBe("mine");
    await interrupt(format, pages.slice(0, 2), { overwrite: true });
    expect(readFileSync(path, "utf8")).toBe("mine");
    await complete(format, { overwrite: true });
    expect(readFileSync(path, "utf8")).not.toBe("mine");
  },
);

test.each(exportFormats)("%s without rows can be read", async (format) => {
  const output = await open(format);
  await output.finish();
  const named = join(directory.path, `out.${format}`);
  renameSync(path, named);
  expect((await readPages([named])).flatMap((page) => page.rows)).toEqual([]);
});

test("a file that cannot be written is named with the reason", async () => {
  path = join(directory.path, "no", "such", "out");
  await expect(open("ndjson")).rejects.toThrow(/out: cannot be written \(ENOENT\)/);
});

test("a stream gets the same NDJSON, from the beginning", async () => {
  const whole = await wholeContent("ndjson");
  let text = "";
  const output = createStreamOutput((part) => (text += part), { vectors: "base64", rowsOnly: false });
  expect(output.begun).toEqual({ position: null, rows: 0, checksum: noChecksum });
  for (const page of pages) await output.write(page);
  expect(await output.finish()).toEqual(["-"]);
  expect(text).toBe(whole);
});
