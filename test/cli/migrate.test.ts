import { afterEach, expect, test } from "@jest/globals";
import { type Place, createPlace, run } from "./support.js";

// Every command opens the embedded database, which takes at least a second.
let place: Place | undefined;
afterEach(async () => {
  await place?.remove();
  place = undefined;
});

test("migrate creates the tables and says so; a second time there is nothing to do", async () => {
  place = await createPlace();
  const first = await run(["migrate"], { environment: place.environment });
  expect(first).toMatchObject({ code: 0, err: "" });
  const migrations = await place.query("SELECT name FROM vector_store_migrations ORDER BY version");
  expect(migrations.length).toBeGreaterThan(0);
  for (const { name } of migrations) expect(first.out).toContain(`applied  ${String(name)}\n`);
  expect(first.out).toMatch(new RegExp(`is up to date: ${migrations.length} migrations? applied\\.\\n$`));
  expect(await place.query("SELECT count(*)::int AS n FROM vector_stores")).toEqual([{ n: 0 }]);

  const second = await run(["migrate"], { environment: place.environment });
  expect(second).toMatchObject({ code: 0, err: "" });
  expect(second.out).toMatch(/^.* is up to date; there was nothing to do\.\n$/);
});

test("migrate says that it adopts the tables of litellm-pgvector", async () => {
  place = await createPlace();
  await place.exec(`
    CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE embeddings (id text PRIMARY KEY, vector_store_id text NOT NULL REFERENCES vector_stores(id), content text NOT NULL,
      embedding vector(8) NOT NULL, metadata jsonb, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO vector_stores (id, name) VALUES ('09beee6f-ed62-47c6-a161-dea9018a5a40', 'old');
    INSERT INTO embeddings VALUES ('1', '09beee6f-ed62-47c6-a161-dea9018a5a40', 'x', '[1,0,0,0,0,0,0,0]', '{}');`);
  const { code, out } = await run(["migrate"], { environment: place.environment });
  expect(code).toBe(0);
  expect(out).toMatch(/^adopting the existing tables: .*vector_stores.*embeddings/);
  expect(await place.query("SELECT chunk_count::int AS n FROM vector_stores")).toEqual([{ n: 1 }]);
});

test("an error that stops a server's start stops migrate: one sentence, exit code 1, nothing changed", async () => {
  place = await createPlace();
  await place.exec("CREATE TABLE embeddings (id text PRIMARY KEY, words text)");
  const { code, out, err } = await run(["migrate"], { environment: place.environment });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(/^vector-store: DB_FIELDS__\w+ is "\w+", but the table "embeddings" has no column of that name/);
  expect(await place.query("SELECT to_regclass('vector_stores')::text AS t")).toEqual([{ t: null }]);
});

test("unusable settings are named", async () => {
  const { code, err } = await run(["migrate"], { environment: { PORT: "x", DATABASE_POOL_SIZE: "0" } });
  expect(code).toBe(1);
  expect(err).toContain("PORT must be a number");
  expect(err).toContain("DATABASE_POOL_SIZE must be at least 1");
});
