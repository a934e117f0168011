import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { testDimensions } from "../../support/settings.js";
import {
  embed,
  fillReference,
  liveInTokyo,
  referenceRows,
  referenceStores,
  referenceTables,
} from "../../support/litellmPgvector.js";
import { type TestService, startService } from "../../support/service.js";

const stores = referenceStores();
const rows = referenceRows(stores.slice(0, -1), 1000);
const [first, , , , policy, lapsed, empty] = stores.map((store) => store.id);
let database: TestDatabase;
let service: TestService;
let before: unknown;

/** Every row's place on disk and last writer: both change when a row is rewritten. */
const places = () => database.query("SELECT id, xmin::text AS writer, ctid::text AS place FROM embeddings ORDER BY id");
const applied = () =>
  database.query("SELECT version, name, checksum, applied_at::text AS at FROM vector_store_migrations");

beforeAll(async () => {
  database = await createTestDatabase();
  await database.exec(referenceTables(testDimensions));
  await fillReference(database, stores, rows, testDimensions);
  await liveInTokyo(database);
  before = await places();
  service = await startService({ database });
});
afterAll(() => service.close());

interface Hit {
  id: string;
  score: number;
  content: { text: string }[];
}

/**
 * Searches for the content of every row in its store, eight at a time.
 * @returns the rows that were not the first result.
 */
async function rowsNotFound(): Promise<string[]> {
  const missing: string[] = [];
  const waiting = [...rows];
  const searchOn = async () => {
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      const answer = await service.post(`/v1/vector_stores/${row.vector_store_id}/search`, {
        query: row.content,
        limit: 3,
      });
      const [hit] = answer.status === 200 ? (answer.body as { data: Hit[] }).data : [];
      const found = hit?.id === row.id && hit.content[0]?.text === row.content && hit.score > 0.999999;
      if (!found) missing.push(`${row.id} (${answer.status})`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, searchOn));
  return missing;
}

/** The same with 16 texts in one request. Each finds its row with a score that no other row has. */
async function rowsNotFoundByArray(): Promise<string[]> {
  const missing: string[] = [];
  for (const store of stores) {
    const own = rows.filter((row) => row.vector_store_id === store.id);
    for (let start = 0; start < own.length; start += 16) {
      const some = own.slice(start, start + 16);
      const body = { query: some.map((row) => row.content), max_num_results: some.length };
      const answer = await service.post(`/v1/vector_stores/${store.id}/search`, body).expect(200);
      const found = (answer.body as { data: Hit[] }).data.filter((hit) => hit.score > 0.999999).map((hit) => hit.id);
      missing.push(...some.map((row) => row.id).filter((id) => !found.includes(id)));
    }
  }
  return missing;
}

async function expectRightCounts(): Promise<void> {
  for (const store of stores) {
    const own = rows.filter((row) => row.vector_store_id === store.id);
    const answer = await service.get(`/v1/vector_stores/${store.id}`).expect(200);
    expect(answer.body).toMatchObject({
      id: store.id,
      name: store.name,
      status: "completed",
      created_at: Math.floor(Date.parse(`${store.created_at.replace(" ", "T")}Z`) / 1000),
      usage_bytes: own.reduce((sum, row) => sum + Buffer.byteLength(row.content), 0),
      file_counts: { in_progress: 0, completed: own.length, failed: 0, cancelled: 0, total: own.length },
      metadata: Array.isArray(store.metadata) ? {} : (store.metadata ?? {}),
    });
  }
}

