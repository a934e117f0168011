import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, errorOf, send } from "./requests.js";

/** What users, teams, keys and vector stores may use. */

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.teams.set("red", {});
  litellm.keys.set("sk-ann", { user_id: "ann" });
  litellm.keys.set("sk-ben", { user_id: "ben", team_id: "red" });
  litellm.keys.set("sk-eve", { user_id: "eve", team_id: "red" });
  litellm.keys.set("sk-chief", { user_id: "chief" });
  litellm.users.set("chief", "proxy_admin");
  service = await startService({
    environment: { ...litellm.environment, USER_MAX_VECTOR_STORES: "2", STORE_REQUESTS_PER_MINUTE: "50" },
  });
});
beforeEach(async () => {
  // A minute later, every count begins again.
  service.advance(60_001);
  await service.database.exec("DELETE FROM vector_store_limits; DELETE FROM vector_stores");
  await service.database.exec("DELETE FROM vector_store_file_objects");
  service.deps.limiter.forget();
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = (who: string, method: string, path: string, body?: object) =>
  send(service.url, {
    method,
    path: `/v1${path}`,
    key: who === "master" ? litellm.masterKey : `sk-${who}`,
    ...(body !== undefined && { body }),
  });
const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;
const set = async (subject: string, limits: object) => {
  const answer = await ask("master", "PUT", `/admin/limits/${encodeURIComponent(subject)}`, limits);
  expect(answer.status).toBe(200);
};
const create = (who: string) => ask(who, "POST", "/vector_stores", { name: "a" });
const made = async (who: string) => (parsed(await create(who)) as { id: string }).id;
const rows = (bytes: number) => ({ embeddings: [{ content: "x".repeat(bytes), embedding: [1, 0, 0, 0, 0, 0, 0, 0] }] });
const insert = (who: string, store: string, bytes: number) =>
  ask(who, "POST", `/vector_stores/${store}/embeddings/batch`, rows(bytes));
const upload = (who: string, path: string, bytes: number) =>
  send(service.url, {
    method: "POST",
    path: `/v1${path}`,
    key: `sk-${who}`,
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body:
      (path === "/files" ? '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n' : "") +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${"word ".repeat(bytes / 5)}\r\n--b--\r\n`,
  });

describe("vector stores", () => {
  test("a user may have as many as the setting says, and another one after deleting one", async () => {
    const first = await made("ann");
    await made("ann");
    const refused = await create("ann");
    expect(refused.status).toBe(403);
    expect(errorOf(refused)).toEqual({
      type: "permission_error",
      param: null,
      code: "limit_reached",
      message:
        "The user 'ann' may have 2 vector stores, which would be exceeded. Delete some, or ask an administrator.",
    });
    expect((await ask("ann", "DELETE", `/vector_stores/${first}`)).status).toBe(200);
    expect((await create("ann")).status).toBe(200);
    // Another user's are counted apart.
    expect((await create("ben")).status).toBe(200);
  });

  test("an administrator's limit takes the place of the setting; null lifts it; without it the setting holds", async () => {
    await set("user:ann", { vector_stores: 1 });
    await made("ann");
    expect((await create("ann")).status).toBe(403);
    await set("user:ann", { vector_stores: null });
    for (let i = 0; i < 3; i += 1) expect((await create("ann")).status).toBe(200);
    expect((await ask("master", "DELETE", "/admin/limits/user%3Aann")).status).toBe(200);
    expect(errorOf(await create("ann")).message).toMatch(/may have 2 vector stores/);
  });

  test("a team's limit counts those of all its users", async () => {
    await set("team:red", { vector_stores: 1 });
    await made("ben");
    const refused = await create("eve");
    expect(refused.status).toBe(403);
    expect(errorOf(refused).message).toMatch(/^The team 'red' may have 1 vector stores/);
    expect((await create("ann")).status).toBe(200);
  });
});

describe("bytes", () => {
  test("of rows and files count for their owner, whoever writes; what does not fit is not stored", async () => {
    const store = await made("ann");
    await ask("ann", "PUT", `/vector_stores/${store}/permissions/user%3Aben`, { permission: "write" });
    await set("user:ann", { bytes: 1000 });
    expect((await insert("ben", store, 600)).status).toBe(200);
    const refused = await insert("ben", store, 600);
    expect(refused.status).toBe(403);
    expect(errorOf(refused).message).toMatch(/^The user 'ann' may have 1000 bytes of files and contents/);
    expect((await upload("ann", "/files", 500)).status).toBe(403);
    expect(await service.database.query("SELECT 1 FROM vector_store_file_objects")).toEqual([]);
    expect(await service.database.query("SELECT 1 FROM vector_store_file_slices")).toEqual([]);
    expect((await upload("ann", "/files", 300)).status).toBe(200);
    expect((await insert("ann", store, 50)).status).toBe(200);
    const announced = { filename: "a.txt", purpose: "assistants", bytes: 500, mime_type: "text/plain" };
    expect((await ask("ann", "POST", "/uploads", announced)).status).toBe(403);
    // Ben's own files are his.
    expect((await upload("ben", "/files", 500)).status).toBe(200);
  });

  test("of one vector store; a row that grows is refused, one that shrinks is not", async () => {
    const store = await made("ann");
    await set(`store:${store}`, { bytes: 1000 });
    expect((await insert("ann", store, 900)).status).toBe(200);
    const refused = await insert("ann", store, 200);
    expect(errorOf(refused)).toMatchObject({ code: "limit_reached" });
    expect(errorOf(refused).message).toBe(
      `The vector store '${store}' may have 1000 bytes of contents, which would be exceeded. ` +
        "Delete some, or ask an administrator.",
    );
    const listed = await ask("ann", "GET", `/vector_stores/${store}/embeddings`);
    const [row] = (parsed(listed) as { data: { id: string }[] }).data;
    const path = `/vector_stores/${store}/embeddings/${row?.id ?? ""}`;
    expect((await ask("ann", "PATCH", path, { content: "y".repeat(1100) })).status).toBe(403);
    expect((await ask("ann", "PATCH", path, { content: "y".repeat(100) })).status).toBe(200);
    expect((await insert("ann", store, 800)).status).toBe(200);
  });

  test("a document that does not fit is refused with the number, and leaves nothing", async () => {
    const store = await made("ann");
    await set(`store:${store}`, { bytes: 2000 });
    expect((await upload("ann", `/vector_stores/${store}/upload`, 1000)).status).toBe(200);
    const refused = await upload("ann", `/vector_stores/${store}/upload`, 5000);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(errorOf(refused).message).toMatch(/may have 2000 bytes of contents/);
    const counts = (parsed(await ask("ann", "GET", `/vector_stores/${store}`)) as { file_counts: object }).file_counts;
    expect(counts).toMatchObject({ completed: 1, total: 1 });
  });
});

describe("requests a minute", () => {
  test("beyond the limit 429 with the seconds to wait; the next minute begins with none", async () => {
    await set("user:ann", { requests_per_minute: 3 });
    for (let i = 0; i < 3; i += 1) expect((await ask("ann", "GET", "/vector_stores")).status).toBe(200);
    service.advance(40_000);
    const refused = await ask("ann", "GET", "/vector_stores");
    expect(refused.status).toBe(429);
    const wait = Number(refused.headers["retry-after"]);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(20);
    expect(errorOf(refused)).toMatchObject({
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      message: `The user 'ann' may make 3 requests a minute. Try again in ${wait} s.`,
    });
    expect((await ask("ben", "GET", "/vector_stores")).status).toBe(200);
    service.advance(20_000);
    expect((await ask("ann", "GET", "/vector_stores")).status).toBe(200);
  });

  test("a team's are those of all its keys", async () => {
    await set("team:red", { requests_per_minute: 2 });
    expect((await ask("ben", "GET", "/vector_stores")).status).toBe(200);
    expect((await ask("eve", "GET", "/vector_stores")).status).toBe(200);
    expect((await ask("ben", "GET", "/vector_stores")).status).toBe(429);
  });

  test("of a vector store: only of those who may use it, once per request; searches too", async () => {
    const store = await made("ann");
    await set(`store:${store}`, { requests_per_minute: 3 });
    // Somebody else learns nothing, and uses nothing up.
    for (let i = 0; i < 5; i += 1) expect((await ask("eve", "GET", `/vector_stores/${store}`)).status).toBe(404);
    expect((await insert("ann", store, 10)).status).toBe(200);
    const search = () => ask("ann", "POST", `/vector_stores/${store}/search`, { query: "a" });
    expect((await search()).status).toBe(200);
    expect((await search()).status).toBe(200);
    const refused = await search();
    expect(refused.status).toBe(429);
    expect(errorOf(refused).message).toMatch(/^The vector store 'vs_\w+' may make 3 requests a minute/);
    expect((await ask("eve", "GET", `/vector_stores/${store}`)).status).toBe(404);
  });

  test("nothing limits administrators' requests", async () => {
    await set("user:chief", { requests_per_minute: 0, vector_stores: 0 });
    const store = await made("ann");
    await set(`store:${store}`, { requests_per_minute: 0 });
    expect((await ask("chief", "GET", `/vector_stores/${store}`)).status).toBe(200);
    expect((await ask("master", "GET", `/vector_stores/${store}`)).status).toBe(200);
  });

  test("a key of the service has those of its id", async () => {
    const key = parsed(await ask("master", "POST", "/admin/keys", { name: "limited", scope: "read" })) as {
      id: string;
      key: string;
    };
    await set(`key:${key.id}`, { requests_per_minute: 1 });
    const list = () => send(service.url, { path: "/v1/vector_stores", method: "GET", key: key.key });
    expect((await list()).status).toBe(200);
    expect((await list()).status).toBe(429);
  });
});

describe("the routes", () => {
  test("list, page and audit what was set", async () => {
    await set("user:ann", { vector_stores: 5, bytes: null });
    await set("team:red", { requests_per_minute: 7 });
    const first = parsed(await ask("master", "GET", "/admin/limits?limit=1")) as {
      data: object[];
      last_id: string;
      has_more: boolean;
    };
    expect(first).toMatchObject({ data: [{ subject: "team:red", requests_per_minute: 7 }], has_more: true });
    const second = parsed(
      await ask("master", "GET", `/admin/limits?limit=1&after=${encodeURIComponent(first.last_id)}`),
    ) as { data: object[]; has_more: boolean };
    expect(second).toMatchObject({
      data: [{ object: "limits", subject: "user:ann", vector_stores: 5, bytes: null, set_by: "master" }],
      has_more: false,
    });
    expect(second.data[0]).not.toHaveProperty("requests_per_minute");
    const audit = (parsed(await ask("master", "GET", "/admin/audit?limit=1")) as { data: object[] }).data;
    expect(audit).toMatchObject([
      { action: "limits.set", target: "team:red", details: { requestsPerMinute: 7 }, actor: "master" },
    ]);
  });

  test("list one subject's limits only", async () => {
    await set("user:ann", { vector_stores: 5 });
    await set("user:anna", { vector_stores: 6 });
    const list = async (subject: string) =>
      parsed(await ask("master", "GET", `/admin/limits?subject=${encodeURIComponent(subject)}`));
    expect(await list("user:ann")).toMatchObject({ data: [{ subject: "user:ann", vector_stores: 5 }] });
    expect(await list("team:ann")).toMatchObject({ data: [], last_id: "", has_more: false });
    const refused = await ask("master", "GET", "/admin/limits?subject=ann");
    expect(refused.status).toBe(400);
    expect(errorOf(refused).message).toContain('subject: expected "user:ID"');
  });

  test("users see their own limits and what they use", async () => {
    const store = await made("ben");
    await insert("ben", store, 100);
    await set("team:red", { bytes: 5000 });
    expect(parsed(await ask("ben", "GET", "/limits"))).toMatchObject({
      data: [
        { subject: "user:ben", vector_stores: 2, bytes: null, used_vector_stores: 1, used_bytes: 100 },
        { subject: "team:red", vector_stores: null, bytes: 5000, used_vector_stores: 1, used_bytes: 100 },
      ],
    });
    expect(parsed(await ask("master", "GET", "/limits"))).toMatchObject({ data: [] });
  });

  test.each([
    ["ann", {}, "give at least one limit"],
    ["user:ann", {}, "give at least one limit"],
    ["user:ann", { bytes: -1 }, "bytes: must be at least 0"],
    ["user:ann", { vector_stores: 1.5 }, "vector_stores"],
    ["everyone", { bytes: 1 }, 'subject: expected "user:ID"'],
  ])("%s %j is refused: %s", async (subject, limits, message) => {
    const answer = await ask("master", "PUT", `/admin/limits/${encodeURIComponent(subject)}`, limits);
    expect(answer.status).toBe(400);
    if (subject !== "ann") expect(errorOf(answer).message).toContain(message);
  });

  test("limits that nobody has set are 404", async () => {
    expect((await ask("master", "DELETE", "/admin/limits/user%3Anobody")).status).toBe(404);
  });
});
