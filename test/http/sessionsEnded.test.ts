import { afterEach, describe, expect, test } from "@jest/globals";
import * as sessions from "../../src/core/access/sessions.js";
import { errorOf, send } from "./requests.js";
import { browser, ownPage, parsed, start, stop } from "./sessionsSupport.js";

afterEach(stop);

/** What LiteLLM said of a key is asked for again after this time. */
const lookUpMs = 60_000;

describe("a session ends", () => {
  test("at once on every replica when it is signed out", async () => {
    const { service, replica } = await start();
    const other = await replica();
    const { ask, at } = await browser(service, "sk-ann");
    const there = at(other.url);
    expect((await there("GET", "/me")).status).toBe(200);
    await ask("DELETE", "/sessions/current");
    const refused = await there("GET", "/me");
    expect([refused.status, errorOf(refused).code]).toEqual([401, "session_ended"]);
  });

  test("when it is signed out while LiteLLM cannot tell whose its key is", async () => {
    const { service, litellm, asMaster } = await start();
    const { id, ask } = await browser(service, "sk-ann");
    litellm.outage = { status: 503, json: { error: { type: "no_db_connection", message: "DB not connected" } } };
    service.advance(lookUpMs);
    const out = await ask("DELETE", "/sessions/current");
    expect([out.status, parsed(out)]).toEqual([200, { id, object: "session.deleted", deleted: true }]);
    expect(String(out.headers["set-cookie"])).toContain("1970");
    litellm.outage = null;
    const { data } = parsed(await asMaster("GET", "/admin/audit?limit=1")) as { data: object[] };
    expect(data).toMatchObject([{ action: "session.ended", actor: "user:ann", details: { reason: "signed_out" } }]);
    // Saying it again, or without a session, changes nothing; another site cannot say it.
    const none = { id: null, object: "session.deleted", deleted: false };
    expect(parsed(await ask("DELETE", "/sessions/current"))).toEqual(none);
    const stranger = { method: "DELETE", path: "/v1/sessions/current", key: null, headers: ownPage };
    expect(parsed(await send(service.url, stranger))).toEqual(none);
    const ben = await browser(service, "sk-ben");
    const crossed = await ben.ask("DELETE", "/sessions/current", undefined, { "sec-fetch-site": "cross-site" });
    expect([crossed.status, errorOf(crossed).code, await ben.status()]).toEqual([403, "cross_site_request", 200]);
  });

  test("when its key of the service is revoked, also on a replica", async () => {
    const { service, replica, asMaster, makeKey } = await start();
    const other = await replica();
    const { id, key } = await makeKey({ name: "brief", scope: "write" });
    const page = await browser(service, key);
    expect((await page.at(other.url)("GET", "/me")).status).toBe(200);
    await asMaster("DELETE", `/admin/keys/${id}`);
    other.advance(5_000);
    const refused = await page.at(other.url)("GET", "/me");
    expect([refused.status, errorOf(refused).code]).toEqual([401, "session_key_refused"]);
    // Only the request that ends it knows why.
    const later = await page.ask("GET", "/me");
    expect([later.status, errorOf(later).code]).toEqual([401, "session_ended"]);
    const { data } = parsed(await asMaster("GET", "/admin/audit?limit=1")) as { data: { details: object }[] };
    expect(data).toMatchObject([
      { action: "session.ended", actor: `key:${id}`, target: page.id, details: { reason: "key_refused" } },
    ]);
  });

  test("when its key is rotated, together with the old key", async () => {
    const { service, asMaster, makeKey } = await start();
    const { id, key } = await makeKey({ name: "rotated", scope: "write" });
    const { status } = await browser(service, key);
    await asMaster("POST", `/admin/keys/${id}/rotate`, { overlap_seconds: 60 });
    expect(await status()).toBe(200);
    service.advance(61_000);
    expect(await status()).toBe(401);
  });

  test("when LiteLLM blocks, deletes or expires its key", async () => {
    const { service, litellm } = await start();
    for (const key of ["sk-blocked", "sk-deleted"]) litellm.keys.set(key, { user_id: "ann" });
    litellm.keys.set("sk-brief", { user_id: "ann", expires: new Date(Date.now() + 30_000).toISOString() });
    const [blocked, deleted, brief] = [
      await browser(service, "sk-blocked"),
      await browser(service, "sk-deleted"),
      await browser(service, "sk-brief"),
    ];
    litellm.keys.set("sk-blocked", { user_id: "ann", blocked: true });
    litellm.keys.delete("sk-deleted");
    litellm.keys.delete("sk-brief");
    service.advance(30_000);
    expect([await blocked.status(), await deleted.status(), await brief.status()]).toEqual([200, 200, 401]);
    service.advance(lookUpMs - 30_000);
    expect([await blocked.status(), await deleted.status()]).toEqual([401, 401]);
    // It does not come back with the key.
    litellm.keys.set("sk-blocked", { user_id: "ann" });
    service.advance(lookUpMs);
    expect(await blocked.status()).toBe(401);
    expect(await service.database.query("SELECT id FROM vector_store_sessions")).toEqual([]);
  });

  test.each<[string, string, (change: Awaited<ReturnType<typeof start>>["litellm"]) => void]>([
    ["a user becomes an administrator", "sk-ann", ({ users }) => users.set("ann", "proxy_admin")],
    ["an administrator becomes a user", "sk-max", ({ users }) => users.set("max", "internal_user")],
    ["an administrator may only look", "sk-max", ({ users }) => users.set("max", "proxy_admin_viewer")],
    ["a viewer becomes an administrator", "sk-vera", ({ users }) => users.set("vera", "proxy_admin")],
    ["the key is given to somebody else", "sk-ann", ({ keys }) => keys.set("sk-ann", { user_id: "ben" })],
  ])("when %s", async (_what, key, change) => {
    const { service, litellm, asMaster } = await start();
    const { id, ask } = await browser(service, key);
    change(litellm);
    service.advance(lookUpMs);
    const [first, second] = [await ask("GET", "/me"), await ask("GET", "/me")];
    expect([first.status, errorOf(first).code]).toEqual([401, "session_caller_changed"]);
    expect([second.status, errorOf(second).code]).toEqual([401, "session_ended"]);
    const { data } = parsed(await asMaster("GET", "/admin/audit?limit=1")) as { data: object[] };
    expect(data).toMatchObject([{ action: "session.ended", target: id, details: { reason: "caller_changed" } }]);
    // Signing in again gives what the key now is.
    expect((await browser(service, key)).caller.name).toMatch(/^user:/);
  });

  test("when everything of its user is erased", async () => {
    const { service, asMaster } = await start();
    const [ann, again, ben] = [
      await browser(service, "sk-ann"),
      await browser(service, "sk-ann"),
      await browser(service, "sk-ben"),
    ];
    const erased = await asMaster("POST", "/admin/owners/user:ann/erase", { confirm: "user:ann" });
    expect(parsed(erased)).toMatchObject({ object: "owner.erased", sessions: 2 });
    expect([await ann.status(), await again.status(), await ben.status()]).toEqual([401, 401, 200]);
  });

  test("and is swept after its time", async () => {
    const { service } = await start();
    await browser(service, "sk-ann");
    service.advance(8 * 3_600_000 - 1_000);
    expect(await sessions.sweep(service.deps)).toBe(0);
    service.advance(1_000);
    expect(await sessions.sweep(service.deps)).toBe(1);
    expect(await service.database.query("SELECT id FROM vector_store_sessions")).toEqual([]);
  });
});

describe("a session stays", () => {
  test("while LiteLLM cannot tell whose its key is", async () => {
    const { service, litellm } = await start();
    const { status } = await browser(service, "sk-ann");
    litellm.outage = { status: 503, json: { error: { type: "no_db_connection", message: "DB not connected" } } };
    service.advance(lookUpMs);
    expect(await status()).toBe(503);
    litellm.outage = null;
    expect(await status()).toBe(200);
  });

  test("while the team's other things change", async () => {
    const { service, litellm } = await start();
    const { ask, status } = await browser(service, "sk-ann");
    const { id } = parsed(await ask("POST", "/vector_stores", {})) as { id: string };
    // What the key may use holds at the next look, as for the key itself.
    litellm.keys.set("sk-ann", { user_id: "ann", object_permission: { vector_stores: ["vs_other"] } });
    expect(await status(`/vector_stores/${id}`)).toBe(200);
    service.advance(lookUpMs);
    expect([await status(`/vector_stores/${id}`), await status()]).toEqual([404, 200]);
  });
});