describe("a database of litellm-pgvector with 1,000 rows, adopted in place", () => {
  test("no row of embeddings was rewritten", async () => {
    expect(await places()).toEqual(before);
  });

  test("every row is found by a search for its content", async () => {
    expect(await rowsNotFound()).toEqual([]);
  });

  test("file_counts, usage_bytes and created_at are right, whatever the table said and wherever the server lives", async () => {
    await expectRightCounts();
  });

  test("rows keep their time, their content and their metadata", async () => {
    const answer = await service.get(`/v1/vector_stores/${first ?? ""}/embeddings?limit=1000&order=asc`).expect(200);
    const own = rows.filter((row) => row.vector_store_id === first);
    const listed = (answer.body as { data: { id: string }[] }).data;
    expect(listed).toHaveLength(own.length);
    for (const row of own) {
      expect(listed.find((each) => each.id === row.id)).toMatchObject({
        content: row.content,
        created_at: Date.parse(`${row.created_at.slice(0, 10)}T22:00:00Z`) / 1000,
        metadata: typeof row.metadata === "object" && !Array.isArray(row.metadata) ? (row.metadata ?? {}) : {},
      });
    }
  });

  test("an expiry that was never enforced does not delete a store: its term begins now", async () => {
    const now = Date.now() / 1000;
    const revived = (await service.get(`/v1/vector_stores/${policy ?? ""}`).expect(200)).body as { expires_at: number };
    expect(revived.expires_at).toBeGreaterThan(now + 6.9 * 86_400);
    expect(revived.expires_at).toBeLessThan(now + 7.1 * 86_400);
    expect((await service.get(`/v1/vector_stores/${lapsed ?? ""}`).expect(200)).body).toMatchObject({
      expires_at: null,
    });
  });

  test("a second and a third start change nothing and run no migration", async () => {
    const once = await applied();
    for (const start of ["second", "third"]) {
      await service.stop();
      service = await startService({ database });
      expect({ start, applied: await applied() }).toEqual({ start, applied: once });
      expect(await places()).toEqual(before);
      await expectRightCounts();
      expect(await rowsNotFoundByArray()).toEqual([]);
    }
  });

  test("rows can be added, deleted and counted, and stores updated and deleted", async () => {
    const path = `/v1/vector_stores/${empty ?? ""}`;
    await service.post(`${path}/embeddings`, { content: "a new row", metadata: { k: 1 } }).expect(200);
    const batch = { embeddings: [{ content: "zwei", id: "my-own" }, { content: "drei" }] };
    await service.post(`${path}/embeddings/batch`, batch).expect(200);
    const found = await service.post(`${path}/search`, { query: "zwei" }).expect(200);
    expect((found.body as { data: Hit[] }).data[0]).toMatchObject({ id: "my-own" });
    await service.delete(`${path}/embeddings`, { ids: ["my-own"] }).expect(200);
    const updated = await service.post(path, { name: "not empty", metadata: { a: true } }).expect(200);
    expect(updated.body).toMatchObject({
      name: "not empty",
      metadata: { a: true },
      usage_bytes: 13,
      file_counts: { total: 2 },
    });
    await service.delete(path).expect(200);
    await service.get(path).expect(404);
    expect(await database.query("SELECT 1 FROM embeddings WHERE vector_store_id = $1", [empty])).toEqual([]);
  });

  test("all stores are listed once, page by page", async () => {
    const ids: string[] = [];
    for (let after = ""; ;) {
      const answer = await service.get(`/v1/vector_stores?limit=2${after}`).expect(200);
      const page = answer.body as { data: { id: string }[]; has_more: boolean; last_id: string };
      ids.push(...page.data.map((store) => store.id));
      if (!page.has_more) break;
      after = `&after=${page.last_id}`;
    }
    expect(ids).toEqual(
      stores
        .map((store) => store.id)
        .reverse()
        .slice(1),
    );
  });

  test("litellm-pgvector can still write to both tables, and what it writes is found, and its store can be emptied", async () => {
    const [store] = await database.query<{ id: string }>(
      `INSERT INTO vector_stores (id, name, file_counts, status, usage_bytes, expires_after, expires_at, last_active_at, metadata, created_at)
       VALUES (gen_random_uuid(), $1, $2::jsonb, 'completed', 0, NULL, NULL, NOW(), $3::jsonb, NOW()) RETURNING id`,
      ["written by the reference", '{"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}', "{}"],
    );
    const path = `/v1/vector_stores/${store?.id ?? ""}`;
    const [vector] = await embed(["a row of the reference"], testDimensions);
    await database.query(
      `INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata, created_at)
       VALUES (gen_random_uuid(), $1, $2, $3::vector, $4::jsonb, NOW())`,
      [store?.id, "a row of the reference", `[${(vector ?? []).join(",")}]`, '{"from": "reference"}'],
    );
    expect((await service.get(path).expect(200)).body).toMatchObject({ name: "written by the reference" });
    const found = await service
      .post(`${path}/search`, { query: "a row of the reference", filters: { from: "reference" } })
      .expect(200);
    expect((found.body as { data: Hit[] }).data).toMatchObject([{ content: [{ text: "a row of the reference" }] }]);
    await service.delete(`${path}/embeddings`, { all: true }).expect(200);
    expect((await service.get(path).expect(200)).body).toMatchObject({
      usage_bytes: 0,
      file_counts: { completed: 0, total: 0 },
    });
    await service.delete(path).expect(200);
  });
});

test("its own vector(1536) is adopted with EMBEDDING__DIMENSIONS=1536, and stops a start with any other number", async () => {
  const wide = await createTestDatabase();
  const own = referenceStores().slice(0, 2);
  const few = referenceRows(own, 20);
  await wide.exec(referenceTables(1536));
  await fillReference(wide, own, few, 1536);
  await expect(wide.open()).rejects.toThrow(/EMBEDDING__DIMENSIONS is 8, .* have 1536 dimensions/);
  expect(await wide.query("SELECT to_regclass('vector_store_migrations') AS table")).toEqual([{ table: null }]);

  const adopted = await startService({ database: wide, environment: { EMBEDDING__DIMENSIONS: "1536" } });
  for (const row of few) {
    const answer = await adopted
      .post(`/v1/vector_stores/${row.vector_store_id}/search`, { query: row.content })
      .expect(200);
    expect((answer.body as { data: Hit[] }).data[0]).toMatchObject({
      id: row.id,
      score: expect.closeTo(1, 5) as unknown,
    });
  }
  await adopted.close();
});
