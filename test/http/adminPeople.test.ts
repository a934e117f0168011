import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, errorOf, send } from "./requests.js";

interface Item {
  id: string;
  object: string;
  in_litellm: boolean | null;
  litellm: Record<string, unknown> | null;
  vector_stores: { count: number; rows: number; bytes: number };
  files: { count: number; bytes: number };
  permissions: number;
  usage: { requests: number };
}
interface Page {
  data: Item[];
  has_more: boolean;
  next_page: string | null;
  total: number | null;
}

let litellm: FakeLitellm;
let service: TestService;
let alone: TestService;
let store: string;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.teams.set("red", { team_alias: "The Reds", members_with_roles: [{ user_id: "ann", role: "admin" }] });
  litellm.teams.set("blue", { team_alias: "Blues" });
  for (const name of ["ann", "ben", "cleo"]) {
    litellm.users.set(name, "internal_user");
    litellm.emails.set(name, `${name}@Example.com`);
  }
  litellm.keys.set("sk-ann", { user_id: "ann", team_id: "red" });
  // LiteLLM has keys of users that it does not have.
  litellm.keys.set("sk-gone", { user_id: "gone away+x", team_id: "old" });
  litellm.teams.set("old", {});
  service = await startService({ environment: litellm.environment });
  store = (parsed(await post("sk-ann", "/vector_stores", { name: "a" })) as { id: string }).id;
  await post("sk-ann", `/vector_stores/${store}/embeddings/batch`, {
    embeddings: [{ content: "four", embedding: [1, 0, 0, 0, 0, 0, 0, 0] }],
  });
  await post("sk-gone", "/vector_stores", { name: "b" });
  for (const subject of ["user:granted", "team:blue", "user:ben"]) {
    await send(service.url, {
      method: "PUT",
      path: `/v1/vector_stores/${store}/permissions/${subject}`,
      key: "sk-ann",
      body: { permission: "read" },
    });
  }
  litellm.teams.delete("old");
  // Has nothing here, and is gone.
  litellm.keys.set("sk-passing", { user_id: "passing" });
  await send(service.url, { method: "GET", path: "/v1/vector_stores", key: "sk-passing" });
  alone = await startService();
});
beforeEach(async () => {
  litellm.outage = null;
  await service.deps.usage.flush();
});
afterAll(async () => {
  await alone.close();
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;
const post = (key: string, path: string, body: object) => send(service.url, { path: `/v1${path}`, key, body });
const get = (path: string, key = litellm.masterKey) =>
  send(service.url, { method: "GET", path: `/v1/admin${path}`, key });
const list = async (path: string) => parsed(await get(path)) as Page;
const away = { status: 503, json: { error: { message: "no db", type: "no_db_connection", code: "503" } } };

async function walk(path: string): Promise<Item[]> {
  const found: Item[] = [];
  for (let next: string | null = ""; next !== null;) {
    const page: Page = await list(`${path}${next === "" ? "" : `&page=${next}`}`);
    expect(page.has_more).toBe(page.next_page !== null);
    found.push(...page.data);
    next = page.next_page;
  }
  return found;
}

describe("users", () => {
  test("are LiteLLM's, with what they have here", async () => {
    const { data, total } = await list("/users");
    expect([total, data.map(({ id }) => id)]).toEqual([3, ["ann", "ben", "cleo"]]);
    expect(data[0]).toMatchObject({
      object: "user",
      in_litellm: true,
      litellm: { email: "ann@Example.com", role: "internal_user" },
      vector_stores: { count: 1, rows: 1, bytes: 4 },
      permissions: 0,
      usage: { requests: 5 },
    });
    expect(data[1]).toMatchObject({ vector_stores: { count: 0 }, permissions: 1, usage: { requests: 0 } });
  });

  test("come in pages, and are found by a part of their email", async () => {
    expect((await walk("/users?limit=2")).map(({ id }) => id)).toEqual(["ann", "ben", "cleo"]);
    expect((await list("/users?email=EN%40ex")).data.map(({ id }) => id)).toEqual(["ben"]);
  });

  test("are looked up by their ids, in the order of these", async () => {
    const { data, next_page: next } = await list("/users?ids=cleo,nobody,ann,cleo");
    const found = data.map(({ id, in_litellm: has, litellm: facts }) => [id, has, facts?.email].join(" "));
    expect([next, ...found]).toEqual([null, "cleo true cleo@Example.com", "nobody false ", "ann true ann@Example.com"]);
    expect((await list("/teams?ids=red")).data[0]?.litellm?.alias).toBe("The Reds");
    const many = Array.from({ length: 51 }, (_, n) => n).join(",");
    for (const query of ["ids=a,,b", "ids=", `ids=${many}`, "ids=ann&email=ann"]) {
      const answer = await get(`/users?${query}`);
      expect([query, answer.status, errorOf(answer).param]).toEqual([query, 400, "ids"]);
    }
    litellm.outage = away;
    expect((await list("/users?ids=cleo")).data).toMatchObject([{ id: "cleo", in_litellm: null, litellm: null }]);
  });

  test("that are known here include those that LiteLLM does not have", async () => {
    for (const limit of [1, 2, 100]) {
      const found = await walk(`/users?source=service&limit=${limit}`);
      expect(found.map(({ id, in_litellm: has }) => [id, has])).toEqual([
        ["ann", true],
        ["ben", true],
        ["gone away+x", false],
        ["granted", false],
        ["passing", false],
      ]);
    }
  });

  test("that LiteLLM does not have, and that have something here, are listed alone", async () => {
    for (const limit of [1, 2, 100]) {
      const found = await walk(`/users?source=service&in_litellm=false&limit=${limit}`);
      expect(found.map(({ id, in_litellm: has, litellm: facts }) => [id, has, facts])).toEqual([
        ["gone away+x", false, null],
        ["granted", false, null],
      ]);
      expect(found[0]?.vector_stores.count).toBe(1);
    }
    expect((await list("/users?source=service&in_litellm=false&limit=2")).next_page).toBeNull();
  });

  test("are looked up at LiteLLM in bounded numbers: a page may be empty, and the next one goes on", async () => {
    await using other = await startFakeLitellm();
    const crowded = await startService({ environment: other.environment });
    const known = Array.from({ length: 250 }, (_, n) => `user-${String(n).padStart(3, "0")}`);
    for (const id of known.slice(0, -1)) other.users.set(id, "internal_user");
    const made = await send(crowded.url, { path: "/v1/vector_stores", key: other.masterKey, body: { name: "a" } });
    const { id } = JSON.parse(made.text) as { id: string };
    await crowded.database.exec(`
      INSERT INTO vector_store_permissions (vector_store_id, subject, permission, granted_by, granted_at)
      SELECT '${id}', 'user:user-' || lpad(n::text, 3, '0'), 'read', 'a', now() FROM generate_series(0, 249) AS n`);
    const ask = async (page: string) => {
      const path = `/v1/admin/users?source=service&in_litellm=false${page}`;
      const lookups = () => other.asked.filter(({ path: asked }) => asked.startsWith("/v2/user/info")).length;
      const before = lookups();
      const answer = await send(crowded.url, { method: "GET", path, key: other.masterKey });
      return { ...(JSON.parse(answer.text) as Page), lookups: lookups() - before };
    };
    const first = await ask("");
    expect(first).toMatchObject({ data: [], has_more: true, lookups: 200 });
    const second = await ask(`&page=${first.next_page ?? ""}`);
    expect(second).toMatchObject({ data: [{ id: "user-249" }], has_more: false, next_page: null, lookups: 50 });
    await crowded.close();
  });

  test("are retrieved by any id", async () => {
    expect(parsed(await get("/users/cleo"))).toMatchObject({ id: "cleo", in_litellm: true, usage: { requests: 0 } });
    expect(parsed(await get("/users/gone%20away%2Bx"))).toMatchObject({
      id: "gone away+x",
      in_litellm: false,
      litellm: null,
      vector_stores: { count: 1 },
    });
    const unknown = await get("/users/nobody");
    expect([unknown.status, errorOf(unknown).param]).toEqual([404, "user_id"]);
  });
});

describe("teams", () => {
  test("are LiteLLM's, found by a part of their alias", async () => {
    const { data } = await list("/teams");
    expect(data.map(({ id }) => id)).toEqual(["blue", "red"]);
    expect(data[1]).toMatchObject({
      object: "team",
      litellm: { alias: "The Reds", blocked: false, members: [{ user_id: "ann", role: "admin" }] },
      vector_stores: { count: 1 },
      usage: { requests: 5 },
    });
    expect((await list("/teams?alias=reds")).data.map(({ id }) => id)).toEqual(["red"]);
    expect((await walk("/teams?limit=1")).map(({ id }) => id)).toEqual(["blue", "red"]);
  });

  test("that are known here include those that LiteLLM does not have", async () => {
    const found = await walk("/teams?source=service&limit=1");
    expect(found.map(({ id, in_litellm: has }) => [id, has])).toEqual([
      ["blue", true],
      ["old", false],
      ["red", true],
    ]);
    expect((await walk("/teams?source=service&in_litellm=false")).map(({ id }) => id)).toEqual(["old"]);
    expect(parsed(await get("/teams/old"))).toMatchObject({ in_litellm: false, vector_stores: { count: 1 } });
    expect((await get("/teams/none")).status).toBe(404);
  });
});

describe("without an answer of LiteLLM", () => {
  test("its lists are 503, what is known here is still there, and a warning says why", async () => {
    litellm.outage = away;
    const refused = await get("/users");
    expect([refused.status, errorOf(refused).code]).toEqual([503, "litellm_unavailable"]);
    expect((await get("/teams")).status).toBe(503);
    expect((await get("/users?source=service&in_litellm=false")).status).toBe(503);
    const known = await get("/users?source=service");
    expect((parsed(known) as Page).data.map(({ in_litellm: has }) => has)).toEqual([null, null, null, null, null]);
    expect(known.headers["x-vector-store-warning"]).toMatch(/LiteLLM proxy answered 503/);
    const ann = await get("/users/ann");
    expect(parsed(ann)).toMatchObject({ in_litellm: null, litellm: null, vector_stores: { count: 1 } });
    expect(ann.headers["x-vector-store-warning"]).toMatch(/503/);
    expect((await get("/users/cleo")).status).toBe(503);
  });

  test.each<[string, FakeLitellm["outage"]]>([
    ["another server", { status: 404, json: { detail: "Not Found" } }],
    ["a page", { text: "<html>" }],
    ["a wrong master key", { status: 401, json: { error: { message: "no", type: "auth_error" } } }],
    ["a cut connection", "drop"],
    ["a list of another shape", { json: [] }],
  ])("%s is 503, too", async (_name, outage) => {
    litellm.outage = outage;
    for (const path of ["/users", "/teams", "/users/cleo", "/teams/none"]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(answer.text).not.toContain(litellm.masterKey);
    }
  });

  test("without a proxy or its master key it is 409, and what is known here is still there", async () => {
    const { create } = await import("../../src/core/access/serverKeys.js");
    const actor = { name: "command line", address: null, requestId: null };
    const { key } = await create(alone.deps, actor, {
      ...{ name: "a", scope: "admin", stores: null, expiresAt: null, identityRequired: false },
    });
    const ask = (path: string) => send(alone.url, { method: "GET", path: `/v1/admin${path}`, key });
    const refused = await ask("/users");
    expect([refused.status, errorOf(refused).code]).toEqual([409, "litellm_not_managed"]);
    expect(errorOf(refused).message).toContain("LITELLM_MASTER_KEY");
    expect((await ask("/litellm_keys")).status).toBe(409);
    expect((await ask("/users?source=service&in_litellm=false")).status).toBe(409);
    expect(parsed(await ask("/users?source=service"))).toMatchObject({ data: [], total: null });
    expect((await ask("/users/ann")).status).toBe(409);
  });
});

describe("what is refused", () => {
  test.each([
    ["/users?source=here", "source"],
    ["/users?limit=101", "limit"],
    ["/users?email=", "email"],
    ["/users?source=service&email=a", "email"],
    ["/teams?source=service&alias=a", "alias"],
    ["/users?alias=a", "alias"],
    ["/users?in_litellm=false", "in_litellm"],
    ["/teams?source=service&in_litellm=true", "in_litellm"],
    [`/users?source=service&in_litellm=false&page=${Buffer.from('["service","ann"]').toString("base64url")}`, "page"],
    ["/users?page=2", "page"],
    [`/users?page=${Buffer.from('["litellm","x"]').toString("base64url")}`, "page"],
    [`/users?page=${Buffer.from('["service","ann"]').toString("base64url")}`, "page"],
    ["/users/%00", "user_id"],
  ])("%s", async (path, param) => {
    const answer = await get(path);
    expect([answer.status, errorOf(answer).param]).toEqual([400, param]);
  });
});
