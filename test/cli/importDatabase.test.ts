import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { type TestDatabase, createTestDatabase } from "../support/database.js";
import {
  fillReference,
  liveInTokyo,
  referenceRows,
  referenceStores,
  referenceTables,
} from "../support/litellmPgvector.js";
import { makeRole, onServer, urlOf } from "../support/serverDatabase.js";
import { type Place, createPlace, run } from "./support.js";
import { type ImportAnswer, contentOf, runJson } from "./transferSupport.js";
import { testDimensions } from "../support/settings.js";

jest.setTimeout(180_000);

/** What litellm-vector-store's README tells its users to run. */
const litellmVectorStore = `
  CREATE TABLE vector_stores (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name VARCHAR(255) NOT NULL, owner_user_id VARCHAR(255) NOT NULL,
    created_at TIMESTAMP DEFAULT NOW());
  CREATE TABLE documents (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), store_id UUID REFERENCES vector_stores(id) ON DELETE CASCADE,
    content TEXT NOT NULL, metadata JSONB DEFAULT '{}', embedding vector(${testDimensions}), created_at TIMESTAMP DEFAULT NOW());
  CREATE TABLE store_permissions (store_id UUID REFERENCES vector_stores(id) ON DELETE CASCADE, user_id VARCHAR(255) NOT NULL,
    permission VARCHAR(50) DEFAULT 'read', PRIMARY KEY (store_id, user_id));
  CREATE TABLE usage_stats (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id VARCHAR(255) NOT NULL,
    store_id UUID REFERENCES vector_stores(id) ON DELETE SET NULL, action VARCHAR(50) NOT NULL, tokens INT DEFAULT 0, duration FLOAT DEFAULT 0,
    created_at TIMESTAMP DEFAULT NOW());
  INSERT INTO vector_stores (id, name, owner_user_id, created_at) VALUES
    ('00000000-0000-0000-0000-00000000000a', 'Handbooks', 'user-1', '2025-03-01 10:00:00.123456'),
    ('00000000-0000-0000-0000-00000000000b', 'Empty', 'user-2', '2025-03-02');
  INSERT INTO documents (id, store_id, content, metadata, embedding, created_at)
    SELECT md5(n::text)::uuid, '00000000-0000-0000-0000-00000000000a', 'page ' || n, jsonb_build_object('n', n), ('[' || n || ',1,0,0,0,0,0,0]')::vector,
           timestamp '2025-03-01' + make_interval(secs => n) FROM generate_series(1, 120) AS n;
  INSERT INTO store_permissions VALUES ('00000000-0000-0000-0000-00000000000a', 'user-2', 'read');
  INSERT INTO usage_stats (user_id, action) VALUES ('user-1', 'search'), ('user-1', 'upload');`;

const numbers = (n: number) => `${n},1,0,0,0,0,0,${n / 8}`;

