import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { readdirSync } from "node:fs";
import { findStore, insertStore } from "../../../src/db/tables/stores.js";
import { ApiError, StartupError } from "../../../src/words/errors.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { testDimensions } from "../../support/settings.js";
import { fillReference, referenceRows, referenceStores, referenceTables } from "../../support/litellmPgvector.js";
import { makeRole, onServer, openUrl, pooled, until, urlOf, valueOf } from "../../support/serverDatabase.js";
import { newStore } from "../../support/stores.js";
import type { Database } from "../../../src/db/database.js";
import { listStores } from "../../../src/db/tables/storeList.js";
import { noOwner } from "../../../src/words/caller.js";

const all = { kind: "all" } as const;
const plain = newStore();
const add = (db: Database) => insertStore(db, plain, noOwner, Date.now());

/** Every migration of this program, in order. */
const migrations = readdirSync("sql")
  .map((name) => ({ version: Number.parseInt(name, 10) }))
  .sort((a, b) => a.version - b.version);

let database: TestDatabase;
let opened: Database[] = [];
let roles: string[] = [];
const open = async (...how: Parameters<typeof openUrl>) => {
  const db = await openUrl(...how);
  opened.push(db);
  return db;
};

function onAServer(): void {
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(opened.map((db) => db.close()));
    for (const role of roles) await database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    [opened, roles] = [[], []];
    await database.drop();
  });

  test("many that start at once on an empty database all succeed, and each migration runs once", async () => {
    await database.exec("DROP EXTENSION vector");
    const url = await urlOf(database);
    const started = await Promise.all(Array.from({ length: 8 }, () => open(url)));
    const [first, ...others] = started;
    const id = first === undefined ? "" : (await add(first)).id;
    for (const other of others) expect(await findStore(other, all, id)).toMatchObject({ id });
    expect(await database.query("SELECT version FROM vector_store_migrations ORDER BY version")).toEqual(migrations);
  });

  test("replicas that start at once on a litellm-pgvector database: its rows are counted once, and all serve them", async () => {
    await database.exec(referenceTables(testDimensions));
    const stores = referenceStores();
    const rows = referenceRows(stores, 60);
    await fillReference(database, stores, rows, testDimensions);
    const url = await urlOf(database);
    const started = await Promise.all([open(url), open(url), open(url)]);
    const counted = await database.query<{ rows: number }>("SELECT sum(chunk_count)::int AS rows FROM vector_stores");
    expect(counted).toEqual([{ rows: rows.length }]);
    for (const db of started) {
      const { stores: found } = await listStores(db, all, { limit: 100, order: "asc", after: null, before: null });
      expect(found.map(({ id }) => id).sort()).toEqual(stores.map(({ id }) => id).sort());
    }
  });

  test("a role whose transactions are 'repeatable read' does not apply a migration twice", async () => {
    await database.exec(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation TO ''repeatable read''', current_database()); END $$",
    );
    const url = await urlOf(database);
    await Promise.all(Array.from({ length: 6 }, () => open(url)));
    expect(await database.query("SELECT version FROM vector_store_migrations ORDER BY version")).toEqual(migrations);
  });

  test("waiting for another process's migration is not cut off by the time limit of requests", async () => {
    const holder = await open(await urlOf(database, "?schema=holder"));
    let waiting: Promise<Database> | undefined;
    await holder.transaction(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(x'766563746f722d73'::bigint)`.execute(tx.run);
      waiting = open(await urlOf(database), { DATABASE_STATEMENT_TIMEOUT_SECONDS: "1" });
      let failed = false;
      waiting.catch(() => (failed = true));
      // Our side gives up on a statement 5 s after the server's limit.
      await until(async () => {
        const asked = await database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
             AND clock_timestamp() - query_start > '6.5 s'`,
        );
        return failed || asked.length > 0;
      });
    });
    expect(await waiting).toMatchObject({ kind: "postgres" });
  });

  test("?schema= is created if absent and used alone: two installations work side by side", async () => {
    await database.exec("CREATE TABLE vector_stores (id uuid PRIMARY KEY, name text NOT NULL, tenant text NOT NULL)");
    const [one, two] = [
      await open(await urlOf(database, "?schema=one")),
      await open(await urlOf(database, '?schema=The%20"2nd".one')),
    ];
    const { id } = await add(one);
    expect(id).toMatch(/^vs_/);
    expect(await findStore(two, all, id)).toBeUndefined();
    await add(two);
    const page = { limit: 10, order: "asc", after: null, before: null } as const;
    expect((await listStores(one, all, page)).stores).toHaveLength(1);
    const tables = await database.query(
      "SELECT schemaname::text AS schema FROM pg_tables WHERE tablename = 'vector_stores' ORDER BY 1",
    );
    expect(tables).toEqual([{ schema: 'The "2nd".one' }, { schema: "one" }, { schema: "public" }]);
    expect(
      await database.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'vector_stores'",
      ),
    ).toHaveLength(3);
    expect(await valueOf(one, "current_schema()")).toBe(pooled ? "public" : "one");
  });

  test("existing tables further down the search path are adopted where they are, when no schema is asked for", async () => {
    await database.exec(`CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL);
      INSERT INTO vector_stores VALUES ('old', 'old'); CREATE SCHEMA postgres`);
    const db = await open(await urlOf(database));
    expect(await findStore(db, all, "old")).toMatchObject({ name: "old" });
  });

  test("behind PgBouncer nothing is set at connecting, and ?schema= still applies", async () => {
    const db = await open(await urlOf(database, "?schema=app&pgbouncer=true"));
    expect(await valueOf(db, "current_setting('statement_timeout')")).toBe("0");
    expect(await valueOf(db, "current_schema()")).toBe("public");
    const { id } = await add(db);
    expect(await database.query("SELECT id FROM app.vector_stores")).toEqual([{ id }]);
  });

  // A pooler takes no settings at connecting.
  const direct = pooled ? test.skip : test;

  direct("the URL's own options hold beside ours", async () => {
    const db = await open(await urlOf(database, "?schema=app&options=-c%20lock_timeout%3D1234"));
    expect(await valueOf(db, "current_setting('lock_timeout')")).toBe("1234ms");
    expect(await valueOf(db, "current_setting('statement_timeout')")).toBe("1min");
    expect(await valueOf(db, "current_setting('search_path')")).toBe('"app",public,extensions');
  });

  direct("pgvector is made where every schema finds it, and used where an administrator put it", async () => {
    await database.exec("DROP EXTENSION vector");
    await open(await urlOf(database, "?schema=first"));
    await open(await urlOf(database, "?schema=second"));
    await database.exec("CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions");
    await open(await urlOf(database, "?schema=third"));
    await database.exec("CREATE SCHEMA hidden; ALTER EXTENSION vector SET SCHEMA hidden");
    const refused = open(await urlOf(database, "?schema=fourth"));
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow(
      /pgvector extension is in the schema "hidden".* Leave \?schema= out of DATABASE_URL.* ALTER ROLE \S+ IN DATABASE \S+ SET search_path = "fourth",public,extensions, hidden;/,
    );
    // The other users of the extension keep it where it is; following the advice is enough.
    const advice: unknown = await open(await urlOf(database)).catch((error: unknown) => error);
    const [command = ""] = /ALTER ROLE [^;]*;/.exec(advice instanceof Error ? advice.message : "") ?? [];
    expect(command).toContain("hidden");
    await database.exec(command);
    await open(await urlOf(database));
  });

  test("a role that may not create tables, or pgvector, gets a message; after another role's migration it can start", async () => {
    const role = await makeRole(database);
    roles.push(role);
    const url = await urlOf(database, "", role);
    const refused = open(url);
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow(/role may not prepare the tables \(permission denied for schema public\)/);

    await database.exec("DROP EXTENSION vector");
    await expect(open(url)).rejects.toThrow(
      /may not create the pgvector extension\. Let an administrator run, in this database: CREATE EXTENSION vector;/,
    );

    await (await openUrl(await urlOf(database))).close();
    await database.exec(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
    const db = await open(url);
    expect(await findStore(db, all, (await add(db)).id)).toBeDefined();
  });

  test("a wrong password, database or host is reported without the password", async () => {
    const url = new URL(await urlOf(database));
    url.password = "hunter2";
    url.pathname = "/no_such_database";
    const absent = open(url.toString());
    await expect(absent).rejects.toThrow(
      /The database cannot be opened \(DATABASE_URL\): database "no_such_database" does not exist/,
    );
    url.port = "1";
    const away = open(url.toString(), { DATABASE_START_TIMEOUT_SECONDS: "0" });
    await expect(away).rejects.toThrow(/cannot be opened \(DATABASE_URL\): .*ECONNREFUSED/);
    for (const refused of [absent, away]) await expect(refused).rejects.not.toThrow(/hunter2/);
  });

  test("a connection that is lost in a transaction is a 503, ends nothing else and is not used again", async () => {
    const db = await open(await urlOf(database), { DATABASE_POOL_SIZE: "1" });
    const lost = db.transaction(async (tx) => {
      await insertStore(tx, plain, noOwner, Date.now());
      const [own] = (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx.run)).rows;
      await database.query("SELECT pg_terminate_backend($1)", [own?.pid]);
      await until(
        async () => (await database.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [own?.pid])).length === 0,
      );
      await insertStore(tx, plain, noOwner, Date.now());
    });
    const error: unknown = await lost.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, details: { retryAfterSeconds: 2 } });
    expect((await listStores(db, all, { limit: 1, order: "asc", after: null, before: null })).stores).toEqual([]);
    await add(db);
  });

  test("a statement beyond its time limit is a 503 and leaves the connection usable", async () => {
    const db = await open(await urlOf(database), { DATABASE_POOL_SIZE: "1", DATABASE_STATEMENT_TIMEOUT_SECONDS: "1" });
    await expect(sql`SELECT pg_sleep(60)`.execute(db.run)).rejects.toMatchObject({
      status: 503,
      message: /time limit/,
    });
    await add(db);
  });
}

if (onServer) describe("on a PostgreSQL server", onAServer);

test("the embedded database has one connection and one role, so these concern servers only", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
