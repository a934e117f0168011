import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { type FakeLitellm, startFakeLitellm } from "../../support/fakeLitellm.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { embed, liveInTokyo } from "../../support/litellmPgvector.js";
import {
  type QuickStartDocument,
  addDocuments,
  fillQuickStart,
  quickStartDocuments,
  quickStartSettings,
  runQuickStart,
  storeIds,
  stray,
  strayRows,
} from "../../support/quickStart.js";
import { type TestService, startService } from "../../support/service.js";
import { settle } from "../../support/stores.js";
import { send } from "../../http/requests.js";

const dimensions = 1024;
const documents = quickStartDocuments(60);
const handbooks = `/v1/vector_stores/${storeIds.handbooks}`;
const contracts = `/v1/vector_stores/${storeIds.contracts}`;

let litellm: FakeLitellm;
let database: TestDatabase;
let service: TestService;
let settings: Record<string, string>;
let before: unknown;
const said: string[] = [];

/** What its program wrote: each row's place on disk and last writer change when a row is rewritten. */
const written = () =>
  Promise.all(
    ["documents", "store_permissions", "usage_stats"].map((table) =>
      database.query(`SELECT xmin::text, ctid::text, to_jsonb(t) - 'embedding' AS row FROM ${table} AS t ORDER BY 2`),
    ),
  );
const takenOver = async () => ({
  migrations: await database.query(
    "SELECT version, checksum, applied_at::text FROM vector_store_migrations ORDER BY 1",
  ),
  stores: await database.query("SELECT id, owner_user_id, chunk_count FROM vector_stores ORDER BY 1"),
  permissions: await database.query("SELECT * FROM vector_store_permissions ORDER BY 1, 2"),
  usage: await database.query("SELECT * FROM vector_store_usage_days WHERE key_id = '' ORDER BY 1, 2, 3, 4, 5, 6"),
});

beforeAll(async () => {
  litellm = await startFakeLitellm();
  for (const name of ["ann", "ben", "cleo", "dora", "emil"]) litellm.keys.set(`sk-${name}`, { user_id: name });
  litellm.answers.embeddings = async ({ body }) => {
    const vectors = await embed([body.input].flat(), dimensions);
    const data = vectors.map((vector, index) => ({ object: "embedding", index, embedding: [...vector] }));
    return { json: { object: "list", data, model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 } } };
  };
  settings = { ...litellm.environment, ...quickStartSettings, EMBEDDING__MODEL: "" };
  database = await createTestDatabase();
  await runQuickStart(database);
  await fillQuickStart(database, documents, dimensions);
  await database.exec(strayRows);
  await liveInTokyo(database);
  before = await written();
  const log = pino(
    { level: "info" },
    { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) },
  );
  await (await database.open(settings, undefined, log)).db.close();
  service = await startService({ database, environment: settings });
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = async (who: string, path: string, body?: object) => {
  const method = body === undefined ? "GET" : "POST";
  const key = who === "master" ? litellm.masterKey : `sk-${who}`;
  const { status, text } = await send(service.url, { method, path, key, ...(body !== undefined && { body }) });
  return { status, body: JSON.parse(text) as Record<string, unknown> };
};
const ids = ({ body }: { body: Record<string, unknown> }) => (body.data as { id: string }[]).map(({ id }) => id);

/** The documents that their store's search for their content does not give first. */
async function notFound(asked: readonly QuickStartDocument[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { id, store_id, content } of asked) {
    const who = store_id === storeIds.handbooks ? "ann" : "ben";
    const answer = await ask(who, `/v1/vector_stores/${store_id ?? ""}/search`, { query: content, max_num_results: 1 });
    const [hit] = answer.status === 200 ? (answer.body.data as { id: string; score: number }[]) : [];
    if (hit?.id !== id || hit.score < 0.99999) missing.push(`${id} (${answer.status})`);
  }
  return missing;
}

/** Reading, searching, writing and changing a store. */
const rights = async (who: string, path: string) => [
  (await ask(who, path)).status,
  (await ask(who, `${path}/search`, { query: "Seite" })).status,
  (await ask(who, `${path}/embeddings`, { content: `by ${who}`, embedding: Array(dimensions).fill(0.5) })).status,
  (await ask(who, path, { metadata: {} })).status,
];

