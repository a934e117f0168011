import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import {
  fillReference,
  liveInTokyo,
  referenceRows,
  referenceStores,
  referenceTables,
} from "../support/litellmPgvector.js";
import { fillQuickStart, quickStartDocuments, runQuickStart, storeIds } from "../support/quickStart.js";
import { onServer, urlOf } from "../support/serverDatabase.js";
import { useImportPlaces } from "./importPlaces.js";
import { type Place, createPlace, run } from "./support.js";
import { contentOf } from "./transferSupport.js";

(onServer ? describe : describe.skip)("import from a PostgreSQL database", () => {
  const at = useImportPlaces();

  test("litellm-pgvector: stores with their settings, rows, and later the rows added since", async () => {
    await at.source.exec(referenceTables(testDimensions));
    await liveInTokyo(at.source);
    const stores = referenceStores();
    await fillReference(at.source, stores, referenceRows(stores.slice(0, -1), 300), testDimensions);
    const answer = await at.imported();
    expect(answer).toMatchObject({ finished: true, verified: true, rows: { read: 300, added: 300 }, notes: [] });
    expect(answer.checksums.stored).toBe(answer.checksums.read);
    expect(answer.stores.map((store) => [store.id, store.made]).sort()).toEqual(
      stores.map((store) => [store.id, true]).sort(),
    );

    const rows = await at.source.query(`
      SELECT id, vector_store_id, content, COALESCE(metadata, '{}')::text AS metadata, embedding::text AS embedding,
             (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings ORDER BY id`);
    const content = await contentOf(at.place);
    expect(content.rows).toEqual(rows);
    const expected = await at.source.query(`
      SELECT id, name, COALESCE(metadata, '{}')::text AS metadata, expires_after::text AS expires_after,
             (SELECT count(*) FROM embeddings AS e WHERE e.vector_store_id = s.id)::text AS chunks,
             (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM vector_stores AS s ORDER BY id`);
    expect(content.stores).toMatchObject(expected);
    // An expired store starts a new term, as in an adopted database.
    expect(await at.place.query("SELECT count(*)::int AS n FROM vector_stores WHERE expires_at <= now()")).toEqual([
      { n: 0 },
    ]);

    await at.source.exec(
      `INSERT INTO embeddings (id, vector_store_id, content, embedding) SELECT '!new', vector_store_id, 'new', embedding FROM embeddings LIMIT 1`,
    );
    expect((await at.imported()).rows).toMatchObject({ read: 301, added: 1, duplicates: 300 });
  });

  test("another database of this service: settings of stores are kept, what nobody can see is left out", async () => {
    const other = await createPlace();
    try {
      await run(["migrate"], { environment: other.environment });
      await other.exec(`
        INSERT INTO vector_stores (id, name, description, embedding_dimensions, search_settings, hidden_files, vectors_complete)
          VALUES ('vs_x', 'X', 'about', 8, '{"mode": "hybrid"}', '{file-1}', true);
        INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata) VALUES ('a', 'vs_x', 'shown', '[1,1,0,0,0,0,0,0.125]', '{}'),
          ('b', 'vs_x', 'hidden', '[1,1,0,0,0,0,0,0.125]', '{"file_id": "file-1"}');
        INSERT INTO vector_stores (id, name, embedding_dimensions, leaving) VALUES ('vs_gone', 'Gone', 8, true);
        INSERT INTO embeddings (id, vector_store_id, content, embedding) VALUES ('c', 'vs_gone', 'gone', '[1,1,0,0,0,0,0,0.125]')`);
      at.from = other.environment.DATABASE_URL ?? "";
      expect((await at.imported()).rows).toMatchObject({ read: 1, added: 1 });
      expect((await contentOf(at.place)).stores).toMatchObject([
        { id: "vs_x", name: "X", description: "about", search: '{"mode": "hybrid"}', chunks: "1" },
      ]);
    } finally {
      await other.remove();
    }
  });

  describe("another database of this service", () => {
    const granted = [
      ["vs_a", "everyone", "read"],
      ["vs_a", "team:red", "write"],
      ["vs_a", "user:ben", "admin"],
      ["vs_b", "user:cy", "read"],
    ];
    const permissions = async () =>
      (
        await at.place.query(
          "SELECT vector_store_id AS store, subject, permission FROM vector_store_permissions ORDER BY 1, 2",
        )
      ).map(({ store, subject, permission }) => [store, subject, permission]);
    let other: Place;
    beforeEach(async () => {
      other = await createPlace();
      await run(["migrate"], { environment: other.environment });
      await other.exec(`
        INSERT INTO vector_stores (id, name, owner_user_id, embedding_dimensions, leaving)
          VALUES ('vs_a', 'A', 'ann', 8, false), ('vs_b', 'B', 'ann', 8, false), ('vs_gone', 'Gone', 'ann', 8, true);
        INSERT INTO vector_store_permissions (vector_store_id, subject, permission, granted_at, granted_by) VALUES
          ${[...granted, ["vs_gone", "user:cy", "read"]].map((each) => `('${each.join("', '")}', now(), 'user:ann')`).join(", ")}`);
      at.from = other.environment.DATABASE_URL ?? "";
    });
    afterEach(() => other.remove());

    test("permissions of users, teams and everyone come over; again, nothing is granted twice", async () => {
      expect(await at.imported("--dry-run")).toMatchObject({ people: { granted: 4 } });
      expect(await permissions()).toEqual([]);
      const { out } = await at.importing();
      expect(out).toContain("4 permissions that were granted");
      expect(await permissions()).toEqual(granted);
      expect(await at.imported("--restart")).toMatchObject({ people: { granted: 0, not_understood: 0 } });
      expect(await permissions()).toEqual(granted);
    });

    test("all rows to one store: permissions stay behind, and that is said", async () => {
      const { notes } = await at.imported("--store-name", "All");
      expect(notes).toEqual([expect.stringContaining("Permissions and usage stay behind")]);
      expect(await permissions()).toEqual([]);
    });
  });

  test("a database that adopted the Quick Start's: what was changed and taken away there counts", async () => {
    await runQuickStart(at.source);
    await fillQuickStart(at.source, quickStartDocuments(2), 1024);
    const own = { EMBEDDING_MODEL: "m", DATABASE_URL: await urlOf(at.source), SERVER_API_KEY: "sk-mine-0123456789" };
    expect(await run(["migrate"], { environment: own })).toMatchObject({ code: 0 });
    await at.source.exec(`
      UPDATE vector_store_permissions SET permission = 'admin' WHERE subject = 'user:ben';
      DELETE FROM vector_store_permissions WHERE subject IN ('user:cleo', 'user:dora');
      INSERT INTO vector_store_audit (id, at, actor, action, target, details) VALUES
        ('audit_1', now(), 'master', 'permission.revoke', '${storeIds.contracts}', '{"subject": "user:dora"}'),
        ('audit_2', now(), 'master', 'owner.erase', 'user:cleo', '{}')`);
    expect(await at.imported("--embedding-model", "built-in-hashing")).toMatchObject({ people: { granted: 1 } });
    expect(await at.place.query("SELECT subject, permission FROM vector_store_permissions")).toEqual([
      { subject: "user:ben", permission: "admin" },
    ]);
  });

  describe("an error names the flag or the row", () => {
    beforeEach(async () => {
      await at.source.exec(`
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
      const { code, err } = await at.importing(...args);
      expect(code).toBe(1);
      expect(err).toMatch(message);
      expect(await at.place.query("SELECT count(*)::int AS n FROM embeddings")).toEqual([{ n: 0 }]);
    });

    test("a row whose metadata is not JSON, in the middle of a page", async () => {
      await at.source.exec("UPDATE docs SET words = '{broken' WHERE id = 77");
      const { err } = await at.importing(...table, "--metadata-column", "words");
      expect(err).toMatch(
        /the row that follows the key 76 of "public"\."docs" cannot be read: invalid input syntax for type json.*--where/,
      );
      expect((await at.imported(...table, "--metadata-column", "words", "--where", "id <> 77")).rows.read).toBe(129);
    });

    test("a row without content, and vectors of other dimensions, with both numbers", async () => {
      await at.source.exec("UPDATE docs SET content = NULL WHERE id = 5");
      expect((await at.importing(...table)).err).toMatch(/the row 5 of "public"\."docs": its content is null.*--where/);
      await at.source.exec("UPDATE docs SET content = 'there' WHERE id = 5");
      await at.place.exec(
        "INSERT INTO vector_stores (id, name, embedding_dimensions, vectors_complete) VALUES ('vs_4', 'four', 4, true)",
      );
      const { err } = await at.importing("--table", "docs", "--store", "vs_4");
      expect(err).toMatch(
        /the row 1 of "public"\."docs": its embedding has 8 dimensions, and the vector store 'vs_4' has 4/,
      );
    });
  });
});

test("a source is a PostgreSQL server, so these tests need one", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
