import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { findStore, insertStore } from "../../../src/db/tables/stores.js";
import { StartupError } from "../../../src/words/errors.js";
import { fileTables, shapeOf } from "../../support/customTables.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { referenceTables } from "../../support/litellmPgvector.js";
import { readMigrations } from "../../../src/db/schema/migrations.js";
import { newStore } from "../../support/stores.js";
import { noOwner } from "../../../src/words/caller.js";
import { noPrompts } from "../../../src/words/prompts.js";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() =>
  database.exec(
    `DROP TABLE IF EXISTS embeddings; DROP TABLE IF EXISTS vector_stores CASCADE; DROP TABLE IF EXISTS vector_store_migrations, ${fileTables} CASCADE`,
  ),
);
afterAll(() => database.drop());

const plain = newStore();
const applied = () =>
  database.query<{ version: number; at: string }>(
    "SELECT version, applied_at::text AS at FROM vector_store_migrations",
  );

async function startAndStop(environment: Record<string, string> = {}): Promise<void> {
  const { db } = await database.open(environment);
  await db.close();
}

async function refusal(environment: Record<string, string> = {}): Promise<string> {
  const before = await shapeOf(database);
  const refused = startAndStop(environment);
  await expect(refused).rejects.toThrow(StartupError);
  expect(await shapeOf(database)).toEqual(before);
  return refused.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
}

const versions = readMigrations().map((each) => each.version);
const newest = versions.at(-1) ?? 0;

describe("the schema", () => {
  test("is created on the first start; the second changes nothing", async () => {
    await startAndStop();
    const [once, shape] = [await applied(), await shapeOf(database)];
    expect(once.map((each) => each.version)).toEqual(versions);
    await startAndStop();
    expect(await applied()).toEqual(once);
    expect(await shapeOf(database)).toEqual(shape);
  });

  test("takes vectors of any dimension in a new table", async () => {
    await startAndStop();
    const { db } = await database.open({ EMBEDDING__DIMENSIONS: "3072" });
    expect(db.layout.embeddings.dimensions).toBeNull();
    await db.close();
  });

  test("a database that is newer than the program is refused with both numbers", async () => {
    await startAndStop();
    await database.exec(
      "INSERT INTO vector_store_migrations (version, name, checksum) VALUES (9007, 'from_the_future', 'x')",
    );
    const message = await refusal();
    expect(message).toContain("The database is newer than this program: it has migration 9007 (from_the_future)");
    expect(message).toContain(`this program ends at ${newest}`);
  });

  test("a newer database that is marked as compatible is accepted, even if its table was made before such marks", async () => {
    await startAndStop();
    await database.exec("ALTER TABLE vector_store_migrations DROP COLUMN oldest_program");
    await startAndStop();
    await database.exec(`ALTER TABLE vector_store_migrations ADD COLUMN oldest_program integer;
      INSERT INTO vector_store_migrations (version, name, checksum, oldest_program) VALUES (9007, 'adds_a_table', 'x', 3)`);
    await startAndStop();
    await database.exec(
      "INSERT INTO vector_store_migrations (version, name, checksum, oldest_program) VALUES (9008, 'drops_one', 'x', 9007)",
    );
    expect(await refusal()).toContain(`it has migration 9008 (drops_one), this program ends at ${newest}`);
  });

  test("a migration whose file was changed after it was applied is refused by its name", async () => {
    await startAndStop();
    await database.exec("UPDATE vector_store_migrations SET checksum = 'another' WHERE version = 1");
    expect(await refusal()).toContain("The file of migration 1 (vector_stores_and_embeddings) differs");
  });

  test("tables beside an empty table of migrations are adopted like any others", async () => {
    await startAndStop();
    await database.exec("DELETE FROM vector_store_migrations");
    await startAndStop();
    expect(await applied()).toHaveLength(versions.length);
  });

  test("half of an adopted database: only one of the tables is there", async () => {
    await database.exec("CREATE TABLE vector_stores (id uuid PRIMARY KEY, name text NOT NULL)");
    const { db } = await database.open();
    const { id } = await insertStore(db, plain, noOwner, Date.now());
    expect(await findStore(db, { kind: "all" }, id)).toMatchObject({ id, name: "a", metadata: {} });
    expect(db.layout.embeddings).toMatchObject({ idType: "text", vectorStoreIdType: "uuid" });
    await db.close();
  });
});

describe("dimensions", () => {
  test("of a column stop the start with both numbers, before anything is changed", async () => {
    await database.exec(referenceTables(16));
    const message = await refusal();
    expect(message).toContain("EMBEDDING__DIMENSIONS is 8");
    expect(message).toContain("have 16 dimensions");
    await startAndStop({ EMBEDDING__DIMENSIONS: "16" });
  });

  test("of rows in a column without a dimension stop the start with both numbers; an empty table does not", async () => {
    const tables = referenceTables(8).replace("vector(8)", "vector");
    await database.exec(tables);
    await startAndStop({ EMBEDDING__DIMENSIONS: "4" });
    await database.exec(`DROP TABLE embeddings, vector_stores, vector_store_migrations, ${fileTables}`);
    await database.exec(tables);
    await database.exec(`INSERT INTO vector_stores (id, name) VALUES ('a', 'a');
      INSERT INTO embeddings (id, vector_store_id, content, embedding) VALUES ('1', 'a', 'x', '[1,2,3]')`);
    expect(await refusal()).toMatch(/EMBEDDING__DIMENSIONS is 8, .* have 3 dimensions\. Set EMBEDDING__DIMENSIONS=3/);
    await startAndStop({ EMBEDDING__DIMENSIONS: "3" });
    expect(await refusal()).toMatch(/is 8, .* have 3 dimensions/);
  });
});

test("stores from before, whose vectors were made without prompts, do not get any later", async () => {
  await startAndStop();
  await database.exec(`
    INSERT INTO vector_stores (id, name, embedding_model) VALUES ('named', 'a', 'e5-large'), ('usual', 'b', NULL);
    DELETE FROM vector_store_migrations WHERE version = 16`);
  await startAndStop();
  const rows = await database.query("SELECT id, embedding_prompts AS prompts FROM vector_stores ORDER BY id");
  expect(rows).toEqual([
    { id: "named", prompts: noPrompts },
    { id: "usual", prompts: null },
  ]);
});

test("pgvector older than 0.7 is refused with the version and the remedy", async () => {
  const [row] = await database.query<{ version: string }>(
    "SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
  );
  for (const [version, refused] of [
    ["0.6.2", true],
    ["0.7.0", false],
    ["0.10.1", false],
    ["1.0", false],
  ] as const) {
    await database.query("UPDATE pg_extension SET extversion = $1 WHERE extname = 'vector'", [version]);
    if (refused) {
      const message = await refusal();
      expect(message).toContain(`The pgvector extension has version ${version}; 0.7 or later is needed.`);
      expect(message).toContain("ALTER EXTENSION vector UPDATE");
    } else {
      await startAndStop();
    }
  }
  await database.query("UPDATE pg_extension SET extversion = $1 WHERE extname = 'vector'", [row?.version]);
});
