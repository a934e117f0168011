import { afterEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { readdirSync } from "node:fs";
import { loadConfig } from "../../src/process/config.js";
import { openToLook } from "../../src/db/diagnose/probe.js";
import { createLog } from "../../src/process/log.js";
import { type Place, createPlace, run, runDoctor, startOther } from "./support.js";

// Every command opens the embedded database, which takes at least a second.
let place: Place | undefined;
afterEach(async () => {
  await place?.remove();
  place = undefined;
});

const onServer = (each: Place) => each.environment.DATABASE_URL !== undefined;

/** Everything that a migration, an index or an extension would add. */
const catalogue = (each: Place) =>
  each.query(`SELECT (SELECT count(*)::int FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%')) AS relations,
    (SELECT count(*)::int FROM pg_attribute) AS columns, (SELECT count(*)::int FROM pg_namespace) AS schemas,
    (SELECT string_agg(extname || extversion, ' ' ORDER BY 1) FROM pg_extension) AS extensions`);

const adopted = `
  CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE embeddings (id text PRIMARY KEY, vector_store_id text NOT NULL REFERENCES vector_stores(id), content text NOT NULL,
    embedding vector NOT NULL, metadata jsonb, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
  INSERT INTO vector_stores (id, name) VALUES ('s1', 'old'), ('s2', 'older');
  INSERT INTO embeddings VALUES ('1', 's1', 'x', '[1,0,0,0,0,0,0,0]', '{}'), ('2', 's1', 'y', '[0,1,0,0,0,0,0,0]', '{}'),
    ('3', 's1', 'z', '[0,0,1,0,0,0,0,0]', '{}');`;

function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.toString();
}

describe("doctor on a database that no server has used", () => {
  test("says what the first start will do, and changes nothing", async () => {
    place = await createPlace();
    if (!onServer(place)) {
      const { code, finding } = await runDoctor(place.environment);
      expect(code).toBe(0);
      expect(finding("database")).toMatchObject({
        status: "ok",
        message: expect.stringContaining("the first start creates"),
      });
      expect(readdirSync(place.environment.DATA_DIR ?? "")).toEqual([]);
      return;
    }
    await place.exec("DROP EXTENSION vector");
    const before = await catalogue(place);
    const without = await runDoctor(place.environment);
    expect(without.code).toBe(0);
    expect(without.finding("pgvector")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("not in this database yet"),
    });
    expect(await catalogue(place)).toEqual(before);
    await place.exec("CREATE EXTENSION vector");
    const ready = await catalogue(place);
    const schema = await runDoctor({
      ...place.environment,
      DATABASE_URL: withParameter(place.environment.DATABASE_URL ?? "", "schema", "other"),
    });
    expect(schema.finding("migrations")?.message).toBe('the schema "other" does not exist yet');
    const empty = await runDoctor(place.environment);
    expect(empty.finding("migrations")).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/^0 applied, pending: 0001 /),
    });
    expect(empty.finding("tables")?.message).toBe("missing: vector_stores, embeddings");
    expect(await catalogue(place)).toEqual(ready);
  });

  test("checks litellm-pgvector's tables without changing them", async () => {
    place = await createPlace();
    await place.exec(adopted);
    const before = await catalogue(place);
    const { code, finding } = await runDoctor(place.environment);
    expect(code).toBe(0);
    expect(finding("database")?.message).toMatch(/^PostgreSQL \d+/);
    expect(finding("pgvector")?.message).toMatch(/^version 0\.\d+/);
    expect(finding("migrations")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("0 applied, pending: 0001"),
    });
    expect(finding("tables")?.status).toBe("ok");
    expect(finding("dimensions")?.message).toBe("8, like the stored embeddings");
    expect(finding("contents")?.message).toBe("2 vector stores, 3 embeddings");
    const wrong = await runDoctor({ ...place.environment, EMBEDDING__DIMENSIONS: "1536" });
    expect(wrong.code).toBe(1);
    expect(wrong.finding("dimensions")).toMatchObject({ status: "fail", message: expect.stringMatching(/1536.* 8$/) });
    expect(await catalogue(place)).toEqual(before);
  });
});

test("the doctor's transactions are READ ONLY", async () => {
  place = await createPlace();
  await place.exec("CREATE TABLE t (n int)");
  const probe = await openToLook(loadConfig(place.environment), createLog("silent"));
  if (typeof probe === "string") throw new Error(`not opened: ${probe}`);
  try {
    await expect(probe.look((tx) => sql`INSERT INTO t VALUES (1)`.execute(tx))).rejects.toThrow(/read-only/);
    await expect(probe.look((tx) => sql`CREATE TABLE u (n int)`.execute(tx))).rejects.toThrow(/read-only/);
  } finally {
    await probe.close();
  }
  expect(await place.query("SELECT * FROM t")).toEqual([]);
});

