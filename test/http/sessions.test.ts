import { afterEach, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import { testKey } from "../support/settings.js";
import { errorOf } from "./requests.js";
import { type Me, browser, ownPage, parsed, signIn, start, stop } from "./sessionsSupport.js";

afterEach(stop);

interface Listed {
  id: string;
  name: string;
  kind: string;
  read_only: boolean;
  current: boolean;
  last_used_at: number;
}
const listed = (answer: Parameters<typeof parsed>[0]) => (parsed(answer) as { data: Listed[] }).data;

describe("a session", () => {
  test("is what its key is: master, administrator, viewer, user, team, the service's own", async () => {
    const { service, litellm, ask, makeKey } = await start();
    const keys = {
      master: litellm.masterKey,
      "user:max": "sk-max",
      "user:vera": "sk-vera",
      "user:ann": "sk-ann",
      "team:red": "sk-robot",
      server: testKey,
    };
    const scopes = ["read", "write", "admin"].map(async (scope) => makeKey({ name: scope, scope }));
    for (const { id, key } of await Promise.all(scopes)) Object.assign(keys, { [`key:${id}`]: key });
    for (const key of Object.values(keys)) await ask(key, "POST", "/vector_stores", { name: key });
    // As the lists of keys name them; keys of the settings are in none.
    const idOf = (name: string, key: string) =>
      name === "master" || name === "server"
        ? null
        : name.startsWith("key:")
          ? name.slice(4)
          : hash("sha256", key, "hex");
    for (const [name, key] of Object.entries(keys)) {
      const { caller, ask: inPage } = await browser(service, key);
      const bearers = parsed(await ask(key, "GET", "/me")) as Me;
      expect(bearers).toMatchObject({ name, session: null, key_id: idOf(name, key) });
      expect(parsed(await inPage("GET", "/me"))).toEqual(caller);
      expect({ ...caller, session: null }).toEqual(bearers);
      for (const path of ["/vector_stores", "/me/vector_stores", "/admin/keys", "/limits"]) {
        const [byKey, byCookie] = [await ask(key, "GET", path), await inPage("GET", path)];
        expect([byCookie.status, byCookie.text]).toEqual([byKey.status, byKey.text]);
      }
    }
  });

  test("spends with its key, and is counted as its key", async () => {
    const { service, litellm, ask } = await start();
    const { ask: inPage } = await browser(service, "sk-ann");
    expect((await inPage("POST", "/embeddings", { input: "a" })).status).toBe(200);
    const calls = litellm.asked.filter(({ path }) => path === "/v1/embeddings");
    expect(calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer sk-ann"]);
    await service.deps.usage.flush();
    const usage = parsed(await ask("sk-ann", "GET", "/usage?group_by=action")) as { data: object[] };
    expect(usage.data).toContainEqual(expect.objectContaining({ action: "createEmbeddings", requests: 1 }));
  });

  test("has a page that may do what the key may do with each store", async () => {
    const { service, ask, makeKey } = await start();
    const { id } = parsed(await ask("sk-ann", "POST", "/vector_stores", {})) as { id: string };
    const may = async (key: string) => {
      const { ask: inPage } = await browser(service, key);
      const answer = await inPage("GET", `/vector_stores/${id}/permissions/me`);
      const { permission, owner } = parsed(answer) as { permission?: string; owner?: boolean };
      return answer.status === 200 ? `${permission}${owner ? ", owner" : ""}` : answer.status;
    };
    expect(await may("sk-ben")).toBe(404);
    for (const permission of ["read", "write", "admin"]) {
      await ask("sk-ann", "PUT", `/vector_stores/${id}/permissions/user:ben`, { permission });
      expect(await may("sk-ben")).toBe(permission);
    }
    expect([await may("sk-ann"), await may("sk-max"), await may("sk-vera")]).toEqual([
      "admin, owner",
      "admin, owner",
      "read",
    ]);
    const reading = await makeKey({ name: "reading", scope: "read" });
    expect([await may(testKey), await may(reading.key)]).toEqual(["admin, owner", "read"]);
  });

  test("ends with SESSION_HOURS", async () => {
    const { service } = await start({ environment: { SESSION_HOURS: "2" } });
    const { status, caller } = await browser(service, "sk-ann");
    const life = (caller.session?.expires_at ?? 0) * 1000 - Date.now();
    expect(Math.round(life / 60_000)).toBe(120);
    service.advance(2 * 3_600_000 - 60_000);
    expect(await status()).toBe(200);
    service.advance(60_000);
    expect(await status()).toBe(401);
  });

  test("says when it was used last", async () => {
    const { service } = await start();
    const { ask } = await browser(service, "sk-ann");
    const used = async () => listed(await ask("GET", "/sessions"))[0]?.last_used_at ?? 0;
    const first = await used();
    service.advance(4 * 60_000);
    expect([await used(), await used()]).toEqual([first, first]);
    service.advance(60_000);
    while ((await used()) === first) await new Promise((resolve) => setImmediate(resolve));
    expect(await used()).toBeGreaterThanOrEqual(first + 300);
  });
});

describe("who may sign in", () => {
  test("not with a key that may only search, needs LiteLLM's word, or is unknown", async () => {
    const { service, ask, makeKey } = await start();
    const search = await makeKey({ name: "search", scope: "search" });
    const registry = await makeKey({ name: "registry", scope: "write", identity_required: true });
    for (const { key } of [search, registry]) {
      const answer = await signIn(service.url, key);
      expect([answer.status, errorOf(answer).code]).toEqual([403, "insufficient_permissions"]);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
    const unknown = await signIn(service.url, "sk-unknown");
    expect([unknown.status, unknown.text]).toEqual([401, (await ask("sk-unknown", "GET", "/me")).text]);
    expect((await service.database.query("SELECT id FROM vector_store_sessions")).length).toBe(0);
  });

  test("not without one key, and the answer does not repeat what was sent", async () => {
    const { service } = await start();
    for (const body of [{}, { key: "" }, { key: 12_345_678 }, { key: "sk-secret\0" }, { key: "x".repeat(513) }]) {
      const answer = await signIn(service.url, body as unknown as string);
      expect([answer.status, answer.text.includes("secret"), answer.text.includes("12345678")]).toEqual([
        400,
        false,
        false,
      ]);
    }
  });

  test("a browser that signs in again has one session", async () => {
    const { service } = await start();
    const first = await browser(service, "sk-ann");
    const again = await signIn(service.url, "sk-ben", { ...ownPage, cookie: first.cookie });
    expect((parsed(again) as { name: string }).name).toBe("user:ben");
    expect(await first.status()).toBe(401);
  });

  test("whoever signs in very often loses the oldest sessions", async () => {
    const { service } = await start();
    const old = await browser(service, "sk-ann");
    const other = await browser(service, "sk-ben");
    await service.database.exec(`
      INSERT INTO vector_store_sessions
      SELECT id || n, hash || decode(md5(n::text), 'hex'), sealed, name, role, created_at, last_used_at, expires_at
      FROM vector_store_sessions, generate_series(1001, 1499) AS n WHERE name = 'user:ann'`);
    expect(await old.status()).toBe(200);
    const latest = await browser(service, "sk-ann");
    expect([await old.status(), await latest.status(), await other.status()]).toEqual([401, 200, 200]);
    expect(listed(await latest.ask("GET", "/sessions"))).toHaveLength(500);
  });
});

describe("sessions", () => {
  test("are listed and ended by whoever has made them", async () => {
    const { service, ask } = await start();
    const [one, two] = [await browser(service, "sk-ann"), await browser(service, "sk-ann")];
    const ben = await browser(service, "sk-ben");
    const own = listed(await one.ask("GET", "/sessions"));
    expect(own.map(({ id, current }) => [id, current])).toEqual([
      [two.id, false],
      [one.id, true],
    ]);
    expect(own[0]).toMatchObject({ object: "session", name: "user:ann", kind: "user", read_only: false });
    expect(listed(await ask("sk-ann", "GET", "/sessions")).map(({ current }) => current)).toEqual([false, false]);
    expect((await ben.ask("DELETE", `/sessions/${two.id}`)).status).toBe(404);
    expect((await ask("sk-ann", "DELETE", `/sessions/${ben.id}`)).status).toBe(404);
    expect((await one.ask("DELETE", `/sessions/${two.id}`)).headers["set-cookie"]).toBeUndefined();
    expect([await one.status(), await two.status(), await ben.status()]).toEqual([200, 401, 200]);
    const out = await one.ask("DELETE", "/sessions/current");
    expect(parsed(out)).toEqual({ object: "session.deleted", id: one.id, deleted: true });
    expect([out.headers["set-cookie"]].flat()).toEqual([
      expect.stringMatching(
        /^__Host-vector-store=;.*Path=\/; Expires=Thu, 01 Jan 1970.*HttpOnly; Secure; SameSite=Strict/,
      ),
      expect.stringMatching(/^vector-store-session=;.*Path=\/; Expires=Thu, 01 Jan 1970.*HttpOnly; SameSite=Strict/),
    ]);
    expect([await one.status(), await ben.status()]).toEqual([401, 200]);
  });

  test("are listed in pages and ended by administrators; a viewer only looks", async () => {
    const { service } = await start();
    const ann = await browser(service, "sk-ann");
    const [max, vera] = [await browser(service, "sk-max"), await browser(service, "sk-vera")];
    const found: Listed[] = [];
    for (let after = ""; ;) {
      const page = await vera.ask("GET", `/admin/sessions?limit=2${after}`);
      const { has_more: more, last_id: last } = parsed(page) as { has_more: boolean; last_id: string };
      found.push(...listed(page));
      if (!more) break;
      after = `&after=${last}`;
    }
    expect(found.map(({ id, kind, read_only: only }) => [id, kind, only])).toEqual([
      [vera.id, "admin", true],
      [max.id, "admin", false],
      [ann.id, "user", false],
    ]);
    expect((await ann.ask("GET", "/admin/sessions")).status).toBe(403);
    expect((await vera.ask("DELETE", `/admin/sessions/${ann.id}`)).status).toBe(403);
    expect((await max.ask("DELETE", `/admin/sessions/${ann.id}`)).status).toBe(200);
    expect((await max.ask("DELETE", `/admin/sessions/${ann.id}`)).status).toBe(404);
    expect([await ann.status(), await max.status()]).toEqual([401, 200]);
  });

  test("are in the audit log", async () => {
    const { service, asMaster } = await start();
    const { id, ask } = await browser(service, "sk-ann");
    await signIn(service.url, "sk-guess");
    await ask("DELETE", "/sessions/current");
    const { data } = parsed(await asMaster("GET", "/admin/audit")) as { data: object[] };
    expect(data).toMatchObject([
      { action: "session.ended", actor: "user:ann", target: id, details: { reason: "signed_out", role: "user" } },
      { action: "session.refused", actor: "nobody", details: { reason: "invalid_api_key" }, address: "127.0.0.1" },
      { action: "session.created", actor: "user:ann", target: id, details: { role: "user" }, address: "127.0.0.1" },
    ]);
    expect(JSON.stringify(data)).not.toContain("sk-");
  });
});
