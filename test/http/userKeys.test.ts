import { afterEach, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { errorOf, send } from "./requests.js";

let litellm: FakeLitellm | undefined;
let service: TestService | undefined;
afterEach(async () => {
  await service?.close();
  await litellm?.[Symbol.asyncDispose]();
  service = undefined;
  litellm = undefined;
});

async function start(options: { master?: boolean; environment?: Record<string, string> } = {}) {
  litellm = await startFakeLitellm(options);
  service = await startService({ environment: { ...litellm.environment, ...options.environment } });
  const { url } = service;
  const ask = (key: string, path = "/v1/vector_stores", method = "GET", body?: object) =>
    send(url, { method, path, key, ...(body !== undefined && { body }) });
  const create = async (key: string) =>
    (JSON.parse((await ask(key, "/v1/vector_stores", "POST", { name: key })).text) as { id: string }).id;
  const seen = async (key: string) =>
    (JSON.parse((await ask(key)).text) as { data: { name: string }[] }).data.map(({ name }) => name).sort();
  return { litellm, service, ask, create, seen };
}

describe.each([
  ["asking with the master key", true],
  ["asking with the key itself", false],
])("a LiteLLM key, %s", (_name, master) => {
  test("sees what belongs to its user and its team", async () => {
    const { litellm: fake, create, seen, ask } = await start({ master });
    fake.teams.set("red", {});
    fake.users.set("ann", "internal_user");
    fake.keys.set("sk-ann", { user_id: "ann" });
    fake.keys.set("sk-ann-red", { user_id: "ann", team_id: "red" });
    fake.keys.set("sk-ben-red", { user_id: "ben", team_id: "red" });
    fake.keys.set("sk-robot-red", { team_id: "red" });
    fake.keys.set("sk-alone", {});
    fake.keys.set("sk-alone-2", {});
    const ids: Record<string, string> = {};
    for (const key of fake.keys.keys()) ids[key] = await create(key);
    expect(await seen("sk-ann")).toEqual(["sk-ann", "sk-ann-red"]);
    expect(await seen("sk-ann-red")).toEqual(["sk-ann", "sk-ann-red", "sk-ben-red", "sk-robot-red"]);
    expect(await seen("sk-ben-red")).toEqual(["sk-ann-red", "sk-ben-red", "sk-robot-red"]);
    expect(await seen("sk-robot-red")).toEqual(["sk-ann-red", "sk-ben-red", "sk-robot-red"]);
    expect(await seen("sk-alone")).toEqual(["sk-alone"]);
    const remove = async (key: string, id = "") => (await ask(key, `/v1/vector_stores/${id}`, "DELETE")).status;
    expect(await remove("sk-alone", ids["sk-alone-2"])).toBe(404);
    // A teammate may write, but only the owner may delete; what a service account made is the team's.
    expect(await remove("sk-ben-red", ids["sk-ann-red"])).toBe(403);
    expect(await remove("sk-robot-red", ids["sk-ann-red"])).toBe(403);
    expect(await remove("sk-ben-red", ids["sk-robot-red"])).toBe(200);
    expect(await remove("sk-ann", ids["sk-ann-red"])).toBe(200);
  });

  test("is looked up once per KEY_CACHE_SECONDS, however many requests come", async () => {
    const { litellm: fake, service: running, ask } = await start({ master });
    fake.users.set("ann", "internal_user");
    fake.keys.set("sk-ann", { user_id: "ann" });
    await Promise.all(Array.from({ length: 20 }, () => ask("sk-ann")));
    await ask("sk-ann");
    expect(fake.lookups()).toEqual(["/key/info", "/v2/user/info"]);
    running.advance(60_000);
    await ask("sk-ann");
    expect(fake.lookups()).toHaveLength(4);
  });

  test("stops when it is deleted or blocked, or its team is, within KEY_CACHE_SECONDS", async () => {
    const { litellm: fake, service: running, ask } = await start({ master });
    fake.teams.set("red", {});
    for (const key of ["sk-deleted", "sk-blocked"]) fake.keys.set(key, { user_id: "ann" });
    fake.keys.set("sk-red", { user_id: "ann", team_id: "red" });
    const statuses = async () =>
      Promise.all(["sk-deleted", "sk-blocked", "sk-red"].map(async (key) => (await ask(key)).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    fake.keys.delete("sk-deleted");
    fake.keys.set("sk-blocked", { user_id: "ann", blocked: true });
    fake.teams.set("red", { blocked: true });
    running.advance(60_000);
    expect(await statuses()).toEqual([401, 401, 401]);
  });

  test("stops at its own end", async () => {
    const { litellm: fake, service: running, ask } = await start({ master });
    fake.keys.set("sk-brief", { user_id: "ann", expires: new Date(Date.now() + 30_000).toISOString() });
    expect((await ask("sk-brief")).status).toBe(200);
    fake.keys.delete("sk-brief");
    running.advance(30_000);
    expect((await ask("sk-brief")).status).toBe(401);
  });

  test("is limited to the stores that it and its team list", async () => {
    const { litellm: fake, service: running, ask, create, seen } = await start({ master });
    fake.keys.set("sk-ann", { user_id: "ann" });
    const [one, two] = [await create("sk-ann"), await create("sk-ann")];
    fake.teams.set("red", { object_permission: { vector_stores: [one, two] } });
    fake.keys.set("sk-some", { user_id: "ann", object_permission: { vector_stores: [one] } });
    fake.keys.set("sk-red", { user_id: "ann", team_id: "red", object_permission: { vector_stores: [two, "vs_x"] } });
    expect(await seen("sk-some")).toHaveLength(1);
    expect((await ask("sk-some", `/v1/vector_stores/${one}`)).status).toBe(200);
    expect((await ask("sk-some", `/v1/vector_stores/${two}`)).status).toBe(404);
    expect((await ask("sk-red", `/v1/vector_stores/${two}`)).status).toBe(200);
    expect((await ask("sk-red", `/v1/vector_stores/${one}`)).status).toBe(404);
    const refused = await ask("sk-some", "/v1/vector_stores", "POST", { name: "another" });
    expect([refused.status, errorOf(refused).message]).toEqual([403, expect.stringMatching(/object_permission/)]);
    expect(running.config.access.denyByDefault).toBe(false);
  });

  test("that is limited to some stores sees no file that is attached to others", async () => {
    const { litellm: fake, service: running, ask, create } = await start({ master });
    fake.keys.set("sk-ann", { user_id: "ann" });
    const [one, two] = [await create("sk-ann"), await create("sk-ann")];
    fake.keys.set("sk-some", { user_id: "ann", object_permission: { vector_stores: [one] } });
    const upload = async (store: string | null) => {
      const form = new FormData();
      form.set("file", new Blob([`for ${store ?? "none"}`]), "a.txt");
      form.set("purpose", "assistants");
      const headers = { authorization: "Bearer sk-ann" };
      const sent = await fetch(`${running.url}/v1/files`, { method: "POST", headers, body: form });
      const { id } = (await sent.json()) as { id: string };
      if (store !== null)
        expect((await ask("sk-ann", `/v1/vector_stores/${store}/files`, "POST", { file_id: id })).status).toBe(200);
      return id;
    };
    const [inOne, inTwo, inNone] = [await upload(one), await upload(two), await upload(null)];
    await ask("sk-ann", `/v1/vector_stores/${one}/files`, "POST", { file_id: inTwo });
    const listed = JSON.parse((await ask("sk-some", "/v1/files")).text) as { data: { id: string }[] };
    expect(listed.data.map(({ id }) => id).sort()).toEqual([inOne, inNone].sort());
    for (const [id, status] of [
      [inOne, 200],
      [inNone, 200],
      [inTwo, 404],
    ] as const) {
      expect((await ask("sk-some", `/v1/files/${id}`)).status).toBe(status);
      expect((await ask("sk-some", `/v1/files/${id}/content`)).status).toBe(status);
      expect((await ask("sk-some", `/v1/vector_stores/${one}/files`, "POST", { file_id: id })).status).toBe(status);
    }
    expect((await ask("sk-some", `/v1/files/${inTwo}`, "DELETE")).status).toBe(404);
    expect((await ask("sk-some", `/v1/files/${inOne}`, "DELETE")).status).toBe(200);
    expect((await ask("sk-ann", `/v1/files/${inTwo}`)).status).toBe(200);
  });

  test("of an administrator sees everything, and one that only views changes nothing", async () => {
    const {
      litellm: fake,
      ask,
      create,
      seen,
    } = await start({
      master,
      environment: { ADMIN_USER_IDS: "zoe, root" },
    });
    for (const [user, role] of [
      ["ann", "internal_user"],
      ["max", "proxy_admin"],
      ["vera", "proxy_admin_viewer"],
      ["root", "internal_user"],
    ] as const) {
      fake.users.set(user, role);
      fake.keys.set(`sk-${user}`, { user_id: user });
    }
    const id = await create("sk-ann");
    for (const key of ["sk-max", "sk-vera", "sk-root"]) expect(await seen(key)).toEqual(["sk-ann"]);
    const statuses = async (method: string, path: string, body?: object) =>
      Promise.all(
        ["sk-ann", "sk-vera", "sk-max", "sk-root"].map(async (key) => (await ask(key, path, method, body)).status),
      );
    expect(await statuses("POST", `/v1/vector_stores/${id}`, { name: "sk-ann" })).toEqual([200, 403, 200, 200]);
    expect(await statuses("GET", "/v1/admin/keys")).toEqual([403, 200, 200, 200]);
    expect(await statuses("DELETE", "/v1/admin/keys/key_x")).toEqual([403, 403, 404, 404]);
  });
});

test("with VECTOR_STORE_DENY_BY_DEFAULT a key sees only what it and its team list", async () => {
  const { litellm: fake, create, seen } = await start({ environment: { VECTOR_STORE_DENY_BY_DEFAULT: "true" } });
  fake.users.set("max", "proxy_admin");
  fake.keys.set("sk-max", { user_id: "max" });
  const id = await create("sk-max");
  const lists = { object_permission: { vector_stores: [id] } };
  fake.teams.set("listing", lists);
  fake.teams.set("silent", {});
  fake.keys.set("sk-silent", { user_id: "max2" });
  fake.keys.set("sk-both", { user_id: "max", team_id: "listing", ...lists });
  fake.keys.set("sk-key-only", { user_id: "ann", team_id: "silent", ...lists });
  fake.keys.set("sk-team-only", { user_id: "ann", team_id: "listing" });
  for (const key of ["sk-silent", "sk-key-only", "sk-team-only"]) expect(await seen(key)).toEqual([]);
  expect(await seen("sk-both")).toEqual(["sk-max"]);
});

describe("unknown keys", () => {
  test("cost LiteLLM no row with a master key, and one look-up each", async () => {
    const { litellm: fake, ask } = await start();
    for (let i = 0; i < 50; i += 1) expect((await ask(`sk-random-${i % 25}`)).status).toBe(401);
    expect(fake.lookups()).toHaveLength(25);
    expect(fake.rows()).toBe(0);
  });

  test("are limited to ten a second without one; known keys go on", async () => {
    const { litellm: fake, service: running, ask } = await start({ master: false });
    fake.keys.set("sk-ann", { user_id: "ann" });
    expect((await ask("sk-ann")).status).toBe(200);
    running.deps.now = () => 0;
    const answers = [];
    for (let i = 0; i < 40; i += 1) answers.push(await ask(`sk-random-${i}`));
    const limited = answers.filter(({ status }) => status === 429);
    expect(fake.rows()).toBeLessThanOrEqual(40 - limited.length);
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
    expect((await ask("sk-ann")).status).toBe(200);
  });

  test.each(["", "hello", "Bearer", "ey.J.WT", "SK-upper", "sk-", `sk-${"x".repeat(600)}`, "sk-a b"])(
    "what is no LiteLLM key (%j) is refused without asking",
    async (key) => {
      const { litellm: fake, ask } = await start();
      expect((await ask(key)).status).toBe(401);
      expect(fake.lookups()).toEqual([]);
    },
  );
});

describe("when LiteLLM cannot tell", () => {
  const away = { status: 401, json: { error: { type: "auth_error", message: "Error in external connector (id 7)" } } };

  test("a new key is 503, a known one works until its time is over", async () => {
    const { litellm: fake, service: running, ask } = await start();
    fake.keys.set("sk-known", { user_id: "ann" });
    fake.keys.set("sk-new", { user_id: "ann" });
    await ask("sk-known");
    fake.outage = away;
    expect((await ask("sk-known")).status).toBe(200);
    const refused = await ask("sk-new");
    expect([refused.status, errorOf(refused).code, refused.headers["retry-after"]]).toEqual([
      503,
      "key_check_failed",
      "2",
    ]);
    running.advance(60_000);
    expect((await ask("sk-known")).status).toBe(503);
    fake.outage = null;
    expect([(await ask("sk-known")).status, (await ask("sk-new")).status]).toEqual([200, 200]);
  });

  test("KEY_GRACE_SECONDS lets known keys go on, but not one that has expired", async () => {
    const { litellm: fake, service: running, ask } = await start({ environment: { KEY_GRACE_SECONDS: "300" } });
    fake.keys.set("sk-known", { user_id: "ann" });
    fake.keys.set("sk-brief", { user_id: "ann", expires: new Date(Date.now() + 100_000).toISOString() });
    await ask("sk-known");
    await ask("sk-brief");
    fake.outage = away;
    running.advance(200_000);
    expect([(await ask("sk-known")).status, (await ask("sk-brief")).status]).toEqual([200, 503]);
    running.advance(160_000);
    expect((await ask("sk-known")).status).toBe(503);
  });
});

test("a user's model calls carry the user's key", async () => {
  const { litellm: fake, ask } = await start();
  fake.keys.set("sk-ann", { user_id: "ann" });
  await ask("sk-ann", "/v1/embeddings", "POST", { input: "a" });
  const calls = fake.asked.filter(({ path }) => path === "/v1/embeddings");
  expect(calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer sk-ann"]);
});
