import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { fillQuickStart, quickStartDocuments, quickStartSettings, runQuickStart } from "../../support/quickStart.js";
import { onServer, openUrl, urlOf } from "../../support/serverDatabase.js";
import { StartupError } from "../../../src/words/errors.js";

/** Roles and several processes exist only on a server. */
(onServer ? describe : describe.skip)("the Quick Start's database on a server", () => {
  let database: TestDatabase;
  let role: string;
  const roles: string[] = [];
  beforeEach(async () => {
    database = await createTestDatabase();
    role = await runQuickStart(database);
    roles.push(role);
    await fillQuickStart(database, quickStartDocuments(4), 1024);
  });
  afterEach(() => database.drop());
  afterAll(async () => {
    const server = await createTestDatabase();
    for (const each of roles) await server.exec(`DROP ROLE ${each}`);
    await server.drop();
  });
  const sums = () =>
    database.query(`SELECT (SELECT count(*)::int FROM vector_store_permissions) AS permissions,
      (SELECT sum(requests)::int FROM vector_store_usage_days) AS requests, (SELECT sum(chunk_count)::int FROM vector_stores) AS chunks`);

  test("its role, which owns nothing, is told the statements that let it start, and they do", async () => {
    const url = await urlOf(database, "", role);
    const error: unknown = await openUrl(url, quickStartSettings).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartupError);
    const { message } = error as Error;
    expect(message).toMatch(/^The database role may not prepare the tables \(permission denied for schema public\)/);
    const statements = /run: (.*;) Or run "vector-store migrate"/.exec(message)?.[1] ?? "";
    expect(statements).toBe(
      `GRANT CREATE ON SCHEMA "public" TO "${role}"; ALTER TABLE "public"."vector_stores" OWNER TO "${role}"; ` +
        `ALTER TABLE "public"."documents" OWNER TO "${role}";`,
    );
    expect(await database.query("SELECT to_regclass('vector_store_migrations') AS table")).toEqual([{ table: null }]);
    await database.exec(statements);
    await (await openUrl(url, quickStartSettings)).close();
    expect(await sums()).toEqual([{ permissions: 4, requests: 4, chunks: 4 }]);
  });

  test("of replicas that start at once, one takes everything over, once", async () => {
    const url = await urlOf(database);
    const replicas = await Promise.all(Array.from({ length: 4 }, () => openUrl(url, quickStartSettings)));
    expect(await sums()).toEqual([{ permissions: 4, requests: 4, chunks: 4 }]);
    for (const replica of replicas) await replica.close();
  });

  test("a start that fails leaves everything as it was", async () => {
    const url = await urlOf(database);
    await expect(openUrl(url, { ...quickStartSettings, EMBEDDING__DIMENSIONS: "8" })).rejects.toThrow(
      /EMBEDDING__DIMENSIONS is 8, but the embeddings in the table "documents" have 1024 dimensions/,
    );
    await expect(openUrl(url, { EMBEDDING__DIMENSIONS: "" })).rejects.toThrow(
      /EMBEDDING__DIMENSIONS is 1536, .* Set EMBEDDING__DIMENSIONS=1024 and the model that made them/,
    );
    expect(await database.query("SELECT to_regclass('vector_store_migrations') AS table")).toEqual([{ table: null }]);
    const [column] = await database.query(
      "SELECT attnotnull AS required FROM pg_attribute WHERE attrelid = 'vector_stores'::regclass AND attname = 'owner_user_id'",
    );
    expect(column).toEqual({ required: true });
  });
});

test("these tests need a server", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
