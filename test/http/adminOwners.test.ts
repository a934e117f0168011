import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { sweepFiles } from "../../src/core/files/files.js";
import { sweepUploads } from "../../src/core/files/uploads.js";
import { sweepLeaving } from "../../src/core/stores/removal.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { sha } from "../support/fakeLitellmAdmin.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, errorOf, send } from "./requests.js";

interface Estate {
  in_litellm: boolean | null;
  vector_stores: { count: number; rows: number; bytes: number; data: { id: string; name: string }[] };
  files: { count: number; bytes: number; data: { id: string; filename: string }[] };
  permissions: { count: number; data: { vector_store_id: string; permission: string }[] };
  usage: { requests: number; first_day: string | null };
}

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  for (const team of ["red", "blue"]) litellm.teams.set(team, {});
  for (const user of ["ann", "ben"]) litellm.keys.set(`sk-${user}`, { user_id: user, team_id: "red" });
  litellm.keys.set("sk-heir", { user_id: "heir" });
  litellm.keys.set("sk-robot", { team_id: "red" });
  litellm.keys.set("sk-blue", { team_id: "blue" });
  litellm.keys.set("sk-alone", {});
  litellm.users.set("ben", "internal_user");
  service = await startService({ environment: litellm.environment });
  // Files stay as they are.
  service.deps.wakeIngestion = () => undefined;
});
beforeEach(async () => {
  litellm.outage = null;
  await service.deps.usage.flush();
  await service.database.exec(`DELETE FROM vector_stores; DELETE FROM vector_store_file_objects;
    DELETE FROM vector_store_usage_events; DELETE FROM vector_store_usage_days; DELETE FROM vector_store_limits;
    DELETE FROM vector_store_uploads`);
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;
const ask = (key: string, method: string, path: string, body?: object) =>
  send(service.url, { method, path: `/v1${path}`, key, ...(body !== undefined && { body }) });
const create = async (key: string, name = "a") =>
  (parsed(await ask(key, "POST", "/vector_stores", { name })) as { id: string }).id;
const grant = (key: string, store: string, subject: string, permission: string) =>
  ask(key, "PUT", `/vector_stores/${store}/permissions/${subject}`, { permission });
const status = async (key: string, path: string) => (await ask(key, "GET", path)).status;
async function upload(key: string, name = "a.txt") {
  const sent = request(service.url).post("/v1/files").set("authorization", `Bearer ${key}`);
  const answer = await sent.field("purpose", "assistants").attach("file", Buffer.from("text"), name).expect(200);
  return (answer.body as { id: string }).id;
}
const owner = (subject: string) => `/admin/owners/${encodeURIComponent(subject)}`;
const estate = async (subject: string) => parsed(await ask(litellm.masterKey, "GET", owner(subject))) as Estate;
const act = (subject: string, how: string, body: object) =>
  ask(litellm.masterKey, "POST", `${owner(subject)}/${how}`, body);
const erase = (subject: string) => act(subject, "erase", { confirm: subject });
const sweep = async () => {
  await sweepLeaving(service.deps);
  await sweepUploads(service.deps);
  await sweepFiles(service.deps);
};
const lastAct = async () =>
  (
    parsed(await ask(litellm.masterKey, "GET", "/admin/audit?limit=1")) as {
      data: { action: string; target: string; details: Record<string, unknown> }[];
    }
  ).data[0];

describe("what belongs to somebody", () => {
  test("is listed: stores, files, permissions, usage", async () => {
    const [store, other] = [await create("sk-ann", "mine"), await create("sk-ben")];
    await ask("sk-ann", "POST", `/vector_stores/${store}/embeddings`, {
      content: "four",
      embedding: [1, 0, 0, 0, 0, 0, 0, 0],
    });
    const file = await upload("sk-ann", "b.txt");
    await grant("sk-ben", other, "user:ann", "write");
    expect(await estate("user:ann")).toMatchObject({
      object: "owner",
      subject: "user:ann",
      in_litellm: false,
      vector_stores: { count: 1, rows: 1, bytes: 4, data: [{ id: store, name: "mine", rows: 1, bytes: 4 }] },
      files: { count: 1, bytes: 4, data: [{ id: file, filename: "b.txt", bytes: 4 }] },
      permissions: { count: 1, data: [{ vector_store_id: other, permission: "write" }] },
      usage: { requests: 3, first_day: new Date().toISOString().slice(0, 10) },
    });
    expect((await estate("user:ben")).in_litellm).toBe(true);
  });

  test("of a team is what its service accounts made; of a key that belongs to nobody, what that made", async () => {
    const [robots, alones] = [await create("sk-robot"), await create("sk-alone")];
    await create("sk-ann");
    const ids = async (subject: string) => (await estate(subject)).vector_stores.data.map(({ id }) => id);
    expect(await ids("team:red")).toEqual([robots]);
    expect(await ids(`key:${sha("sk-alone")}`)).toEqual([alones]);
    expect((await estate("team:red")).usage.requests).toBe(1);
    expect(await estate("user:nobody")).toMatchObject({ in_litellm: false, usage: { requests: 0, first_day: null } });
  });

  test("is listed while LiteLLM is away, with a warning", async () => {
    await create("sk-ann");
    litellm.outage = "drop";
    const answer = await ask(litellm.masterKey, "GET", owner("user:ann"));
    expect(parsed(answer)).toMatchObject({ in_litellm: null, vector_stores: { count: 1 } });
    expect(answer.headers["x-vector-store-warning"]).toMatch(/does not answer/);
  });
});

describe("handing over", () => {
  test("from user to user moves stores, files and permissions; the team keeps its share", async () => {
    const [store, other, third] = [await create("sk-ann"), await create("sk-ben"), await create("sk-ben")];
    const file = await upload("sk-ann");
    await grant("sk-ben", other, "user:ann", "write");
    await grant("sk-ben", other, "user:heir", "read");
    await grant("sk-ben", third, "user:ann", "read");
    await grant("sk-ben", third, "user:heir", "admin");
    // Searches of the last second must notice, too.
    await ask("sk-ann", "POST", `/vector_stores/${store}/search`, { query: "a" });
    litellm.keys.set("sk-ann", { user_id: "ann" });
    service.deps.callers.forgetUserKey(sha("sk-ann"));
    const answer = await act("user:ann", "transfer", { to: "user:heir" });
    expect(parsed(answer)).toEqual({
      object: "owner.transferred",
      subject: "user:ann",
      to: "user:heir",
      vector_stores: 1,
      files: 1,
      permissions: 2,
    });
    expect(await status("sk-heir", `/files/${file}`)).toBe(200);
    expect((await ask("sk-heir", "POST", `/vector_stores/${store}`, { name: "mine now" })).status).toBe(200);
    expect(await status("sk-ben", `/vector_stores/${store}`)).toBe(200);
    expect(await status("sk-ann", `/vector_stores/${store}`)).toBe(404);
    const search = await ask("sk-ann", "POST", `/vector_stores/${store}/search`, { query: "a" });
    expect(search.status).toBe(404);
    const { permissions } = await estate("user:heir");
    expect(Object.fromEntries(permissions.data.map(({ vector_store_id: id, permission }) => [id, permission]))).toEqual(
      { [other]: "write", [third]: "admin" },
    );
    expect(await estate("user:ann")).toMatchObject({
      vector_stores: { count: 0 },
      files: { count: 0 },
      permissions: { count: 0 },
      usage: { requests: expect.any(Number) },
    });
    expect((await estate("user:ann")).usage.requests).toBeGreaterThan(0);
    expect(await lastAct()).toMatchObject({
      action: "owner.transfer",
      target: "user:ann",
      details: { to: "user:heir", stores: 1, storeIds: [store], files: 1, permissions: 2 },
    });
    litellm.keys.set("sk-ann", { user_id: "ann", team_id: "red" });
    service.deps.callers.forgetUserKey(sha("sk-ann"));
  });

  const owners: [string, string, string, object][] = [
    ["user:ann", "team:blue", "sk-ann", { user_id: null, team_id: "blue", key_id: null }],
    ["team:red", "user:heir", "sk-robot", { user_id: "heir", team_id: null, key_id: null }],
    ["team:red", "team:blue", "sk-robot", { user_id: null, team_id: "blue", key_id: null }],
    ["team:red", "team:blue", "sk-ann", { user_id: "ann", team_id: "blue", key_id: null }],
    ["team:red", "user:heir", "sk-ann", { user_id: "ann", team_id: "red", key_id: null }],
    [`key:${sha("sk-alone")}`, "user:heir", "sk-alone", { user_id: "heir", team_id: null, key_id: null }],
    [`key:${sha("sk-alone")}`, "team:blue", "sk-alone", { user_id: null, team_id: "blue", key_id: null }],
  ];
  test.each(owners)("from %s to %s, of what %s made", async (from, to, key, expected) => {
    const store = await create(key);
    expect((await act(from, "transfer", { to })).status).toBe(200);
    const all = parsed(await ask(litellm.masterKey, "GET", "/admin/vector_stores")) as {
      data: { id: string; owner: object }[];
    };
    expect(all.data).toMatchObject([{ id: store, owner: expected }]);
  });
});

describe("erasing", () => {
  test("removes stores, files, permissions, usage, limits and uploads, and nothing else", async () => {
    const [store, other] = [await create("sk-ann"), await create("sk-ben")];
    const [file, attached, bens] = [await upload("sk-ann"), await upload("sk-ann"), await upload("sk-ben")];
    await grant("sk-ben", other, "user:ann", "write");
    await ask("sk-ann", "POST", `/vector_stores/${other}/files`, { file_id: attached });
    await ask("sk-ann", "POST", `/vector_stores/${other}/files`, { file_id: bens });
    const pending = { filename: "secret.txt", bytes: 1, purpose: "assistants", mime_type: "text/plain" };
    const { id: uploadId } = parsed(await ask("sk-ann", "POST", "/uploads", pending)) as { id: string };
    await ask(litellm.masterKey, "PUT", "/admin/limits/user:ann", { vector_stores: 9 });
    const answer = await erase("user:ann");
    expect(parsed(answer)).toEqual({
      object: "owner.erased",
      subject: "user:ann",
      vector_stores: 1,
      files: 2,
      permissions: 1,
      requests: expect.any(Number),
      sessions: 0,
    });
    // At once, before the sweep.
    expect(await status("sk-ann", `/vector_stores/${store}`)).toBe(404);
    expect(await status("sk-ann", `/files/${file}`)).toBe(404);
    expect(await status("sk-ann", `/vector_stores/${other}`)).toBe(200); // Ben is of the same team.
    await sweep();
    await service.deps.usage.flush();
    const gone = await service.database.query<{ left: string }>(`
      SELECT 'store' AS left FROM vector_stores WHERE owner_user_id = 'ann'
      UNION ALL SELECT 'file' FROM vector_store_file_objects WHERE owner_user_id = 'ann'
      UNION ALL SELECT 'upload' FROM vector_store_uploads WHERE owner_user_id = 'ann' OR filename <> '' OR status = 'pending'
      UNION ALL SELECT 'permission' FROM vector_store_permissions WHERE subject = 'user:ann'
      UNION ALL SELECT 'limit' FROM vector_store_limits WHERE subject = 'user:ann'
      UNION ALL SELECT 'payer' FROM vector_store_files WHERE payer->>'userId' = 'ann'
      UNION ALL SELECT 'attached' FROM vector_store_files WHERE file_id = '${attached}'`);
    expect(gone).toEqual([]);
    expect(uploadId).toMatch(/^upload_/);
    expect((await estate("user:ann")).usage.requests).toBe(3); // The requests of this test since.
    expect(await status("sk-ben", `/vector_stores/${other}/files/${bens}`)).toBe(200);
    expect(await status("sk-ben", `/files/${bens}`)).toBe(200);
    expect((await estate("user:ben")).usage.requests).toBeGreaterThan(0);
    expect(await erase("user:ann").then((again) => parsed(again))).toMatchObject({ vector_stores: 0, files: 0 });
    expect(await lastAct()).toMatchObject({ action: "owner.erase", target: "user:ann", details: { stores: 0 } });
  });

  test("of a team removes what its service accounts made, and ends its share in what users made", async () => {
    const [robots, anns] = [await create("sk-robot"), await create("sk-ann")];
    expect(await status("sk-ben", `/vector_stores/${anns}`)).toBe(200);
    expect(parsed(await erase("team:red"))).toMatchObject({ vector_stores: 1 });
    expect(await status("sk-robot", `/vector_stores/${robots}`)).toBe(404);
    expect(await status("sk-ann", `/vector_stores/${anns}`)).toBe(200);
    expect(await status("sk-ben", `/vector_stores/${anns}`)).toBe(404);
    expect((await estate("user:ann")).usage.requests).toBeGreaterThan(0);
  });

  test("needs the subject once more", async () => {
    const store = await create("sk-ann");
    for (const body of [{}, { confirm: "user:ben" }, { confirm: true }]) {
      const answer = await act("user:ann", "erase", body);
      expect([answer.status, errorOf(answer).param]).toEqual([400, "confirm"]);
    }
    expect(await status("sk-ann", `/vector_stores/${store}`)).toBe(200);
  });
});

describe("what is refused", () => {
  test.each([
    ["everyone", "transfer", { to: "user:a" }, "subject"],
    ["ann", "transfer", { to: "user:a" }, "subject"],
    ["user:", "erase", { confirm: "user:" }, "subject"],
    ["user:a\0", "erase", { confirm: "user:a" }, "subject"],
    ["user:ann", "transfer", {}, "to"],
    ["user:ann", "transfer", { to: "user:ann" }, "to"],
    ["user:ann", "transfer", { to: "everyone" }, "to"],
    ["user:ann", "transfer", { to: `key:${"a".repeat(64)}` }, "to"],
  ])("%s %s %j", async (subject, how, body, param) => {
    const answer = await act(subject, how, body);
    expect([answer.status, errorOf(answer).param]).toEqual([400, param]);
  });
});