describe("doctor on a database in use", () => {
  test("all is well: every line is ok except the missing proxy and a useless index", async () => {
    place = await createPlace();
    await place.exec(adopted);
    expect((await run(["migrate"], { environment: place.environment })).code).toBe(0);
    await place.exec(`ALTER TABLE embeddings ALTER COLUMN embedding TYPE vector(8);
      CREATE INDEX by_meaning ON embeddings USING hnsw (embedding vector_cosine_ops)`);
    const before = await catalogue(place);
    const { code, out, err } = await run(["doctor"], { environment: place.environment });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(
      out
        .split("\n")
        .filter((line) => /^\w/.test(line))
        .map((line) => line.split(/ +/, 2)),
    ).toEqual([
      ["ok", "settings"],
      ["ok", "key"],
      ["ok", "database"],
      ["ok", "pgvector"],
      ["ok", "migrations"],
      ["ok", "tables"],
      ["ok", "dimensions"],
      ["ok", "models"],
      ["ok", "contents"],
      ["ok", "indexes"],
      ["warn", "indexes"],
      ["warn", "proxy"],
    ]);
    expect(out).toContain('hnsw index "public"."by_meaning" on "embeddings" is not used');
    expect(await catalogue(place)).toEqual(before);

    const wrong = await runDoctor({ ...place.environment, EMBEDDING__DIMENSIONS: "1536" });
    expect(wrong.finding("dimensions")).toMatchObject({
      status: "fail",
      todo: expect.stringContaining("EMBEDDING__DIMENSIONS=8"),
    });
    expect(wrong.err).toBe("vector-store: 1 of 12 checks failed: dimensions.\n");
    const field = await runDoctor({ ...place.environment, DB_FIELDS__CONTENT_FIELD: "words" });
    expect(field.finding("tables")).toMatchObject({
      status: "fail",
      message: expect.stringContaining('DB_FIELDS__CONTENT_FIELD is "words"'),
    });
  });

  test("dimensions come from the stores' records if the column has none", async () => {
    place = await createPlace();
    await place.exec(adopted);
    await run(["migrate"], { environment: place.environment });
    expect((await runDoctor(place.environment)).finding("dimensions")?.message).toBe("8, like the stored embeddings");
    const wrong = await runDoctor({ ...place.environment, EMBEDDING__DIMENSIONS: "9" });
    expect(wrong.finding("dimensions")?.message).toBe("EMBEDDING__DIMENSIONS is 9, but the stored embeddings have 8");
  });

  test("counters that do not fit, changed and newer migrations", async () => {
    place = await createPlace();
    await place.exec(adopted);
    await run(["migrate"], { environment: place.environment });
    await place.exec(
      "DELETE FROM embeddings WHERE id = '3'; UPDATE vector_store_migrations SET checksum = 'x' WHERE version = 1",
    );
    const changed = await runDoctor(place.environment);
    expect(changed.finding("contents")).toMatchObject({
      status: "warn",
      message: "2 vector stores, 2 embeddings, but the stores' counters add up to 3",
      todo: expect.stringContaining('restart the server or run "vector-store reindex'),
    });
    expect(changed.finding("migrations")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/program's 0001 .* differs/),
    });
    await place.exec("INSERT INTO vector_store_migrations (version, name, checksum) VALUES (9999, 'future', 'x')");
    const newer = await runDoctor(place.environment);
    expect(newer.finding("migrations")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("newer than this program: it has 9999 future"),
    });
  });

  test("a newer migration that still works with this program is a warning", async () => {
    place = await createPlace();
    await run(["migrate"], { environment: place.environment });
    await place.exec(
      "INSERT INTO vector_store_migrations (version, name, checksum, oldest_program) VALUES (9999, 'adds', 'x', 3)",
    );
    const doctor = await runDoctor(place.environment);
    expect(doctor.finding("migrations")).toMatchObject({
      status: "warn",
      message: "the database has 9999 adds from a newer program, and still works with this one",
    });
  });

  test("a PostgreSQL that accepts no writes, and a role that may not read", async () => {
    place = await createPlace();
    if (!onServer(place)) return;
    const { pathname } = new URL(place.environment.DATABASE_URL ?? "");
    await place.exec(`ALTER DATABASE "${pathname.slice(1)}" SET default_transaction_read_only = on`);
    expect((await runDoctor(place.environment)).finding("database")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("accepts no writes"),
    });
    await place.exec(
      `SET default_transaction_read_only = off; ALTER DATABASE "${pathname.slice(1)}" RESET default_transaction_read_only;
       SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await run(["migrate"], { environment: place.environment });
    const role = `doctor_${pathname.slice(1)}`;
    await place.exec(`CREATE ROLE ${role} LOGIN PASSWORD 'secret-word'`);
    try {
      const url = new URL(place.environment.DATABASE_URL ?? "");
      url.username = role;
      url.password = "secret-word";
      const { checks, finding } = await runDoctor({ ...place.environment, DATABASE_URL: url.toString() });
      expect(checks.find((each) => each.status === "fail")).toMatchObject({
        check: "database",
        message: expect.stringContaining("permission denied for table"),
      });
      expect(finding("proxy")).toBeDefined();
      expect(JSON.stringify(checks)).not.toContain("secret-word");
    } finally {
      await place.exec(`DROP ROLE ${role}`);
    }
  });
});

describe("doctor without a reachable database", () => {
  test("a port where nothing listens: FAIL without the password, and the other checks continue", async () => {
    const gone = await startOther(() => undefined);
    await gone.close();
    const host = new URL(gone.url).host;
    const { code, checks, finding } = await runDoctor({ DATABASE_URL: `postgresql://me:secret-word@${host}/x` });
    expect(code).toBe(1);
    expect(finding("database")).toMatchObject({ status: "fail", message: expect.stringContaining("ECONNREFUSED") });
    expect(finding("proxy")?.status).toBe("warn");
    expect(JSON.stringify(checks)).not.toContain("secret-word");
  });

  test("a DATABASE_URL of another database", async () => {
    const { finding } = await runDoctor({ DATABASE_URL: "mysql://me:secret-word@host/x" });
    expect(finding("database")).toMatchObject({
      status: "fail",
      message: "DATABASE_URL must start with postgresql://, not mysql://.",
    });
  });
});
