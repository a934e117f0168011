import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { customNames, dropCustomTables, makeCustomTables, usualColumns } from "../support/customTables.js";
import { type TestDatabase, createTestDatabase } from "../support/database.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { send } from "./requests.js";

/** PostgreSQL reads a UUID in capitals as the same UUID; so must everything that stores or compares a store's id. */

let database: TestDatabase;
let litellm: FakeLitellm;
let service: TestService;
const storeId = randomUUID();
const capitals = storeId.toUpperCase();
beforeAll(async () => {
  database = await createTestDatabase();
  await makeCustomTables(database, { ...usualColumns, storeId: "uuid PRIMARY KEY" });
  litellm = await startFakeLitellm();
  litellm.teams.set("red", { object_permission: { vector_stores: [storeId] } });
  litellm.keys.set("sk-ann", {
    user_id: "ann",
    team_id: "red",
    object_permission: { vector_stores: [capitals] },
  });
  service = await startService({
    database,
    environment: { ...litellm.environment, ...customNames, CHAT_MODEL: "chat" },
  });
  await database.query(`INSERT INTO "Knowledge" (id, name, owner_user_id) VALUES ($1, 'a', 'ann')`, [storeId]);
});
afterAll(async () => {
  await service.stop();
  await dropCustomTables(database);
  await database.drop();
  await litellm[Symbol.asyncDispose]();
});

const ask = async (key: string, method: string, path: string, body?: object) => {
  const answer = await send(service.url, { method, path: `/v1${path}`, key, ...(body !== undefined && { body }) });
  return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
};
const admin = (method: string, path: string, body?: object) => ask(litellm.masterKey, method, path, body);

test("usage of a store in capitals is the store's, however it is asked for", async () => {
  for (const id of [storeId, capitals]) expect((await ask("sk-ann", "GET", `/vector_stores/${id}`)).status).toBe(200);
  await service.deps.usage.flush();
  for (const id of [storeId, capitals]) {
    const { body } = await admin("GET", `/admin/usage?user_id=ann&group_by=vector_store_id&vector_store_id=${id}`);
    expect(body).toMatchObject({ data: [{ vector_store_id: storeId, requests: 2 }], totals: { requests: 2 } });
  }
});

test("answers name the store as the database writes it", async () => {
  const row = { content: "a", embedding: [1, 0, 0, 0, 0, 0, 0, 0] };
  const made = await ask(testKey, "POST", `/vector_stores/${capitals}/embeddings`, row);
  expect(made).toMatchObject({ status: 200, body: { vector_store_id: storeId } });
  expect((await ask(testKey, "GET", `/vector_stores/${capitals}/embeddings`)).body).toMatchObject({
    data: [{ vector_store_id: storeId }],
  });
});

test("a limit of a store in capitals holds, and is one with that of the store", async () => {
  const put = await admin("PUT", `/admin/limits/store:${capitals}`, { requests_per_minute: 1 });
  expect(put).toMatchObject({ status: 200, body: { subject: `store:${storeId}` } });
  expect((await ask(testKey, "GET", `/vector_stores/${storeId}`)).status).toBe(200);
  expect((await ask(testKey, "GET", `/vector_stores/${capitals}`)).status).toBe(429);
  expect((await admin("GET", `/admin/limits?after=store:${capitals}`)).body).toMatchObject({ data: [] });
  expect((await admin("DELETE", `/admin/limits/store:${capitals}`)).status).toBe(200);
  expect((await admin("DELETE", `/admin/limits/store:${storeId}`)).status).toBe(404);
  expect((await ask(testKey, "GET", `/vector_stores/${storeId}`)).status).toBe(200);
});

test("a key of the service that lists the store in capitals sees it", async () => {
  const made = await admin("POST", "/admin/keys", { name: "a", scope: "read", vector_store_ids: [capitals, storeId] });
  expect(made).toMatchObject({ status: 200, body: { vector_store_ids: [storeId] } });
  const key = String(made.body.key);
  for (const id of [storeId, capitals]) expect((await ask(key, "GET", `/vector_stores/${id}`)).status).toBe(200);
  expect((await ask(key, "GET", "/vector_stores")).body).toMatchObject({ data: [{ id: storeId }] });
  // One that an earlier version made.
  await database.query("UPDATE vector_store_keys SET stores = $1", [[capitals]]);
  service.deps.callers.forgetServerKeys();
  expect((await ask(key, "GET", `/vector_stores/${storeId}`)).status).toBe(200);
});

test("a store that LiteLLM's key has in capitals and its team in lower case is in both", async () => {
  expect((await ask("sk-ann", "GET", "/vector_stores")).body).toMatchObject({ data: [{ id: storeId }] });
});

test("a question to the store in both spellings asks it once, and a change is seen at once in both", async () => {
  for (const id of [capitals, storeId]) {
    expect((await ask("sk-ann", "POST", `/vector_stores/${id}/search`, { query: "a" })).status).toBe(200);
  }
  const body = { query: "a", vector_store_ids: [capitals, storeId] };
  const answer = await ask("sk-ann", "POST", "/rag", { ...body, rewrite_query: false });
  expect((answer.body.sources as unknown[] | undefined)?.length ?? answer).toBe(1);
  const expired = { expires_after: { anchor: "last_active_at", days: 1 } };
  expect((await ask("sk-ann", "POST", `/vector_stores/${capitals}`, expired)).status).toBe(200);
  service.advance(2 * 86_400_000);
  for (const id of [capitals, storeId]) {
    expect((await ask("sk-ann", "POST", `/vector_stores/${id}/search`, { query: "a" })).status).toBe(400);
  }
});
