import { beforeEach, describe, expect, test } from "@jest/globals";
import {
  documentId,
  fillQuickStart,
  quickStartDocuments,
  runQuickStart,
  storeIds,
  stray,
  strayRows,
} from "../support/quickStart.js";
import { onServer, urlOf } from "../support/serverDatabase.js";
import { useImportPlaces } from "./importPlaces.js";
import { run } from "./support.js";
import { contentOf } from "./transferSupport.js";

const dimensions = 1024;
const model = ["--embedding-model", "built-in-hashing"];

(onServer ? describe : describe.skip)("import from litellm-vector-store's Quick Start", () => {
  const at = useImportPlaces();
  beforeEach(async () => {
    await at.place.exec(
      "DELETE FROM vector_store_usage_days; DELETE FROM vector_store_usage_events; DELETE FROM vector_store_audit",
    );
    await runQuickStart(at.source);
    await fillQuickStart(at.source, quickStartDocuments(120), dimensions);
  });

  const permissions = () =>
    at.place.query(
      "SELECT vector_store_id AS store, subject, permission, granted_by FROM vector_store_permissions ORDER BY 1, 2",
    );
  const usage = () =>
    at.place.query(`SELECT user_id, vector_store_id AS store, action, requests::int, tokens::int, duration_ms::int
      FROM vector_store_usage_days ORDER BY 1, 3`);
  const granted = [
    { store: storeIds.handbooks, subject: "user:ben", permission: "read", granted_by: "import" },
    { store: storeIds.handbooks, subject: "user:cleo", permission: "write", granted_by: "import" },
    { store: storeIds.contracts, subject: "user:cleo", permission: "admin", granted_by: "import" },
    { store: storeIds.contracts, subject: "user:dora", permission: "write", granted_by: "import" },
  ];
  const used = [
    { user_id: "ann", store: "", action: "embeddings", requests: 1, tokens: 100, duration_ms: 1000 },
    { user_id: "ann", store: storeIds.handbooks, action: "search", requests: 2, tokens: 20, duration_ms: 750 },
    { user_id: "ben", store: storeIds.contracts, action: "upload", requests: 1, tokens: 0, duration_ms: 0 },
  ];
  const everything = { granted: 4, used: 4, used_long_ago: 0, not_understood: 0 };
  const nothing = { granted: 0, used: 0, used_long_ago: 0, not_understood: 0 };

  test("rows, stores, owners, times, permissions and usage; again, nothing is taken twice", async () => {
    expect(await at.imported("--dry-run", ...model)).toMatchObject({ rows: { added: 120 }, people: everything });
    expect(await permissions()).toEqual([]);
    expect(await at.imported(...model)).toMatchObject({
      rows: { read: 120, added: 120 },
      people: everything,
      notes: [],
    });
    expect((await contentOf(at.place)).stores).toMatchObject([
      { id: storeIds.handbooks, name: "Handbooks", owner_user_id: "ann", chunks: "60", micros: "1740823200123456" },
      { id: storeIds.contracts, name: "Contracts", owner_user_id: "ben", chunks: "60" },
      { id: storeIds.empty, name: "Empty", owner_user_id: "ann", chunks: "0" },
      { id: storeIds.nobodys, name: "Nobody's", owner_user_id: null, chunks: "0" },
    ]);
    expect(await permissions()).toEqual(granted);
    expect(await usage()).toEqual(used);
    for (const more of [[], ["--restart"]]) {
      expect(await at.imported(...model, ...more)).toMatchObject({
        rows: { added: 0, duplicates: 120 },
        people: nothing,
      });
    }
    expect(await permissions()).toEqual(granted);
    expect(await usage()).toEqual(used);
  });

  test("what was added since is taken; what was changed or taken away here stays so", async () => {
    await at.imported(...model);
    await at.place.exec(`
      UPDATE vector_store_permissions SET permission = 'admin' WHERE subject = 'user:ben';
      DELETE FROM vector_store_permissions WHERE subject = 'user:dora';
      INSERT INTO vector_store_audit (id, at, actor, action, target, details)
        VALUES ('audit_1', now(), 'master', 'permission.revoke', '${storeIds.contracts}', '{"subject": "user:dora"}')`);
    await at.source.exec(`
      INSERT INTO store_permissions VALUES ('${storeIds.empty}', 'emil', 'read');
      INSERT INTO usage_stats (user_id, action, tokens) VALUES ('emil', 'search', 5)`);
    expect(await at.imported(...model)).toMatchObject({ people: { ...nothing, granted: 1, used: 1 } });
    expect((await permissions()).map(({ subject, permission }) => [subject, permission])).toEqual([
      ["user:ben", "admin"],
      ["user:cleo", "write"],
      ["user:cleo", "admin"],
      ["user:emil", "read"],
    ]);
    const acts = await at.place.query(
      "SELECT actor, details FROM vector_store_audit WHERE action = 'permission.import' ORDER BY id",
    );
    const named = granted.map(({ store, subject, permission }) => ({ storeId: store, subject, permission }));
    expect(acts).toMatchObject([
      { actor: "import", details: { granted: 4, permissions: expect.arrayContaining(named) } },
      {
        actor: "import",
        details: { granted: 1, permissions: [{ storeId: storeIds.empty, subject: "user:emil", permission: "read" }] },
      },
    ]);
  });

  test("what was erased or handed over here is not granted again, and what was erased is not counted again", async () => {
    await at.imported(...model);
    // As owners.erase and owners.transfer leave it; see test/http/adminOwners.test.ts.
    await at.place.exec(`
      DELETE FROM vector_store_permissions WHERE subject = 'user:cleo';
      DELETE FROM vector_store_usage_days WHERE user_id = 'ann';
      DELETE FROM vector_store_usage_events WHERE user_id = 'ann';
      UPDATE vector_store_permissions SET subject = 'user:eve' WHERE subject = 'user:ben';
      INSERT INTO vector_store_audit (id, at, actor, action, target, details) VALUES
        ('audit_1', now(), 'master', 'owner.erase', 'user:cleo', '{}'),
        ('audit_2', now(), 'master', 'owner.erase', 'user:ann', '{}'),
        ('audit_3', now(), 'master', 'owner.transfer', 'user:ben', '{"to": "user:eve"}')`);
    await at.source.exec(`
      INSERT INTO store_permissions VALUES ('${storeIds.empty}', 'cleo', 'read');
      INSERT INTO usage_stats (user_id, action, created_at) VALUES ('ann', 'search', now() AT TIME ZONE 'UTC' + interval '1 minute')`);
    expect(await at.imported(...model, "--restart")).toMatchObject({ people: { ...nothing, used: 1 } });
    expect((await permissions()).map(({ subject, permission }) => [subject, permission])).toEqual([
      ["user:eve", "read"],
      ["user:dora", "write"],
    ]);
  });

  test("what means nothing here, and what is too old, is named or counted", async () => {
    await at.source.exec(`${strayRows}
      INSERT INTO usage_stats (user_id, action, created_at) VALUES ('ann', 'search', now() - interval '5 years')`);
    const { notes, people } = await at.imported(...model, "--where", "embedding IS NOT NULL AND store_id IS NOT NULL");
    expect(people).toEqual({ granted: 4, used: 4, used_long_ago: 1, not_understood: 5 });
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(
      /^5 permissions and uses mean nothing here and were left out: .*"superuser" for the user "dora"/,
    );
    for (const id of [stray.timeless, stray.endless]) expect(notes[0]).toContain(`the use ${id}`);
    expect(notes[1]).toBe("Uses older than USAGE_RETENTION_DAYS, which were left out: 1.");
  });

  test("documents without a store or an embedding are refused by name, and can be left out", async () => {
    await at.source.exec(strayRows);
    expect((await at.importing(...model)).err).toMatch(
      /1 of 123 rows have no embedding\..*--where "embedding IS NOT NULL"/,
    );
    const refused = await at.importing(...model, "--where", "embedding IS NOT NULL");
    expect(refused.err).toContain(`(the row ${stray.orphan} of "public"."documents")`);
    expect(refused.err).toContain("--where");
  });

  test("all rows to one store: permissions and usage stay behind, and that is said", async () => {
    const { notes, people } = await at.imported(...model, "--store-name", "All");
    expect(people).toEqual(nothing);
    expect(notes).toEqual([expect.stringContaining("Permissions and usage stay behind")]);
    expect(await permissions()).toEqual([]);
  });

  test("thousands of uses, interrupted after some of them, are all counted once", async () => {
    await at.source.exec(`
      INSERT INTO usage_stats (user_id, action, tokens, created_at)
      SELECT 'user ' || n % 7, 'search', 1, now() AT TIME ZONE 'UTC' - make_interval(hours => n % 24) FROM generate_series(1, 5000) AS n`);
    await at.imported(...model);
    // As after a kill: the checkpoint says less than was done.
    await at.place.exec("UPDATE vector_store_imports SET finished_at = NULL, position = NULL");
    expect(await at.imported(...model)).toMatchObject({ people: nothing });
    await at.place.exec(`DELETE FROM vector_store_usage_days; DELETE FROM vector_store_usage_events;
      UPDATE vector_store_imports SET finished_at = NULL, position = '{"people": "usage", "key": ["${documentId("middle")}"]}'`);
    const rest = await at.imported(...model);
    expect(rest.rows).toMatchObject({ duplicates: 120 });
    const [after] = await at.source.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM usage_stats WHERE id > '${documentId("middle")}'`,
    );
    const [counted] = await at.place.query("SELECT sum(requests)::int AS n FROM vector_store_usage_days");
    expect(counted).toEqual({ n: after?.n });
  });

  test("ADOPTED_OWNER gets the stores without an owner", async () => {
    const environment = { ...at.place.environment, ADOPTED_OWNER: "team:support" };
    expect(await run(["import", "--from", at.from, ...model], { environment })).toMatchObject({ code: 0 });
    expect(await at.place.query("SELECT name, owner_user_id, owner_team_id FROM vector_stores ORDER BY id")).toEqual([
      { name: "Handbooks", owner_user_id: "ann", owner_team_id: null },
      { name: "Contracts", owner_user_id: "ben", owner_team_id: null },
      { name: "Empty", owner_user_id: "ann", owner_team_id: null },
      { name: "Nobody's", owner_user_id: null, owner_team_id: "support" },
    ]);
  });

  test("into a database that an earlier version has begun to use: its documents come over", async () => {
    await at.source.exec(`ALTER TABLE vector_stores ALTER COLUMN owner_user_id DROP NOT NULL;
      CREATE TABLE embeddings (id text PRIMARY KEY, vector_store_id uuid NOT NULL REFERENCES vector_stores (id) ON DELETE CASCADE,
        content text NOT NULL, embedding vector NOT NULL, metadata jsonb, created_at timestamptz NOT NULL DEFAULT now())`);
    const own = {
      EMBEDDING__DIMENSIONS: "1024",
      DATABASE_URL: await urlOf(at.source),
      SERVER_API_KEY: "sk-mine-0123456789",
    };
    expect(await run(["migrate"], { environment: own })).toMatchObject({ code: 0 });
    const command = ["import", "--from", at.from, "--from-kind", "litellm-vector-store", "--json"];
    const { code, out } = await run(command, { environment: own });
    expect(code).toBe(0);
    // The start has taken permissions and usage over already.
    expect(JSON.parse(out)).toMatchObject({ rows: { read: 120, added: 120 }, people: nothing });
    expect(await at.source.query("SELECT sum(chunk_count)::int AS n FROM vector_stores")).toEqual([{ n: 120 }]);
  });

  test("into the database that adopted these tables: what their program has added since", async () => {
    const own = {
      EMBEDDING_MODEL: "their-model",
      DATABASE_URL: await urlOf(at.source),
      SERVER_API_KEY: "sk-mine-0123456789",
    };
    expect(await run(["migrate"], { environment: own })).toMatchObject({ code: 0 });
    await at.source.exec(`
      INSERT INTO store_permissions VALUES ('${storeIds.empty}', 'emil', 'read');
      INSERT INTO usage_stats (user_id, action, tokens) VALUES ('emil', 'search', 5)`);
    const { code, out } = await run(["import", "--from", at.from, "--json"], { environment: own });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ rows: { read: 120, duplicates: 120 }, people: { granted: 1, used: 1 } });
    expect(await at.source.query("SELECT sum(requests)::int AS n FROM vector_store_usage_days")).toEqual([{ n: 5 }]);
  });
});

test("a source is a PostgreSQL server, so these tests need one", () => {
  expect(onServer).toBe((process.env.TEST_DATABASE_URL ?? "") !== "");
});
