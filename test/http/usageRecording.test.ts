import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { send } from "./requests.js";

/** Which usage is written: only of stores that the caller can see, and whatever one request does to the others. */

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.keys.set("sk-ann", { user_id: "ann" });
  litellm.keys.set("sk-ben", { user_id: "ben" });
  litellm.keys.set("sk-cy", { user_id: "cy" });
  service = await startService({ environment: litellm.environment });
});
beforeEach(async () => {
  // A minute later, every count begins again.
  service.advance(60_001);
  await service.deps.usage.flush();
  await service.database.exec(`DELETE FROM vector_store_usage_events; DELETE FROM vector_store_usage_days;
    DELETE FROM vector_store_limits; DELETE FROM vector_stores`);
  service.deps.limiter.forget();
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = (who: string, method: string, path: string, body?: object | string) =>
  send(service.url, {
    method,
    path: `/v1${path}`,
    key: who === "master" ? litellm.masterKey : `sk-${who}`,
    ...(body !== undefined && { body }),
  });
const created = async (who: string) =>
  (JSON.parse((await ask(who, "POST", "/vector_stores", { name: "a" })).text) as { id: string }).id;
/** `action status store` of each event of a user. */
async function events(user: string): Promise<string[]> {
  await service.deps.usage.flush();
  const rows = await service.database.query<{ action: string; status: number; vector_store_id: string | null }>(
    `SELECT action, status, vector_store_id FROM vector_store_usage_events WHERE user_id = '${user}' ORDER BY id`,
  );
  return rows.map(({ action, status, vector_store_id }) => `${action} ${status} ${vector_store_id ?? "-"}`);
}
const lost = async () =>
  Number(/_usage_events_lost_total\{reason="refused"\} (\d+)/.exec(await service.deps.metrics.registry.metrics())?.[1]);

describe("a vector store's id is written", () => {
  test.each(["%00", "a".repeat(6000), "vs_unknown"])("not if it was made up by somebody over the limit", async (id) => {
    await ask("master", "PUT", "/admin/limits/user%3Acy", { requests_per_minute: 1 });
    expect((await ask("cy", "GET", "/limits")).status).toBe(200);
    expect((await ask("cy", "GET", `/vector_stores/${id}`)).status).toBe(429);
    expect((await ask("ann", "GET", "/files")).status).toBe(200);
    expect(await events("cy")).toEqual(["getAllowances 200 -", "retrieveVectorStore 429 -"]);
    expect(await events("ann")).toEqual(["listFiles 200 -"]);
  });

  test("not for somebody who cannot see it, however the request is refused", async () => {
    const store = await created("ann");
    const headers = { "content-type": "text/plain" };
    const path = `/v1/vector_stores/${store}/search`;
    expect((await send(service.url, { path, key: "sk-ben", headers, body: "a" })).status).toBe(415);
    expect((await ask("ben", "POST", `/vector_stores/${store}/search`, { query: "a" })).status).toBe(404);
    expect((await ask("ben", "PUT", `/vector_stores/${store}`, {})).status).toBe(405);
    expect(await events("ben")).toEqual(["searchVectorStore 415 -", "searchVectorStore 404 -"]);
  });

  test("once it was found for the caller, even if the request is then refused", async () => {
    const store = await created("ann");
    await ask("ann", "PUT", `/vector_stores/${store}/permissions/user%3Aben`, { permission: "read" });
    const path = `/vector_stores/${store}`;
    for (const [method, at, body, status] of [
      ["GET", "", undefined, 200],
      ["POST", "", { name: "b" }, 403],
      ["POST", "/search", { query: "a" }, 200],
      ["POST", "/search", { query: "a" }, 200],
      ["GET", "/files/file-unknown", undefined, 404],
      ["DELETE", "", undefined, 403],
    ] as const) {
      expect((await ask("ben", method, path + at, body)).status).toBe(status);
    }
    expect((await ask("ann", "DELETE", path)).status).toBe(200);
    const [first, second, third, fourth, ...others] = await events("ben");
    expect([first, second, third, fourth]).toEqual([
      `retrieveVectorStore 200 ${store}`,
      `updateVectorStore 403 ${store}`,
      `searchVectorStore 200 ${store}`,
      `searchVectorStore 200 ${store}`,
    ]);
    expect(others).toEqual([`retrieveVectorStoreFile 404 ${store}`, `deleteVectorStore 403 ${store}`]);
    expect((await events("ann")).at(-1)).toBe(`deleteVectorStore 200 ${store}`);
  });

  test("of administrators, too", async () => {
    const store = await created("ann");
    await ask("master", "GET", `/vector_stores/${store}`);
    await service.deps.usage.flush();
    const found = await service.database.query("SELECT 1 FROM vector_store_usage_events WHERE vector_store_id <> ''");
    expect(found).toHaveLength(1);
  });
});

describe("an event that the database refuses", () => {
  test.each([
    ["a NUL", "\0"],
    ["half a character", "\ud800"],
    [
      "more than an index entry holds",
      Array.from({ length: 6000 }, (_, i) => (i * 7919 * 104729).toString(36)).join(""),
    ],
  ])("for %s is lost alone", async (_what, storeId) => {
    const before = (await lost()) || 0;
    const event = { userId: "ann", teamId: null, keyId: "k", action: "x", tokens: 1, durationMs: 1, status: 200 };
    for (let i = 0; i < 7; i += 1) service.deps.usage.record({ ...event, storeId: i % 3 === 1 ? storeId : "vs_1" });
    expect(await events("ann")).toEqual(Array.from({ length: 5 }, () => "x 200 vs_1"));
    expect((await lost()) - before).toBe(2);
    service.deps.usage.record({ ...event, storeId: null });
    expect((await events("ann")).at(-1)).toBe("x 200 -");
  });

  test("while the database is away, none is lost", async () => {
    await service.database.exec("ALTER TABLE vector_store_usage_events RENAME TO elsewhere");
    service.deps.usage.record({
      userId: "ann",
      teamId: null,
      keyId: "k",
      storeId: null,
      action: "x",
      tokens: 1,
      durationMs: 1,
      status: 200,
    });
    await service.deps.usage.flush();
    await service.database.exec("ALTER TABLE elsewhere RENAME TO vector_store_usage_events");
    expect(await events("ann")).toEqual(["x 200 -"]);
  });
});
