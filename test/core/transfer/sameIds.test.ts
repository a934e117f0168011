import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type ExportRequest, exportRows, storesToExport } from "../../../src/core/transfer/exportRows.js";
import { type ExportFormat, openFileOutput } from "../../../src/rows/exportFile.js";
import { openFiles } from "../../../src/rows/fileSource.js";
import { temporaryDirectory } from "../../cli/support.js";
import { contentOf } from "../../cli/transferSupport.js";
import { type TestService, startService } from "../../support/service.js";
import { createStore, recordingLitellm, searchStore, storedRows } from "../../support/stores.js";
import { importInto, sourceOf, transferRow } from "../../support/transfer.js";

/** Imports and exports of stores that have rows with the same ids. */

const { litellm, asked } = recordingLitellm((text) => text.length);

let here: TestService;
let there: TestService;
let directory: ReturnType<typeof temporaryDirectory>;
beforeAll(async () => {
  [here, there] = [await startService({ litellm }), await startService()];
  directory = temporaryDirectory();
});
afterAll(async () => {
  directory.remove();
  await here.close();
  await there.close();
});

/** Rows of two stores in turn: each id twice, one after the other, so that a page has both. */
const rowsOf = (stores: readonly string[], count: number, unlike = (store: number) => `of ${store}`) =>
  Array.from({ length: count }, (_, n) =>
    stores.map((storeId, which) =>
      transferRow(n, {
        storeId,
        at: `row ${n} of ${which}`,
        key: `${which} ${n}`,
        content: `${n} ${unlike(which)}`,
        vector: transferRow(100 * which + n).vector,
      }),
    ),
  ).flat();

describe("an import", () => {
  test("gives each store its own row, and recognises both again", async () => {
    const stores = [await createStore(here), await createStore(here)];
    const rows = rowsOf(stores, 25);
    const first = await importInto(here, sourceOf(rows));
    expect(first).toMatchObject({ verified: true, counts: { read: 50, added: 50, duplicates: 0 } });
    expect(first.counts.storedChecksum).toBe(first.counts.readChecksum);
    const again = await importInto(here, sourceOf(rows, { name: "again" }));
    expect(again.counts).toMatchObject({ read: 50, added: 0, duplicates: 50 });
    for (const [which, store] of stores.entries()) {
      const stored = await storedRows(here, store);
      expect(stored).toHaveLength(25);
      for (const { content } of stored) expect(content).toMatch(new RegExp(` of ${which}$`));
      const [found] = await searchStore(here, store, "7", { search_mode: "keyword", max_num_results: 1 });
      expect(found).toMatchObject({ id: "row-7", content: [{ text: `7 of ${which}` }] });
    }
  });

  test("goes on beside rows that one of the stores has, and names the one that differs", async () => {
    const stores = [await createStore(here), await createStore(here)];
    const rows = rowsOf(stores, 5);
    await importInto(here, sourceOf(rows.filter(({ storeId }) => storeId === stores[0])));
    const rest = await importInto(here, sourceOf(rows, { name: "both" }));
    expect(rest.counts).toMatchObject({ added: 5, duplicates: 5 });
    const changed = rows.map((row) => (row.at === "row 3 of 1" ? { ...row, content: "changed" } : row));
    await expect(importInto(here, sourceOf(changed, { name: "changed" }))).rejects.toThrow(
      /^row 3 of 1: its id 'row-3' exists already with other content, metadata or embedding\./,
    );
  });

  test("embeds rows of the same id and text for each store, once", async () => {
    const stores = [await createStore(here), await createStore(here)];
    const rows = rowsOf(stores, 4, () => "alike").map((row) => ({ ...row, vector: null }));
    asked.length = 0;
    const request = { embed: true };
    expect((await importInto(here, sourceOf(rows, { name: "embedded" }), request)).counts).toMatchObject({ added: 8 });
    expect(asked).toHaveLength(8);
    const again = await importInto(here, sourceOf(rows, { name: "embedded again" }), request);
    expect(again.counts).toMatchObject({ added: 0, duplicates: 8 });
    expect(asked).toHaveLength(8);
  });

  test("of the same rows by several at once stores each once", async () => {
    const stores = [await createStore(here), await createStore(here)];
    const rows = rowsOf(stores, 40);
    const runs = [rows, rows.toReversed(), rows].map((some, n) =>
      importInto(here, sourceOf(some, { name: `run ${n} ${stores[0]}`, pageRows: 16 })),
    );
    const counts = (await Promise.all(runs)).map((run) => run.counts);
    expect(counts.reduce((sum, { added }) => sum + added, 0)).toBe(80);
    for (const each of counts) expect(each.storedChecksum).toBe(each.readChecksum);
  });
});

describe("an export of stores with the same ids", () => {
  test.each<ExportFormat>(["ndjson", "parquet"])("as %s is imported elsewhere as it was", async (format) => {
    for (const { database } of [here, there])
      await database.exec("DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports");
    const stores = [await createStore(here, { name: "one" }), await createStore(here, { name: "two" })];
    await importInto(here, sourceOf(rowsOf(stores, 30)));
    const path = join(directory.path, `both.${format}`);
    const options = { format, vectors: "base64", rowsOnly: false, overwrite: false, identity: "" } as const;
    const output = await openFileOutput(path, options);
    const request: ExportRequest = { stores: null, filter: null, withVectors: true };
    const found = await storesToExport(here.deps, request);
    for await (const page of exportRows(here.deps, found.stores, request, null, new AbortController().signal))
      await output.write(page);
    await output.finish();
    const columns = {
      ...{ id: "id", content: "content", embedding: "embedding", metadata: "metadata", metadataColumns: [] },
      ...{ createdAt: "created_at", store: "vector_store_id" },
    };
    const source = await openFiles([path], { columns, format: null, delimiter: null }, Readable.from([]));
    const imported = await importInto(there, source);
    expect(imported).toMatchObject({ verified: true, counts: { read: 60, added: 60 } });
    const sorted = async (service: TestService) => {
      const { rows } = await contentOf(service.database);
      return (rows as Record<string, string>[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    };
    expect(await sorted(there)).toEqual(await sorted(here));
  });
});