describe("the database of litellm-vector-store's Quick Start, adopted in place with its own settings", () => {
  test("its rows were not rewritten", async () => {
    expect(await written()).toEqual(before);
  });

  test("every document is found, and counts, sizes and dimensions are right", async () => {
    expect(await notFound(documents)).toEqual([]);
    const own = documents.filter(({ store_id }) => store_id === storeIds.contracts);
    expect((await ask("ben", contracts)).body).toMatchObject({
      name: "Contracts",
      created_at: Date.parse("2025-03-02T10:00:00Z") / 1000,
      file_counts: { completed: own.length, total: own.length },
      usage_bytes: own.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0),
      embedding_dimensions: dimensions,
    });
    expect((await ask("ann", `/v1/vector_stores/${storeIds.empty}`)).body.created_at).toBeGreaterThan(1_700_000_000);
  });

  test("owners see their stores, a store without one is the service's", async () => {
    expect(ids(await ask("ann", "/v1/vector_stores?order=asc"))).toEqual([storeIds.handbooks, storeIds.empty]);
    expect(ids(await ask("emil", "/v1/vector_stores"))).toEqual([]);
    expect(ids(await ask("master", "/v1/vector_stores"))).toHaveLength(4);
    expect((await service.get(`/v1/vector_stores/${storeIds.nobodys}`).expect(200)).body).toMatchObject({
      name: "Nobody's",
    });
  });

  test("store_permissions are permissions here", async () => {
    expect(await rights("ann", handbooks)).toEqual([200, 200, 200, 200]);
    expect(await rights("ben", handbooks)).toEqual([200, 200, 403, 403]);
    expect(await rights("cleo", handbooks)).toEqual([200, 200, 200, 403]);
    expect(await rights("cleo", contracts)).toEqual([200, 200, 200, 200]);
    expect(await rights("dora", contracts)).toEqual([200, 200, 200, 403]);
    for (const who of ["dora", "emil"]) expect(await rights(who, handbooks)).toEqual([404, 404, 404, 404]);
  });

  test("usage_stats are usage by day", async () => {
    const since = new Date(Date.now() - 4 * 86_400_000).toISOString().slice(0, 10);
    const groups = "day,user_id,vector_store_id,action";
    const { body } = await ask("master", `/v1/admin/usage?group_by=${groups}&from=${since}`);
    const day = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    const taken = (body.data as { action: string }[]).filter(({ action }) =>
      ["search", "embeddings", "upload"].includes(action),
    );
    expect(taken).toHaveLength(3);
    expect(taken).toEqual(
      expect.arrayContaining([
        {
          day: day(1),
          user_id: "ann",
          vector_store_id: storeIds.handbooks,
          action: "search",
          requests: 2,
          failures: 0,
          tokens: 20,
          duration_ms: 750,
        },
        {
          day: day(3),
          user_id: "ann",
          vector_store_id: "",
          action: "embeddings",
          requests: 1,
          failures: 0,
          tokens: 100,
          duration_ms: 1000,
        },
        {
          day: day(3),
          user_id: "ben",
          vector_store_id: storeIds.contracts,
          action: "upload",
          requests: 1,
          failures: 0,
          tokens: 0,
          duration_ms: 0,
        },
      ]),
    );
  });

  test("whatever could not be taken over is named", () => {
    const words = said.join("\n");
    expect(words).toContain(
      `1 row of "public"."documents" belong to no vector store, so nobody sees them: ${stray.orphan}`,
    );
    expect(words).toContain(`have no embedding: keywords find them, searches by meaning do not: ${stray.unembedded}`);
    expect(words).toMatch(
      /3 rows of "public"\."store_permissions" could not be taken over: .*"superuser" for the user "dora"/,
    );
    expect(words).toContain(`nothing for the user "emil" on ${storeIds.handbooks}`);
    expect(words).toMatch(/2 rows of "public"\."usage_stats" could not be taken over: /);
    for (const id of [stray.timeless, stray.endless]) expect(words).toContain(id);
  });

  test("a document without an embedding or a time disturbs nothing, and keywords find it", async () => {
    expect(ids(await ask("ann", `${handbooks}/embeddings?limit=100`))).toContain(stray.unembedded);
    await settle(service);
    const found = await ask("ann", `${handbooks}/search`, { query: "zebra", search_mode: "keyword" });
    expect(ids(found)).toContain(stray.unembedded);
    const again = { id: stray.unembedded, content: "without an embedding: zebra" };
    await ask("ann", `${handbooks}/embeddings/batch`, { embeddings: [again], on_conflict: "replace" });
    expect(
      await notFound([...documents.slice(0, 6), { ...again, store_id: storeIds.handbooks, metadata: {} }]),
    ).toEqual([]);
  });

  test("the server key makes stores that have no owner, with names of 256 characters", async () => {
    const made = await service.post("/v1/vector_stores", { name: "n".repeat(256) }).expect(200);
    const [row] = await database.query(
      "SELECT owner_user_id, length(name) AS length FROM vector_stores WHERE id = $1",
      [(made.body as { id: string }).id],
    );
    expect(row).toEqual({ owner_user_id: null, length: 256 });
  });

  test("its program can still write: what it adds is found", async () => {
    const added = [
      { id: stray.timeless, store_id: storeIds.contracts, content: "written by the other program", metadata: {} },
    ];
    await addDocuments(database, added, dimensions);
    await service.stop();
    service = await startService({ database, environment: settings });
    await service.deps.engine.check();
    expect(await notFound(added)).toEqual([]);
    await database.exec("INSERT INTO vector_stores (name, owner_user_id) VALUES ('Its own', 'emil')");
    expect(ids(await ask("emil", "/v1/vector_stores"))).toHaveLength(1);
  });

  test("another start takes nothing over again, not even beside a table called embeddings", async () => {
    const once = await takenOver();
    await service.stop();
    await database.exec("CREATE TABLE embeddings (id text PRIMARY KEY)");
    service = await startService({ database, environment: settings });
    expect(await takenOver()).toEqual(once);
    expect(await notFound(documents.slice(0, 6))).toEqual([]);
  });
});
