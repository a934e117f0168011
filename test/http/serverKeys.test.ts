import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { type Answer, errorOf, send } from "./requests.js";

const master = "sk-test-master-key";
const environment = { LITELLM_MASTER_KEY: master };
let service: TestService;
let other: TestService;
beforeAll(async () => {
  service = await startService({ environment });
  // A replica; the embedded database is shared by both here, as PostgreSQL would be.
  other = await startService({ environment, database: service.database });
});
beforeEach(() => service.database.exec("DELETE FROM vector_store_keys; DELETE FROM vector_store_audit"));
afterAll(async () => {
  await other.stop();
  await service.close();
});

const ask = (key: string, path: string, method = "GET", body?: object, url = service.url) =>
  send(url, { method, path, key, ...(body !== undefined && { body }) });
const parsed = (answer: Answer) => JSON.parse(answer.text) as Record<string, unknown>;

interface Made {
  id: string;
  key: string;
}
async function make(body: object) {
  const answer = await ask(master, "/v1/admin/keys", "POST", body);
  expect(answer.status).toBe(200);
  return parsed(answer) as unknown as Made;
}
const list = async () => parsed(await ask(master, "/v1/admin/keys")).data as Record<string, unknown>[];

describe("a key of the service", () => {
  test("is shown once, and only its hash is stored", async () => {
    const made = await make({ name: "registry", scope: "search" });
    expect(made).toMatchObject({
      object: "key",
      id: expect.stringMatching(/^key_/),
      key: expect.stringMatching(/^sk-vs-[\w-]{43}$/),
      key_ending: made.key.slice(-4),
      scope: "search",
      vector_store_ids: null,
      identity_required: false,
      created_by: "master",
      expires_at: null,
      last_used_at: null,
    });
    const [listed] = await list();
    expect(listed).toEqual({ ...made, key: undefined });
    const rows = await service.database.query("SELECT * FROM vector_store_keys");
    expect(JSON.stringify(rows)).not.toContain(made.key.slice(6));
    const stored = await service.database.query("SELECT encode(hash, 'hex') AS hash FROM vector_store_keys");
    expect(stored).toEqual([{ hash: hash("sha256", made.key, "hex") }]);
  });

  test("and one that requires an identity has a scope that older programs do not know", async () => {
    const made = await make({ name: "registry", scope: "write", identity_required: true });
    expect(made).toMatchObject({ scope: "write", identity_required: true });
    const rotated = await ask(master, `/v1/admin/keys/${made.id}/rotate`, "POST", {});
    expect(JSON.parse(rotated.text)).toMatchObject({ scope: "write", identity_required: true });
    expect(await list()).toEqual([expect.objectContaining({ scope: "write", identity_required: true })]);
    expect(await service.database.query("SELECT scope FROM vector_store_keys")).toEqual([{ scope: "user:write" }]);
  });

  test("may do what its scope says", async () => {
    const id = parsed(await ask(testKey, "/v1/vector_stores", "POST", {})).id as string;
    const requests: [string, string, object | undefined][] = [
      ["POST", `/v1/vector_stores/${id}/search`, { query: "a" }],
      ["GET", `/v1/vector_stores/${id}`, undefined],
      ["GET", "/v1/models", undefined],
      ["POST", `/v1/vector_stores/${id}`, { name: "b" }],
      ["GET", "/v1/admin/keys", undefined],
    ];
    const expected = { search: 1, read: 3, write: 4, admin: 5 };
    for (const [scope, count] of Object.entries(expected)) {
      const { key } = await make({ name: scope, scope });
      const statuses = [];
      for (const [method, path, body] of requests) statuses.push((await ask(key, path, method, body)).status);
      expect(statuses).toEqual(requests.map((_, i) => (i < count ? 200 : 403)));
    }
    const refused = await ask(testKey, "/v1/admin/keys");
    expect([refused.status, errorOf(refused).code]).toEqual([403, "insufficient_permissions"]);
  });

  test("limited to some stores sees these, and the files that it made itself", async () => {
    const [one, two] = [
      parsed(await ask(testKey, "/v1/vector_stores", "POST", { name: "one" })).id as string,
      parsed(await ask(testKey, "/v1/vector_stores", "POST", { name: "two" })).id as string,
    ];
    const { key } = await make({ name: "limited", scope: "write", vector_store_ids: [one] });
    expect((await ask(key, `/v1/vector_stores/${one}`)).status).toBe(200);
    const hidden = await ask(key, `/v1/vector_stores/${two}`);
    const absent = await ask(key, `/v1/vector_stores/${"vs_0".padEnd(two.length, "0")}`);
    expect([hidden.status, absent.status]).toEqual([404, 404]);
    const listed = parsed(await ask(key, "/v1/vector_stores")).data as { id: string }[];
    expect(listed.map((store) => store.id)).toEqual([one]);
    expect((await ask(key, "/v1/vector_stores", "POST", {})).status).toBe(403);
    const search = async (id: string) =>
      (await ask(key, `/v1/vector_stores/${id}/search`, "POST", { query: "a" })).status;
    expect([await search(one), await search(two)]).toEqual([200, 404]);
  });

  test("works and stops on every replica within five seconds", async () => {
    const { id, key } = await make({ name: "brief", scope: "read" });
    const statuses = async () => [
      (await ask(key, "/v1/vector_stores")).status,
      (await ask(key, "/v1/vector_stores", "GET", undefined, other.url)).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    expect((await ask(master, `/v1/admin/keys/${id}`, "DELETE")).status).toBe(200);
    expect((await ask(key, "/v1/vector_stores")).status).toBe(401);
    other.advance(5_000);
    expect(await statuses()).toEqual([401, 401]);
    expect((await ask(master, `/v1/admin/keys/${id}`, "DELETE")).status).toBe(404);
  });

  test("is rotated with an overlap", async () => {
    const first = await make({ name: "rotated", scope: "read" });
    const rotate = async (body: object) =>
      parsed(await ask(master, `/v1/admin/keys/${first.id}/rotate`, "POST", body)) as unknown as Made;
    const second = await rotate({ overlap_seconds: 60 });
    expect(second.id).toBe(first.id);
    const statuses = async (...keys: string[]) =>
      Promise.all(keys.map(async (key) => (await ask(key, "/v1/vector_stores")).status));
    expect(await statuses(first.key, second.key)).toEqual([200, 200]);
    service.advance(61_000);
    expect(await statuses(first.key, second.key)).toEqual([401, 200]);
    const third = await rotate({ overlap_seconds: 0 });
    expect(await statuses(second.key, third.key)).toEqual([401, 200]);
  });

  test("ends by itself, and says when it was used last", async () => {
    const { key } = await make({ name: "short", scope: "read", expires_in_seconds: 100 });
    expect((await ask(key, "/v1/vector_stores")).status).toBe(200);
    const used = async () => (await list())[0]?.last_used_at;
    while ((await used()) === null) await new Promise((resolve) => setImmediate(resolve));
    service.advance(101_000);
    expect((await ask(key, "/v1/vector_stores")).status).toBe(401);
  });

  test("that was refused before it was made is not refused after", async () => {
    expect((await ask("sk-vs-unknown", "/v1/vector_stores")).status).toBe(401);
    const { key } = await make({ name: "new", scope: "read" });
    expect((await ask(key, "/v1/vector_stores")).status).toBe(200);
  });
});

describe("what is refused", () => {
  test.each<[string, object, string, RegExp]>([
    ["no name", { scope: "read" }, "name", /expected/i],
    ["a name with a line break", { name: "a\nb", scope: "read" }, "name", /letters/],
    ["a long name", { name: "a".repeat(101), scope: "read" }, "name", /1 to 100/],
    ["an unknown scope", { name: "a", scope: "root" }, "scope", /search/],
    ["no stores", { name: "a", scope: "read", vector_store_ids: [] }, "vector_store_ids", /leave it out/],
    [
      "an administrator of some stores",
      { name: "a", scope: "admin", vector_store_ids: ["vs_1"] },
      "vector_store_ids",
      /admin/,
    ],
    [
      "an identity and some stores",
      { name: "a", scope: "read", identity_required: true, vector_store_ids: ["vs_1"] },
      "vector_store_ids",
      /what the user may see/,
    ],
    [
      "an administrator with an identity",
      { name: "a", scope: "admin", identity_required: true },
      "scope",
      /admin route/,
    ],
    ["no life", { name: "a", scope: "read", expires_in_seconds: 0 }, "expires_in_seconds", /at least 1/],
    ["too long a life", { name: "a", scope: "read", expires_in_seconds: 1e9 }, "expires_in_seconds", /at most/],
    ["a misspelt field", { name: "a", scope: "read", vector_stores: ["vs_1"] }, "vector_stores", /vector_store_ids/],
  ])("%s", async (_name, body, param, message) => {
    const answer = await ask(master, "/v1/admin/keys", "POST", body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ param, message: expect.stringMatching(message) });
    expect(await list()).toEqual([]);
  });

  test("a second key of the same name", async () => {
    await make({ name: "twice", scope: "read" });
    const answer = await ask(master, "/v1/admin/keys", "POST", { name: "twice", scope: "write" });
    expect([answer.status, errorOf(answer).param]).toEqual([409, "name"]);
    expect(await list()).toHaveLength(1);
  });

  test("an overlap of more than 30 days, and an unknown key", async () => {
    const { id } = await make({ name: "a", scope: "read" });
    const rotate = async (key: string, body: object) => ask(master, `/v1/admin/keys/${key}/rotate`, "POST", body);
    expect(errorOf(await rotate(id, { overlap_seconds: 2_592_001 }))).toMatchObject({ param: "overlap_seconds" });
    expect((await rotate("key_unknown", {})).status).toBe(404);
  });
});

test("every act is in the audit log: who, what, when, from where", async () => {
  const admin = await make({ name: "admin", scope: "admin" });
  const made = parsed(await ask(admin.key, "/v1/admin/keys", "POST", { name: "b", scope: "read" }));
  await ask(admin.key, `/v1/admin/keys/${made.id as string}/rotate`, "POST", {});
  await ask(admin.key, `/v1/admin/keys/${made.id as string}`, "DELETE");
  const log = parsed(await ask(admin.key, "/v1/admin/audit?limit=3"));
  expect(log).toMatchObject({
    has_more: true,
    data: ["key.revoke", "key.rotate", "key.create"].map((action) => ({
      object: "audit_entry",
      action,
      actor: `key:${admin.id}`,
      target: made.id,
      details: expect.objectContaining({ name: "b" }),
      address: expect.stringMatching(/127\.0\.0\.1$/),
      request_id: expect.stringMatching(/^req_/),
    })),
  });
  const rest = parsed(await ask(admin.key, `/v1/admin/audit?after=${log.last_id as string}`));
  expect(rest).toMatchObject({ has_more: false, data: [{ actor: "master", action: "key.create", target: admin.id }] });
  expect(JSON.stringify([log, rest])).not.toContain(admin.key.slice(6));
});
