import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { customNames, makeCustomTables, usualColumns } from "../../support/customTables.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { readMigrations } from "../../../src/db/schema/migrations.js";
import { tablesWithKeyOnId } from "../../support/keyOnId.js";
import { type TestService, startService } from "../../support/service.js";
import { batchPath, createStore, rowOf, storedRows } from "../../support/stores.js";

/** Whether ids of rows are unique in each store or over all stores, which the key of the table says. */

let database: TestDatabase;
let service: TestService | undefined;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await database.drop();
});

const keysOf = async (table = "embeddings") =>
  (
    await database.query<{ key: string }>(
      `SELECT pg_get_indexdef(indexrelid) AS key FROM pg_index
       WHERE indrelid = to_regclass($1) AND indexrelid::regclass::text NOT LIKE '%metadata%' ORDER BY 1`,
      [`"${table}"`],
    )
  ).map(({ key }) => key.replace(/^CREATE (.*)INDEX (\S+) .*(\(.*)$/, "$1$2 $3"));

async function perStore(environment: Record<string, string> = {}): Promise<boolean> {
  const { db } = await database.open(environment);
  await db.close();
  return db.layout.embeddings.idsPerStore;
}

/** Puts a row of the same id into two stores. @returns the statuses */
async function intoTwoStores(environment: Record<string, string> = {}): Promise<number[]> {
  service = await startService({ database, environment });
  const statuses: number[] = [];
  for (const seed of [1, 2]) {
    const store = await createStore(service);
    const body = { embeddings: [rowOf(seed, { id: "7" })] };
    statuses.push((await service.post(batchPath(store), body)).status);
    // A repeated request is recognised in any table.
    statuses.push((await service.post(batchPath(store), body)).status);
    if (statuses.at(-1) === 200) expect(await storedRows(service, store)).toMatchObject([{ content: `row ${seed}` }]);
  }
  await service.stop();
  service = undefined;
  return statuses;
}
const [free, refused] = [
  [200, 200, 200, 200],
  [200, 200, 409, 409],
];

describe("a new table", () => {
  test("has one key, of store and id, whatever it is called", async () => {
    expect(await perStore()).toBe(true);
    expect(await keysOf()).toEqual(["UNIQUE embeddings_pkey (vector_store_id, id)"]);
    expect(await intoTwoStores()).toEqual(free);
    expect(await perStore()).toBe(true);
  });

  test("may have any names, and lie beside an adopted table of stores", async () => {
    await database.exec('CREATE TABLE "Knowledge" (id uuid PRIMARY KEY, name text NOT NULL)');
    expect(await perStore(customNames)).toBe(true);
    expect(await keysOf("table")).toEqual(['UNIQUE table_pkey ("group", "order")']);
    expect(await intoTwoStores(customNames)).toEqual(free);
  });
});

describe("a table that is there", () => {
  const migration = readMigrations().find((each) => each.onlyForNewRows)?.version ?? 0;
  const recorded = () => database.query("SELECT 1 FROM vector_store_migrations WHERE version = $1", [migration]);
  /** What a version before the migration leaves. */
  const older = `
    ALTER TABLE embeddings DROP CONSTRAINT embeddings_pkey;
    ALTER TABLE embeddings ADD PRIMARY KEY (id);
    CREATE INDEX embeddings_by_store ON embeddings (vector_store_id, id);
    DELETE FROM vector_store_migrations WHERE version = ${migration}`;

  test("keeps its key on the id, also if an older version of this service made it and it is empty", async () => {
    await perStore();
    await database.exec(older);
    const before = await keysOf();
    expect(await perStore()).toBe(false);
    expect(await keysOf()).toEqual(before);
    expect(await recorded()).toHaveLength(1);
    expect(await intoTwoStores()).toEqual(refused);
    // The statements of docs/access.md.
    await database.exec("CREATE UNIQUE INDEX CONCURRENTLY embeddings_key ON embeddings (vector_store_id, id)");
    expect(await perStore()).toBe(false);
    await database.exec(
      "ALTER TABLE embeddings DROP CONSTRAINT embeddings_pkey, ADD PRIMARY KEY USING INDEX embeddings_key",
    );
    expect(await perStore()).toBe(true);
    await database.exec("DELETE FROM embeddings; UPDATE vector_stores SET chunk_count = 0, content_bytes = 0");
    expect(await intoTwoStores()).toEqual(free);
  });

  test("is not taken for a new one under a changed name", async () => {
    await perStore();
    await database.exec(older);
    const renamed = { DB_TABLES__EMBEDDINGS: "others" };
    await expect(database.open(renamed)).rejects.toThrow(/The table "others" is gone although/);
    expect(await recorded()).toHaveLength(0);
  });

  test("is adopted with a key of store and id, in any order, as an index or a constraint", async () => {
    for (const key of [
      'ALTER TABLE "table" ADD PRIMARY KEY ("group", "order")',
      'CREATE UNIQUE INDEX ON "table" ("order", "group") INCLUDE ("Select")',
    ]) {
      await makeCustomTables(database, { ...usualColumns, id: "text NOT NULL" });
      await database.exec(key);
      expect(await perStore(customNames)).toBe(true);
      expect(await intoTwoStores(customNames)).toEqual(free);
      await database.drop();
      database = await createTestDatabase();
    }
  });

  test("has ids over all stores as soon as any key is on the id alone", async () => {
    await database.exec(tablesWithKeyOnId);
    await database.exec("CREATE UNIQUE INDEX ON embeddings (vector_store_id, id)");
    expect(await perStore()).toBe(false);
    expect(await intoTwoStores()).toEqual(refused);
  });

  test.each(["uuid", "bigint", "bigint GENERATED BY DEFAULT AS IDENTITY"])(
    "of %s ids may have the key of store and id",
    async (type) => {
      await makeCustomTables(database, { ...usualColumns, id: type });
      await database.exec('ALTER TABLE "table" ADD PRIMARY KEY ("group", "order")');
      service = await startService({ database, environment: customNames });
      const own = type === "uuid" ? "00000000-0000-4000-8000-000000000001" : "2";
      for (const seed of [1, 2]) {
        const store = await createStore(service);
        // The second and third row get ids, which must not be the first one's.
        const embeddings = [rowOf(seed, { id: own }), rowOf(seed + 10), rowOf(seed + 20)];
        await service.post(batchPath(store), { embeddings }).expect(200);
        await service.post(batchPath(store), { embeddings: embeddings.slice(0, 1) }).expect(200);
        expect(await storedRows(service, store)).toHaveLength(3);
      }
    },
  );
});