function onAServer(): void {
  let source: TestDatabase;
  let place: Place;
  let from: string;
  const roles: string[] = [];
  beforeAll(async () => {
    place = await createPlace();
    await run(["migrate"], { environment: place.environment });
  });
  beforeEach(async () => {
    source = await createTestDatabase();
    from = await urlOf(source);
  });
  afterEach(async () => {
    await source.drop();
    await place.exec(
      "DELETE FROM embeddings; DELETE FROM vector_stores; DELETE FROM vector_store_imports; DELETE FROM vector_store_vectors",
    );
  });
  afterAll(() => place.remove());
  const importing = (...args: string[]) => run(["import", "--from", from, ...args], { environment: place.environment });
  const imported = (...args: string[]) => runJson<ImportAnswer>(place, ["import", "--from", from, ...args]);

  test("litellm-pgvector: its stores with all that can be kept, its rows, and later what was added", async () => {
    await source.exec(referenceTables(testDimensions));
    await liveInTokyo(source);
    const stores = referenceStores();
    await fillReference(source, stores, referenceRows(stores.slice(0, -1), 300), testDimensions);
    const answer = await imported();
    expect(answer).toMatchObject({ finished: true, verified: true, rows: { read: 300, added: 300 }, notes: [] });
    expect(answer.checksums.stored).toBe(answer.checksums.read);
    expect(answer.stores.map((store) => [store.id, store.made]).sort()).toEqual(
      stores.map((store) => [store.id, true]).sort(),
    );

    const rows = await source.query(`
      SELECT id, vector_store_id, content, COALESCE(metadata, '{}')::text AS metadata, embedding::text AS embedding,
             (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings ORDER BY id`);
    const content = await contentOf(place);
    expect(content.rows).toEqual(rows);
    const expected = await source.query(`
      SELECT id, name, COALESCE(metadata, '{}')::text AS metadata, expires_after::text AS expires_after,
             (SELECT count(*) FROM embeddings AS e WHERE e.vector_store_id = s.id)::text AS chunks,
             (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM vector_stores AS s ORDER BY id`);
    expect(content.stores).toMatchObject(expected);
    // One that had lapsed begins a new term, as with a database that is adopted in place.
    expect(await place.query("SELECT count(*)::int AS n FROM vector_stores WHERE expires_at <= now()")).toEqual([
      { n: 0 },
    ]);

    await source.exec(
      `INSERT INTO embeddings (id, vector_store_id, content, embedding) SELECT '!new', vector_store_id, 'new', embedding FROM embeddings LIMIT 1`,
    );
    expect((await imported()).rows).toMatchObject({ read: 301, added: 1, duplicates: 300 });
  });

  test("litellm-vector-store: owners and times are kept; what is not imported is said plainly", async () => {
    await source.exec(litellmVectorStore);
    const { code, out, err } = await importing();
    expect(code).toBe(0);
    expect(out).toMatch(/^Imported "public"\."documents" of .*: 120 rows/);
    expect(err).toContain('1 row of "store_permissions" (who else may use a store) is not imported');
    expect(err).toContain('2 rows of "usage_stats" (who used what) are not imported');
    expect((await contentOf(place)).stores).toMatchObject([
      {
        id: "00000000-0000-0000-0000-00000000000a",
        name: "Handbooks",
        owner_user_id: "user-1",
        chunks: "120",
        micros: "1740823200123456",
      },
      { id: "00000000-0000-0000-0000-00000000000b", name: "Empty", owner_user_id: "user-2", chunks: "0" },
    ]);
    expect(await place.query("SELECT count(*)::int AS n FROM vector_store_vectors")).toEqual([{ n: 120 }]);

    await source.exec("UPDATE documents SET embedding = NULL WHERE content < 'page 2'");
    const [{ n } = {}] = await source.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM documents WHERE embedding IS NULL",
    );
    const refused = await importing("--restart");
    expect(refused.err).toMatch(
      new RegExp(
        `^vector-store: ${String(n)} of 120 rows have no embedding\\. With --embed .*--where "embedding IS NOT NULL"`,
      ),
    );
    expect((await imported("--where", "embedding IS NOT NULL")).rows).toMatchObject({
      read: 120 - Number(n),
      added: 0,
    });
  });

  describe("any table", () => {
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
      if (!type.includes("vec")) await source.exec("DROP EXTENSION vector");
      await source.exec(`
        CREATE FUNCTION f(n int) RETURNS text LANGUAGE sql AS $$ SELECT n || ',1,0,0,0,0,0,' || n / 8.0 $$;
        CREATE TABLE docs (id bigint PRIMARY KEY, content text, embedding ${type}, metadata jsonb);
        INSERT INTO docs SELECT n, 'text ' || n, (${expression})::${type}, '{}' FROM generate_series(1, 130) AS n`);
      expect((await imported("--table", "docs", "--store-name", "Docs")).rows).toMatchObject({ read: 130, added: 130 });
      expect(await place.query("SELECT embedding::text AS v FROM embeddings WHERE id = '4'")).toEqual([
        { v: `[${numbers(4)}]` },
      ]);
    });

    test("with embeddings as base64 and as bytes", async () => {
      const bytes = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
      await source.exec(`CREATE TABLE docs (id int PRIMARY KEY, content text, b64 text, raw bytea);
        INSERT INTO docs VALUES (1, 'x', '${bytes.toString("base64")}', '\\x${bytes.toString("hex")}')`);
      await imported("--table", "docs", "--embedding-column", "b64", "--store-name", "a");
      await imported("--table", "docs", "--embedding-column", "raw", "--store-name", "b", "--id-prefix", "b-");
      expect(await place.query("SELECT DISTINCT embedding::text AS v FROM embeddings")).toEqual([
        { v: "[1,2,3,4,5,6,7,8]" },
      ]);
    });

    test("mapped by flags, as langchain's: its collections become stores", async () => {
      await source.exec(`
        CREATE TABLE langchain_pg_collection (uuid uuid PRIMARY KEY, name varchar UNIQUE NOT NULL, cmetadata json);
        CREATE TABLE langchain_pg_embedding (id varchar PRIMARY KEY, collection_id uuid REFERENCES langchain_pg_collection, embedding vector,
          document varchar, cmetadata jsonb);
        INSERT INTO langchain_pg_collection VALUES ('00000000-0000-0000-0000-00000000000c', 'files', NULL);
        INSERT INTO langchain_pg_embedding SELECT 'doc-' || n, '00000000-0000-0000-0000-00000000000c', ('[' || n || ',1,0,0,0,0,0,0]')::vector,
          'text ' || n, jsonb_build_object('file_id', 'f-' || n, 'n', n) FROM generate_series(1, 60) AS n`);
      const answer = await imported(
        ...["--table", "langchain_pg_embedding", "--content-column", "document", "--metadata-column", "cmetadata"],
        ...["--store-column", "collection_id", "--where", "cmetadata ->> 'n' <> '7'"],
      );
      expect(answer.rows).toMatchObject({ read: 59, added: 59 });
      expect(answer.stores).toMatchObject([{ id: "00000000-0000-0000-0000-00000000000c", made: true }]);
      expect(await place.query("SELECT content, metadata FROM embeddings WHERE id = 'doc-3'")).toEqual([
        { content: "text 3", metadata: { file_id: "f-3", n: 3 } },
      ]);
    });

    test("columns become keys of the metadata; times of several kinds", async () => {
      await source.exec(`
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
      await imported(...mapped, "--created-at-column", "at", "--store-name", "a");
      const stored = await place.query(
        "SELECT id, metadata::text AS metadata, (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings ORDER BY id",
      );
      expect(stored).toMatchObject([
        { id: "a", metadata: '{"a": 12345678901234567890.5, "Lang": "de", "page": 7}', micros: "1735779845678901" },
        { id: "b", metadata: '{"page": 8}' },
        { id: "c", metadata: '{"Lang": "en", "metadata": [1]}' },
      ]);
      await imported(...mapped, "--created-at-column", "unix", "--store-name", "b", "--id-prefix", "2-");
      expect(
        await place.query(
          "SELECT (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings WHERE id = '2-a'",
        ),
      ).toEqual([{ micros: "1700000000250000" }]);
    });

    test("read in the order of any key, a page after the other", async () => {
      const vector = `'{1,2,3,4,5,6,7,8}'::real[]`;
      await source.exec(`
        CREATE TABLE composite (a text, b int, content text, embedding real[], PRIMARY KEY (a, b));
        INSERT INTO composite SELECT chr(97 + n % 26), n, 'x' || n, ${vector} FROM generate_series(1, 300) AS n;
        CREATE TABLE uniquely (stamp timestamptz NOT NULL UNIQUE, content text, embedding real[]);
        INSERT INTO uniquely SELECT timestamptz '2025-01-01' + make_interval(secs => n / 1000000.0), 'y' || n, ${vector} FROM generate_series(1, 300) AS n;
        CREATE VIEW seen AS SELECT b AS id, content, embedding, a FROM composite;
        CREATE TABLE "Odd"".name" (id int, content text, embedding real[])`);
      expect((await imported("--table", "composite", "--store-name", "a")).rows).toMatchObject({
        read: 300,
        added: 300,
      });
      expect(await place.query("SELECT content FROM embeddings WHERE id = 'b:27'")).toEqual([{ content: "x27" }]);
      expect((await imported("--table", "uniquely", "--store-name", "b")).rows).toMatchObject({
        read: 300,
        added: 300,
      });
      expect(
        (await imported("--table", "seen", "--key-column", "id", "--store-name", "c", "--id-prefix", "v")).rows,
      ).toMatchObject({ read: 300, added: 300 });
      const twice = await importing("--table", "seen", "--key-column", "a", "--store-name", "d");
      expect(twice.err).toMatch(/--key-column: a value of t\."a" in "public"\."seen" is null or there twice/);
      const none = await importing("--table", "seen", "--store-name", "d");
      expect(none.err).toMatch(/The table "public"\."seen" has neither a primary key nor a unique index.*--key-column/);
    });

    test("a role that may only read, and a schema of its own", async () => {
      const role = await makeRole(source);
      roles.push(role);
      await source.exec(`CREATE SCHEMA app; CREATE TABLE app.docs (id int PRIMARY KEY, content text, embedding vector(8));
        INSERT INTO app.docs VALUES (1, 'x', '[${numbers(1)}]'); GRANT USAGE ON SCHEMA app TO ${role}; GRANT SELECT ON app.docs TO ${role}`);
      try {
        const url = await urlOf(source, "?schema=app", role);
        const environment = { ...place.environment, OLD_DATABASE_URL: url };
        const args = ["import", "--from", "env:OLD_DATABASE_URL", "--table", "docs", "--store-name", "x", "--json"];
        const { code, out } = await run(args, { environment });
        expect({ code, rows: (JSON.parse(out) as ImportAnswer).rows.added }).toEqual({ code: 0, rows: 1 });
        expect((await imported("--table", "app.docs", "--store-name", "x")).rows.read).toBe(1);
      } finally {
        await source.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    });
  });

  test("another installation of this service: settings of stores are kept, chunks of files under way left out", async () => {
    const other = await createPlace();
    try {
      await run(["migrate"], { environment: other.environment });
      await other.exec(`
        INSERT INTO vector_stores (id, name, description, embedding_dimensions, search_settings, hidden_files, vectors_complete)
          VALUES ('vs_x', 'X', 'about', 8, '{"mode": "hybrid"}', '{file-1}', true);
        INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata) VALUES ('a', 'vs_x', 'shown', '[${numbers(1)}]', '{}'),
          ('b', 'vs_x', 'hidden', '[${numbers(1)}]', '{"file_id": "file-1"}')`);
      from = other.environment.DATABASE_URL ?? "";
      expect((await imported()).rows).toMatchObject({ read: 1, added: 1 });
      expect((await contentOf(place)).stores).toMatchObject([
        { id: "vs_x", name: "X", description: "about", search: '{"mode": "hybrid"}', chunks: "1" },
      ]);
    } finally {
      await other.remove();
    }
  });

  describe("what cannot be read is told with the flag or the row", () => {
    beforeEach(async () => {
      await source.exec(`
        CREATE TABLE docs (id int PRIMARY KEY, content text, embedding vector(8), metadata jsonb, words text, flag boolean);
        INSERT INTO docs SELECT n, 'text ' || n, ('[' || n || ',1,0,0,0,0,0,0]')::vector, '{}', '{"n": ' || n || '}', true FROM generate_series(1, 130) AS n`);
    });
    const table = ["--table", "docs", "--store-name", "x"];

    test.each<[string[], RegExp]>([
      [
        ["--store-name", "x"],
        /has neither the tables of litellm-pgvector .* nor those of litellm-vector-store .*--table/,
      ],
      [["--table", "nothing", "--store-name", "x"], /has no table "nothing" that this role can see/],
      [["--from-kind", "table"], /--from-kind table needs the table's name/],
      [["--from-kind", "litellm-pgvector"], /has no table "embeddings"/],
      [
        [...table, "--content-column", "body"],
        /--content-column: the table "public"\."docs" has no column "body" \(it has: id, content, embedding, metadata, words, flag\)/,
      ],
      [[...table, "--metadata-columns", "words,lang"], /--metadata-columns: .* has no column "lang"/],
      [
        [...table, "--embedding-column", "flag"],
        /--embedding-column: the column "flag" has the type bool; it must be one of vector, halfvec/,
      ],
      [
        [...table, "--metadata-column", "flag"],
        /--metadata-column: the column "flag" has the type bool.*--metadata-columns/,
      ],
      [[...table, "--created-at-column", "flag"], /--created-at-column: the column "flag" has the type bool/],
      [[...table, "--where", "n = 1"], /--where: the source does not take the condition: .*column "n" does not exist/],
      [
        [...table, "--embedding-column", "words"],
        /the row 1 of "public"\."docs": its embedding is neither an array of numbers nor base64/,
      ],
    ])("%j", async (args, message) => {
      const { code, err } = await importing(...args);
      expect(code).toBe(1);
      expect(err).toMatch(message);
      expect(await place.query("SELECT count(*)::int AS n FROM embeddings")).toEqual([{ n: 0 }]);
    });

    test("a row whose metadata is no JSON, in the middle of a page", async () => {
      await source.exec("UPDATE docs SET words = '{broken' WHERE id = 77");
      const { err } = await importing(...table, "--metadata-column", "words");
      expect(err).toMatch(
        /the row that follows the key 76 of "public"\."docs" cannot be read: invalid input syntax for type json.*--where/,
      );
      expect((await imported(...table, "--metadata-column", "words", "--where", "id <> 77")).rows.read).toBe(129);
    });

    test("a row without content, and vectors of another length, with both numbers", async () => {
      await source.exec("UPDATE docs SET content = NULL WHERE id = 5");
      expect((await importing(...table)).err).toMatch(/the row 5 of "public"\."docs": its content is null.*--where/);
      await source.exec("UPDATE docs SET content = 'there' WHERE id = 5");
      await place.exec(
        "INSERT INTO vector_stores (id, name, embedding_dimensions, vectors_complete) VALUES ('vs_4', 'four', 4, true)",
      );
      const { err } = await importing("--table", "docs", "--store", "vs_4");
      expect(err).toMatch(
        /the row 1 of "public"\."docs": its embedding has 8 dimensions, and the vector store 'vs_4' has 4/,
      );
    });
  });
}

if (onServer) describe("import from a PostgreSQL database", onAServer);

test("a source is a PostgreSQL server, so these are tests for servers only", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
