import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type ExportRequest, exportRows, storesToExport } from "../../../src/core/transfer/exportRows.js";
import { openDirectoryOutput } from "../../../src/rows/exportDirectory.js";
import { type ExportFormat, type ExportOutput, openFileOutput } from "../../../src/rows/exportFile.js";
import { openFiles } from "../../../src/rows/fileSource.js";
import type { VectorText } from "../../../src/rows/rowWriter.js";
import { addChecksums, noChecksum } from "../../../src/words/rows.js";
import { temporaryDirectory } from "../../cli/support.js";
import { contentOf, insertSql } from "../../cli/transferSupport.js";
import { type RandomRow, randomRows } from "../../support/randomRows.js";
import { type TestService, startService } from "../../support/service.js";
import { importInto } from "../../support/transfer.js";

let here: TestService;
let there: TestService;
let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  [here, there] = [await startService(), await startService()];
  directory = temporaryDirectory();
});
afterAll(async () => {
  directory.remove();
  await here.close();
  await there.close();
});

const stores = `
  INSERT INTO vector_stores (id, name, description, metadata, expires_after, owner_user_id, embedding_dimensions, search_settings, created_at, vectors_complete)
  VALUES ('vs_one', 'Größe "1"', 'first', '{"team": "a", "n": 12345678901234567890}', '{"anchor": "last_active_at", "days": 30}', 'user-1', 8,
          '{"mode": "hybrid", "language": "english"}', '2025-01-02 03:04:05.678901+00', true),
         ('vs_empty', '', NULL, '{}', NULL, NULL, 8, '{}', '2025-01-02 03:04:06+00', true)`;

const clear = async () => {
  for (const { database } of [here, there])
    await database.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports");
};

const columns = {
  id: "id",
  content: "content",
  embedding: "embedding",
  metadata: "metadata",
  metadataColumns: [],
  createdAt: "created_at",
  store: "vector_store_id",
};

const read = async (path: string) => openFiles([path], { columns, format: null, delimiter: null }, Readable.from([]));

let number = 0;
const fresh = (ending: string) => join(directory.path, `${(number += 1)}${ending}`);

async function writeAll(output: ExportOutput): Promise<string> {
  const request: ExportRequest = { stores: null, filter: null, withVectors: true };
  const found = await storesToExport(here.deps, request);
  let checksum = noChecksum;
  for await (const page of exportRows(here.deps, found.stores, request, null, new AbortController().signal)) {
    await output.write(page);
    checksum = addChecksums(checksum, page.checksum);
  }
  await output.finish();
  return checksum;
}

async function fill(rows: readonly RandomRow[]): Promise<void> {
  await clear();
  await here.database.exec(stores);
  await here.database.exec(insertSql("vs_one", rows));
}

async function expectSame(path: string, rows: readonly RandomRow[], checksum: string): Promise<void> {
  const result = await importInto(there, await read(path));
  expect(result).toMatchObject({ finished: true, verified: true, counts: { read: rows.length, added: rows.length } });
  expect(result.counts).toMatchObject({ readChecksum: checksum, storedChecksum: checksum });
  expect(await contentOf(there.database)).toEqual(await contentOf(here.database));
  const again = await importInto(there, await read(path));
  expect(again.counts).toMatchObject({ added: 0, duplicates: rows.length });
}

describe("rows of any kind stay the same when exported and imported elsewhere", () => {
  const forms: [ExportFormat, VectorText][] = [
    ["ndjson", "base64"],
    ["ndjson", "numbers"],
    ["ndjson.gz", "base64"],
    ["parquet", "base64"],
  ];
  test.each(forms)("%s, vectors as %s", async (format, vectors) => {
    await fc.assert(
      fc.asyncProperty(randomRows({ minLength: 0, maxLength: 80 }), async (rows) => {
        await fill(rows);
        const path = fresh(`.${format}`);
        const options = { format, vectors, rowsOnly: false, overwrite: false, identity: "" };
        await expectSame(path, rows, await writeAll(await openFileOutput(path, options)));
      }),
      { numRuns: 15 },
    );
  });

  test.each(["ndjson.gz", "parquet"] as const)("a directory of %s", async (format) => {
    await fc.assert(
      fc.asyncProperty(randomRows({ minLength: 0, maxLength: 200 }), async (rows) => {
        await fill(rows);
        const path = fresh("");
        const found = await storesToExport(here.deps, { stores: null, filter: null, withVectors: true });
        const options = {
          format,
          vectors: "base64",
          rowsOnly: false,
          overwrite: false,
          identity: "",
          rowsPerFile: 50,
        } as const;
        await expectSame(
          path,
          rows,
          await writeAll(await openDirectoryOutput(path, { ...options, stores: found.stores })),
        );
      }),
      { numRuns: 5 },
    );
  });

  test("CSV from another program", async () => {
    const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(randomRows({ minLength: 1, maxLength: 80 }), async (random) => {
        // CSV cannot tell an empty text from a missing one.
        const rows = random.filter((row) => row.content !== "");
        await fill(rows);
        const path = fresh(".csv");
        const lines = rows.map((row) =>
          [
            row.id,
            row.content,
            row.metadata ?? "",
            JSON.stringify(row.embedding),
            new Date(row.micros / 1000).toISOString().replace("Z", ""),
          ]
            .map(cell)
            .join(","),
        );
        writeFileSync(path, `id,content,metadata,embedding,created_at\r\n${lines.join("\r\n")}\r\n`);
        const store =
          "INSERT INTO vector_stores (id, name, embedding_dimensions, vectors_complete) VALUES ('vs_one', 'x', 8, true)";
        await there.database.exec(store);
        const result = await importInto(there, await read(path), { store: "vs_one" });
        expect(result.counts).toMatchObject({ read: rows.length, added: rows.length });
        const millis = (content: Awaited<ReturnType<typeof contentOf>>) =>
          (content.rows as { micros: string }[]).map((row) => ({ ...row, micros: row.micros.slice(0, -3) }));
        expect(millis(await contentOf(there.database))).toEqual(millis(await contentOf(here.database)));
      }),
      { numRuns: 15 },
    );
  });
});
