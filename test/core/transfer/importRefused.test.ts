import { describe, expect, test } from "@jest/globals";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import type { TransferRow } from "../../../src/words/rows.js";
import { testVector } from "../../support/vectors.js";
import { batchPath, countsOf, createStore, rowsInTable, storedRows } from "../../support/stores.js";
import { importInto, sourceOf, transferRow } from "../../support/transfer.js";
import { service, rows, bytes } from "./importSupport.js";

describe("an error names the row that cannot be imported, and its page is not written", () => {
  const refused: [string, Partial<TransferRow>, RegExp][] = [
    [
      "another length",
      { vector: toNetworkOrder(Float32Array.of(1, 2)) },
      /^row 0: its embedding has 2 dimensions, and the vector store '.*' has 8/,
    ],
    ["no embedding", { vector: null }, /^row 0: it has no embedding\. With --embed/],
    ["U+0000 in the content", { content: "a\0b" }, /^row 0: its content holds the character U\+0000/],
    ["half a character", { content: "a\ud800" }, /^row 0: its content holds half a character/],
    ["U+0000 in the id", { id: "a\0b" }, /^row 0: its id holds the character U\+0000/],
  ];
  test.each(refused)("%s", async (_, overrides, message) => {
    const store = await createStore(service);
    await expect(importInto(service, sourceOf([transferRow(0, overrides), transferRow(1)]), { store })).rejects.toThrow(
      message,
    );
    expect(await rowsInTable(service)).toBe(0);
  });

  const metadata: [string, RegExp][] = [
    ['{"a":', /^row 13: its metadata is not JSON that PostgreSQL can store/],
    ['{"a": "\\u0000"}', /^row 13: its metadata is not JSON that PostgreSQL can store/],
    ['{"a": "\\ud800"}', /^row 13: its metadata is not JSON that PostgreSQL can store/],
  ];
  test.each(metadata)("metadata %s, in the middle of a page", async (text, message) => {
    const store = await createStore(service);
    const all = rows(20, (n) => (n === 13 ? { metadata: text } : {}));
    await expect(importInto(service, sourceOf(all, { pageRows: 20 }), { store })).rejects.toThrow(message);
    expect(await rowsInTable(service)).toBe(0);
  });

  test("a row that a table's constraint refuses is named; others of its page may be stored", async () => {
    const store = await createStore(service);
    await service.database.exec("ALTER TABLE embeddings ADD CONSTRAINT no_secrets CHECK (content <> 'secret')");
    try {
      const all = rows(20, (n) => (n === 13 ? { content: "secret" } : {}));
      await expect(importInto(service, sourceOf(all, { pageRows: 20 }), { store })).rejects.toThrow(
        /^row 13: .*check constraint/,
      );
      const after = await countsOf(service, store);
      expect(after.rows).toBe(await rowsInTable(service));
      expect(after.rows).toBeGreaterThan(0);
      const fixed = rows(20, (n) => (n === 13 ? { content: "no secret" } : {}));
      expect((await importInto(service, sourceOf(fixed, { pageRows: 20 }), { store })).counts).toMatchObject({
        read: 20,
      });
      expect(await countsOf(service, store)).toEqual({ rows: 20, bytes: bytes(fixed) });
    } finally {
      await service.database.exec("ALTER TABLE embeddings DROP CONSTRAINT no_secrets");
    }
  });

  test("an id that exists with other content, with the flags that help", async () => {
    const store = await createStore(service);
    await service
      .post(batchPath(store), { embeddings: [{ id: "row-3", content: "mine", embedding: testVector(1, 8) }] })
      .expect(200);
    await expect(importInto(service, sourceOf(rows(10)), { store })).rejects.toThrow(
      /^row 3: its id 'row-3' exists already with other content, metadata or embedding\. .*--id-prefix.*--on-conflict skip/,
    );
    const skipped = await importInto(service, sourceOf(rows(10)), { store, onConflict: "skip" });
    expect(skipped).toMatchObject({ skippedRows: ["row 3"], counts: { read: 10, skipped: 1 } });
    expect(skipped.counts.storedChecksum).toBe(skipped.counts.readChecksum);
    expect((await countsOf(service, store)).rows).toBe(10);
    const prefixed = await importInto(service, sourceOf(rows(10)), { store, idPrefix: "old-" });
    expect(prefixed.counts.added).toBe(10);
    expect((await storedRows(service, store)).map((row) => row.id)).toContain("old-row-3");
  });

  test("a row that the database stored differently: its page is not kept", async () => {
    const store = await createStore(service);
    await service.database.exec(`
      CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.id = 'row-13' THEN NEW.content := 'meddled with'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER meddles BEFORE INSERT ON embeddings FOR EACH ROW EXECUTE FUNCTION meddle()`);
    try {
      await expect(importInto(service, sourceOf(rows(20)), { store })).rejects.toThrow(
        /^row 13: the database has it differently from what was read \(id row-13\)\. Nothing of its page was kept/,
      );
      const kept = await storedRows(service, store);
      expect(kept.map((row) => row.id)).not.toContain("row-13");
      expect(await countsOf(service, store)).toMatchObject({ rows: kept.length });
      // Without verification it goes unnoticed.
      const unverified = await importInto(service, sourceOf(rows(20)), { store, verify: false, onConflict: "skip" });
      expect(unverified).toMatchObject({ finished: true, verified: false });
    } finally {
      await service.database.exec("DROP TRIGGER meddles ON embeddings; DROP FUNCTION meddle()");
    }
  });
});
