import { describe, expect, test } from "@jest/globals";
import { makeRole, onServer, urlOf } from "../support/serverDatabase.js";
import { useImportPlaces } from "./importPlaces.js";
import { run } from "./support.js";
import type { ImportAnswer } from "./transferSupport.js";

const numbers = (n: number) => `${n},1,0,0,0,0,0,${n / 8}`;

(onServer ? describe : describe.skip)("import of any PostgreSQL table", () => {
  const at = useImportPlaces();

  const columns: [string, string][] = [
    ["vector", `'[' || f(n) || ']'`],
    ["vector(8)", `'[' || f(n) || ']'`],
    ["halfvec(8)", `'[' || f(n) || ']'`],
    ["real[]", `'{' || f(n) || '}'`],
    ["double precision[]", `'{' || f(n) || '}'`],
    ["numeric[]", `'{' || f(n) || '}'`],
    ["text", `'[' || f(n) || ']'`],
    ["json", `'[' || f(n) || ']'`],
    ["jsonb", `'[' || f(n) || ']'`],
  ];
  test.each(columns)("with embeddings of type %s", async (type, expression) => {
    if (!type.includes("vec")) await at.source.exec("DROP EXTENSION vector");
    await at.source.exec(`
      CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql AS $$ SELECT n || ',1,0,0,0,0,0,' || n / 8.0 $$;
      CREATE TABLE docs (id bigint PRIMARY KEY, content text, embedding ${type}, metadata jsonb);
      INSERT INTO docs SELECT n, 'text ' || n, (${expression})::${type}, '{}' FROM generate_series(1, 130) AS n`);
    expect((await at.imported("--table", "docs", "--store-name", "Docs")).rows).toMatchObject({
      read: 130,
      added: 130,
    });
    expect(await at.place.query("SELECT embedding::text AS v FROM embeddings WHERE id = '4'")).toEqual([
      { v: `[${numbers(4)}]` },
    ]);
  });

  test("with embeddings as base64 and as bytes", async () => {
    const bytes = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    await at.source.exec(`CREATE TABLE docs (id int PRIMARY KEY, content text, b64 text, raw bytea);
      INSERT INTO docs VALUES (1, 'x', '${bytes.toString("base64")}', '\\x${bytes.toString("hex")}')`);
    await at.imported("--table", "docs", "--embedding-column", "b64", "--store-name", "a");
    await at.imported("--table", "docs", "--embedding-column", "raw", "--store-name", "b", "--id-prefix", "b-");
    expect(await at.place.query("SELECT DISTINCT embedding::text AS v FROM embeddings")).toEqual([
      { v: "[1,2,3,4,5,6,7,8]" },
    ]);
  });

  test("mapped by flags, like langchain's: its collections become stores", async () => {
    await at.source.exec(`
      CREATE TABLE langchain_pg_collection (uuid uuid PRIMARY KEY, name varchar UNIQUE NOT NULL, cmetadata json);
      CREATE TABLE langchain_pg_embedding (id varchar PRIMARY KEY, collection_id uuid REFERENCES langchain_pg_collection, embedding vector,
        document varchar, cmetadata jsonb);
      INSERT INTO langchain_pg_collection VALUES ('00000000-0000-0000-0000-00000000000c', 'files', NULL);
      INSERT INTO langchain_pg_embedding SELECT 'doc-' || n, '00000000-0000-0000-0000-00000000000c', ('[' || n || ',1,0,0,0,0,0,0]')::vector,
        'text ' || n, jsonb_build_object('file_id', 'f-' || n, 'n', n) FROM generate_series(1, 60) AS n`);
    const answer = await at.imported(
      ...["--table", "langchain_pg_embedding", "--content-column", "document", "--metadata-column", "cmetadata"],
      ...["--store-column", "collection_id", "--where", "cmetadata ->> 'n' <> '7'"],
    );
    expect(answer.rows).toMatchObject({ read: 59, added: 59 });
    expect(answer.stores).toMatchObject([{ id: "00000000-0000-0000-0000-00000000000c", made: true }]);
    expect(await at.place.query("SELECT content, metadata FROM embeddings WHERE id = 'doc-3'")).toEqual([
      { content: "text 3", metadata: { file_id: "f-3", n: 3 } },
    ]);
  });

  test("columns become keys of the metadata; times of several kinds", async () => {
    await at.source.exec(`
      CREATE TABLE docs (code varchar(10) PRIMARY KEY, body text, vec real[], meta text, "Lang" text, page int, at timestamptz, unix numeric);
      INSERT INTO docs VALUES ('a', 'x', '{1,2,3,4,5,6,7,8}', '{"a": 12345678901234567890.5}', 'de', 7, '2025-01-02 03:04:05.678901+02', 1700000000.25),
        ('b', 'y', '{1,2,3,4,5,6,7,8}', '', NULL, 8, NULL, NULL), ('c', 'z', '{1,2,3,4,5,6,7,8}', '[1]', 'en', NULL, NULL, NULL)`);
    const mapped = [
      "--table",
      "docs",
      "--content-column",
      "body",
      "--embedding-column",
      "vec",
      "--metadata-column",
      "meta",
      "--metadata-columns",
      "Lang,page",
    ];
    await at.imported(...mapped, "--created-at-column", "at", "--store-name", "a");
    const stored = await at.place.query(
      "SELECT id, metadata::text AS metadata, (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings ORDER BY id",
    );
    expect(stored).toMatchObject([
      { id: "a", metadata: '{"a": 12345678901234567890.5, "Lang": "de", "page": 7}', micros: "1735779845678901" },
      { id: "b", metadata: '{"page": 8}' },
      { id: "c", metadata: '{"Lang": "en", "metadata": [1]}' },
    ]);
    await at.imported(...mapped, "--created-at-column", "unix", "--store-name", "b", "--id-prefix", "2-");
    expect(
      await at.place.query(
        "SELECT (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings WHERE id = '2-a'",
      ),
    ).toEqual([{ micros: "1700000000250000" }]);
  });

  test("read page by page in the order of any key", async () => {
    const vector = `'{1,2,3,4,5,6,7,8}'::real[]`;
    await at.source.exec(`
      CREATE TABLE composite (a text, b int, content text, embedding real[], PRIMARY KEY (a, b));
      INSERT INTO composite SELECT chr(97 + n % 26), n, 'x' || n, ${vector} FROM generate_series(1, 300) AS n;
      CREATE TABLE uniquely (stamp timestamptz NOT NULL UNIQUE, content text, embedding real[]);
      INSERT INTO uniquely SELECT timestamptz '2025-01-01' + make_interval(secs => n / 1000000.0), 'y' || n, ${vector} FROM generate_series(1, 300) AS n;
      CREATE VIEW seen AS SELECT b AS id, content, embedding, a FROM composite;
      CREATE TABLE "Odd"".name" (id int, content text, embedding real[])`);
    expect((await at.imported("--table", "composite", "--store-name", "a")).rows).toMatchObject({
      read: 300,
      added: 300,
    });
    expect(await at.place.query("SELECT content FROM embeddings WHERE id = 'b:27'")).toEqual([{ content: "x27" }]);
    expect((await at.imported("--table", "uniquely", "--store-name", "b")).rows).toMatchObject({
      read: 300,
      added: 300,
    });
    expect(
      (await at.imported("--table", "seen", "--key-column", "id", "--store-name", "c", "--id-prefix", "v")).rows,
    ).toMatchObject({ read: 300, added: 300 });
    const twice = await at.importing("--table", "seen", "--key-column", "a", "--store-name", "d");
    expect(twice.err).toMatch(/--key-column: a value of t\."a" in "public"\."seen" is null or there twice/);
    const none = await at.importing("--table", "seen", "--store-name", "d");
    expect(none.err).toMatch(/The table "public"\."seen" has neither a primary key nor a unique index.*--key-column/);
  });

  test("a role that may only read, and another schema", async () => {
    const role = await makeRole(at.source);
    await at.source
      .exec(`CREATE SCHEMA app; CREATE TABLE app.docs (id int PRIMARY KEY, content text, embedding vector(8));
      INSERT INTO app.docs VALUES (1, 'x', '[${numbers(1)}]'); GRANT USAGE ON SCHEMA app TO ${role}; GRANT SELECT ON app.docs TO ${role}`);
    try {
      const url = await urlOf(at.source, "?schema=app", role);
      const environment = { ...at.place.environment, OLD_DATABASE_URL: url };
      const args = ["import", "--from", "env:OLD_DATABASE_URL", "--table", "docs", "--store-name", "x", "--json"];
      const { code, out } = await run(args, { environment });
      expect({ code, rows: (JSON.parse(out) as ImportAnswer).rows.added }).toEqual({ code: 0, rows: 1 });
      expect((await at.imported("--table", "app.docs", "--store-name", "x")).rows.read).toBe(1);
    } finally {
      await at.source.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

test("a source is a PostgreSQL server, so these tests need one", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
