import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fromNetworkOrder, toNetworkOrder } from "../../src/numbers/float32.js";
import { type ExportFormat, exportFormats, openFileOutput } from "../../src/rows/exportFile.js";
import type { VectorText } from "../../src/rows/rowWriter.js";
import { type TransferRow, type TransferStore, noChecksum } from "../../src/words/rows.js";
import { type TemporaryDirectory, numbersOf, readPages, readRows, temporaryDirectory } from "./support.js";
import { anyRows, anyStore, anyText, anyVector, keptOf } from "./transferArbitraries.js";

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  for (const format of exportFormats) rmSync(join(directory.path, `out.${format}`), { force: true });
});
afterAll(() => {
  directory.remove();
});

interface Written {
  store: TransferStore;
  rows: readonly TransferRow[];
}
const anyWritten: fc.Arbitrary<Written> = anyStore.chain((store) =>
  fc.record({ store: fc.constant(store), rows: anyRows(store.id, { minLength: 1, maxLength: 20 }) }),
);

/** Writes rows in pages of three, and reads the file. */
async function writeAndRead(
  format: ExportFormat,
  { store, rows }: Written,
  { vectors = "base64", rowsOnly = false }: { vectors?: VectorText; rowsOnly?: boolean } = {},
) {
  const path = join(directory.path, `out.${format}`);
  const output = await openFileOutput(path, { format, vectors, rowsOnly, overwrite: true, identity: "x" });
  for (let from = 0; from < rows.length; from += 3) {
    await output.write({ store, rows: rows.slice(from, from + 3), position: from, checksum: noChecksum });
  }
  expect(await output.finish()).toEqual([path]);
  const pages = await readPages([path]);
  return { rows: keptOf(pages.flatMap((page) => page.rows)), stores: pages.flatMap((page) => page.stores) };
}

describe("rows and their store come back as they were", () => {
  test.each(exportFormats)("%s", async (format) => {
    await fc.assert(
      fc.asyncProperty(anyWritten, async (written) => {
        expect(await writeAndRead(format, written)).toEqual({ rows: written.rows, stores: [written.store] });
      }),
      { numRuns: 25 },
    );
  });

  test("ndjson with vectors as numbers, in which a zero loses its sign", async () => {
    const unsigned = (vector: Buffer | null) =>
      vector && toNetworkOrder(fromNetworkOrder(vector).map((number) => (number === 0 ? 0 : number)));
    await fc.assert(
      fc.asyncProperty(anyWritten, async (written) => {
        const rows = written.rows.map((row) => ({ ...row, vector: unsigned(row.vector) }));
        expect((await writeAndRead("ndjson", written, { vectors: "numbers" })).rows).toEqual(rows);
      }),
      { numRuns: 20 },
    );
  });

  test.each(exportFormats)("%s without vectors", async (format) => {
    await fc.assert(
      fc.asyncProperty(anyWritten, async (written) => {
        const rows = written.rows.map((row) => ({ ...row, vector: null }));
        expect((await writeAndRead(format, written, { vectors: "none" })).rows).toEqual(rows);
      }),
      { numRuns: 20 },
    );
  });

  test("ndjson without the store", async () => {
    await fc.assert(
      fc.asyncProperty(anyWritten, async (written) => {
        expect(await writeAndRead("ndjson", written, { rowsOnly: true })).toEqual({ rows: written.rows, stores: [] });
      }),
      { numRuns: 20 },
    );
  });

  test("parquet with several row groups", async () => {
    // 768 vectors of 1,000 numbers fill a row group.
    const rows = Array.from({ length: 1600 }, (_, i) => ({
      at: "",
      key: "",
      id: `row-${i}`,
      storeId: "vs_1",
      content: `text ${i}`,
      metadata: i % 3 === 0 ? null : `{"n": ${i}}`,
      vector: i % 7 === 0 ? null : toNetworkOrder(Float32Array.from({ length: 1000 }, (_, k) => i + k / 1000)),
      createdAt: i % 5 === 0 ? null : 1_750_000_000_123_456 + i,
    }));
    const [store] = fc.sample(anyStore, 1);
    if (store === undefined) throw new Error("no store");
    expect((await writeAndRead("parquet", { store, rows })).rows).toEqual(rows);
  });
});

describe("CSV", () => {
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const anyRow = fc.record({
    id: anyText().filter((id) => id !== ""),
    content: anyText(200),
    note: anyText(),
    vector: anyVector(3),
  });

  test.each([",", ";", "\t"])("any text comes back, with cells separated by %j", async (delimiter) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { minLength: 1, maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        fc.constantFrom("", "\ufeff"),
        async (rows, lineEnd, mark) => {
          const cells = rows.map((row) => [row.id, row.content, row.note, `[${row.vector.join(",")}]`]);
          const lines = [["id", "content", "note", "embedding"], ...cells].map((line) =>
            line.map(quoted).join(delimiter),
          );
          const path = directory.file("any.csv", `${mark}${lines.join(lineEnd)}${lineEnd}`);
          const read = await readRows([path], { delimiter, columns: { metadataColumns: ["note"] } });
          expect(read.map((row) => [row.id, row.content])).toEqual(rows.map(({ id, content }) => [id, content]));
          expect(read.map((row) => row.metadata && (JSON.parse(row.metadata) as object))).toEqual(
            // An empty cell counts as missing.
            rows.map(({ note }) => (note === "" ? null : { note })),
          );
          expect(read.map((row) => numbersOf(row)?.map((number) => number + 0))).toEqual(
            rows.map(({ vector }) => Array.from(vector, (number) => number + 0)),
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});
