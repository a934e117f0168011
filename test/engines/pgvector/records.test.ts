import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { findStore } from "../../../src/db/tables/stores.js";
import { canonicalJson, copyChunks, marksOf, readPage } from "../../../src/engines/pgvector/recordRows.js";
import { keyOfChunk } from "../../../src/words/chunk.js";
import { type StoredChunk, digestOf } from "../../../src/words/rows.js";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import {
  type Columns,
  customNames,
  dropCustomTables,
  makeCustomTables,
  usualColumns,
} from "../../support/customTables.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import type { Database } from "../../../src/db/database.js";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await db.close();
  await dropCustomTables(database);
});
afterAll(() => database.drop());

const chunk = (storeId: string, overrides: Partial<StoredChunk> = {}): StoredChunk => ({
  id: "a",
  storeId,
  content: "content",
  metadata: "{}",
  vector: toNetworkOrder(Float32Array.of(1, -2, 0.5, 0, 3, 4, 5, 6)),
  createdAt: 1_700_000_000_123_456,
  ...overrides,
});

/** JSON of every kind, with numbers that JavaScript cannot represent. */
const jsonText = (): fc.Arbitrary<string> =>
  fc.letrec<{ value: string; object: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom("null", "true", "false", "0", "-0", "1e5", "1E-3", "12345678901234567890123", "1.50", "-0.00"),
      fc
        .string({ unit: "binary" })
        .filter((text) => !text.includes("\0"))
        .map((text) => JSON.stringify(text)),
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      tie("object"),
      fc.array(tie("value"), { maxLength: 4 }).map((values) => `[${values.join(", ")}]`),
    ),
    object: fc
      .array(
        fc.tuple(
          fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
          tie("value"),
        ),
        { maxLength: 5 },
      )
      .map((pairs) => `{ ${pairs.map(([key, value]) => `${JSON.stringify(key)} : ${value}`).join(",")} }`),
  })).object;

const text = () => fc.string({ unit: "grapheme" }).filter((each) => !each.includes("\0"));

describe("chunks copied into the tables", () => {
  const forms: { name: string; columns: Partial<Columns>; id: string; storeId: string }[] = [
    { name: "text", columns: {}, id: "doc-1/ä", storeId: "vs_1" },
    {
      name: "uuid, json, timestamps without zone",
      columns: { id: "uuid PRIMARY KEY", storeId: "uuid PRIMARY KEY", metadata: "json", time: "timestamp(6)" },
      id: "0a0b0c0d-1111-2222-3333-444455556666",
      storeId: "00000000-0000-0000-0000-000000000001",
    },
    {
      name: "bigint, also one that is always generated",
      columns: { id: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", storeId: "bigint PRIMARY KEY" },
      id: "-9007199254740993",
      storeId: "42",
    },
  ];
  test.each(forms)(
    "are the same when they are read, and as the digest says: $name",
    async ({ columns, id, storeId }) => {
      await makeCustomTables(database, { ...usualColumns, ...columns });
      db = (await database.open(customNames)).db;
      await database.query('INSERT INTO "Knowledge" (id, name) VALUES ($1, $2)', [storeId, "x"]);
      const given = chunk(storeId, { id, metadata: (await canonicalJson(db, ['{"b": 1.50, "a": [1e2]}']))[0] ?? "" });
      await db.transaction((tx) => copyChunks(tx, [given]));
      const page = { after: null, limit: 10, filter: null, vectors: true, without: new Set<string>() };
      const store = await findStore(db, { kind: "all" }, storeId);
      if (store === undefined) throw new Error("the store is gone");
      expect((await readPage(db, store, page)).chunks).toEqual([given]);
      expect(await marksOf(db, [given])).toEqual(new Map([[keyOfChunk(given), { storeId, digest: digestOf(given) }]]));
      const [vector] = await database.query<{ norm: number }>(
        "SELECT vector_norm(embedding::vector) AS norm FROM vector_store_vectors WHERE id = $1",
        [id],
      );
      expect(vector?.norm).toBeCloseTo(1, 3);
      await expect(db.transaction((tx) => copyChunks(tx, [given]))).rejects.toMatchObject({ status: 409 });
    },
  );

  test("any text, metadata and vector", async () => {
    db = (await database.open()).db;
    await database.query("INSERT INTO vector_stores (id, name) VALUES ('vs_1', 'x')");
    let number = 0;
    const vector = fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e9), max: Math.fround(1e9) }), {
        minLength: 8,
        maxLength: 8,
      })
      .map((numbers) => toNetworkOrder(Float32Array.from(numbers)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text(), text(), jsonText(), vector), { minLength: 1, maxLength: 20 }),
        async (rows) => {
          const texts = await canonicalJson(
            db,
            rows.map(([, , metadata]) => metadata),
          );
          // The database reads back unchanged what it has written.
          expect(await canonicalJson(db, texts)).toEqual(texts);
          const chunks = rows.map(([id, content, , numbers], i) =>
            chunk("vs_1", { id: `${(number += 1)} ${id}`, content, metadata: texts[i] ?? "", vector: numbers }),
          );
          await db.transaction((tx) => copyChunks(tx, chunks));
          const marks = await marksOf(db, chunks);
          expect(chunks.map((each) => marks.get(keyOfChunk(each))?.digest)).toEqual(chunks.map(digestOf));
        },
      ),
      { numRuns: 50 },
    );
    await database.exec("DELETE FROM vector_stores");
  });
});
