import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
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
  const statementsOf = (message: string) => /run: (.*;) Then start again\.$/.exec(message)?.[1] ?? "";
  const refusal = async (url: string) => {
    const error: unknown = await openUrl(url, quickStartSettings).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  };
  const sums = () =>
    database.query(`SELECT (SELECT count(*)::int FROM vector_store_permissions) AS permissions,
      (SELECT sum(requests)::int FROM vector_store_usage_days) AS requests, (SELECT sum(chunk_count)::int FROM vector_stores) AS chunks`);

  test("its role, which owns nothing, is told the statements that let it start, and they do", async () => {
    const url = await urlOf(database, "", role);
    const message = await refusal(url);
    expect(message).toMatch(/^The database role may not prepare the tables \(permission denied for schema public\)/);
    const statements = statementsOf(message);
    expect(statements).toBe(
      `GRANT CREATE ON SCHEMA "public" TO "${role}"; ALTER TABLE "public"."vector_stores" OWNER TO "${role}"; ` +
        `ALTER TABLE "public"."documents" OWNER TO "${role}";`,
    );
    expect(await database.query("SELECT to_regclass('vector_store_migrations') AS table")).toEqual([{ table: null }]);
    await database.exec(statements);
    await (await openUrl(url, quickStartSettings)).close();
    expect(await sums()).toEqual([{ permissions: 4, requests: 4, chunks: 4 }]);
  });

  test("its role is told the statements that let it start on tables that another role has prepared, and they do", async () => {
    await (await openUrl(await urlOf(database), quickStartSettings)).close();
    await database.exec("CREATE TABLE vector_store_vectors_1 (id uuid PRIMARY KEY, embedding halfvec(1024))");
    const url = await urlOf(database, "", role);
    const statements = statementsOf(await refusal(url));
    for (const each of ['SEQUENCE "public"."vector_store_vectors_numbers"', 'TABLE "public"."vector_store_vectors_1"'])
      expect(statements).toContain(`ALTER ${each} OWNER TO "${role}";`);
    await database.exec(statements);
    const db = await openUrl(url, quickStartSettings);
    // What it needs later, too: any right on any table, and tables of its own.
    await db.run.transaction().execute(async (tx) => {
      await sql`CREATE TABLE vector_store_vectors_2 (id uuid)`.execute(tx);
      await sql`DELETE FROM vector_store_audit`.execute(tx);
    });
    await db.close();
    const others = await database.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
      AND relkind IN ('r', 'S') AND relname LIKE 'vector_store%' AND relowner <> '${role}'::regrole`);
    expect(others).toEqual([]);
    expect(await sums()).toEqual([{ permissions: 4, requests: 4, chunks: 4 }]);
  });

  test("a schema that its role may not create is named", async () => {
    const url = await urlOf(database, "schema=apart", role);
    const statements = statementsOf(await refusal(url));
    expect(statements).toBe(`CREATE SCHEMA "apart" AUTHORIZATION "${role}";`);
    await database.exec(statements);
    await (await openUrl(url)).close();
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
