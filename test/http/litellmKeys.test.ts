import { describe, expect, test } from "@jest/globals";
import { sha } from "../support/fakeLitellmAdmin.js";
import { errorOf } from "./requests.js";
import {
  type Key,
  type Page,
  ask,
  audit,
  change,
  failure,
  list,
  litellm,
  make,
  parsed,
  refusal,
  service,
  use,
} from "./litellmKeysSupport.js";

describe("a new key", () => {
  test("is shown once, works, and is in the audit log without its secret", async () => {
    const wish = {
      user_id: "ann",
      team_id: "red",
      alias: "laptop",
      models: ["embed"],
      vector_store_ids: ["vs_1"],
      max_budget: 5,
      expires_in_seconds: 3600,
    };
    const answer = await make(wish);
    expect(answer.status).toBe(200);
    const made = parsed(answer) as Key;
    expect(made).toMatchObject({
      object: "litellm_key",
      id: sha(made.key),
      alias: "laptop",
      user_id: "ann",
      team_id: "red",
      status: "active",
      models: ["embed"],
      vector_store_ids: ["vs_1"],
      max_budget: 5,
    });
    expect(made.expires_at).toBeGreaterThan(Date.now() / 1000 + 3500);
    expect(await use(made.key)).toBe(200);
    const { data } = await list();
    expect(data).toMatchObject([{ id: made.id, alias: "laptop" }]);
    expect(data[0]).not.toHaveProperty("key");
    const [entry] = await audit();
    expect(entry).toMatchObject({
      action: "litellm_key.create",
      target: made.id,
      details: { alias: "laptop", userId: "ann", teamId: "red", models: ["embed"], seconds: 3600 },
    });
    expect(JSON.stringify(entry)).not.toContain(made.key);
  });

  test.each<[string, object, string, number]>([
    ["without user and team", { alias: "a" }, "user_id, team_id", 400],
    ["of a user that LiteLLM does not have", { user_id: "nobody" }, "LiteLLM has no", 400],
    ["of a team that LiteLLM does not have", { team_id: "nobody" }, "LiteLLM has no", 400],
    ["with a negative budget", { user_id: "ann", max_budget: -1 }, "at least 0", 400],
    ["without a life", { user_id: "ann", expires_in_seconds: 0 }, "at least 1", 400],
    ["for no stores", { user_id: "ann", vector_store_ids: [] }, "leave it out", 400],
    ["with a misspelt field", { user_id: "ann", expires: 5 }, "unknown parameter", 400],
  ])("%s is refused", async (_name, body, message, status) => {
    const answer = await make(body);
    expect([answer.status, errorOf(answer).message]).toEqual([status, expect.stringContaining(message)]);
    expect(litellm.keys.size).toBe(0);
  });

  test("with the alias of another one is 409; what else LiteLLM refuses comes in its words", async () => {
    await make({ user_id: "ann", alias: "twice" });
    const answer = await make({ user_id: "ben", alias: "twice" });
    expect([answer.status, errorOf(answer).param]).toEqual([409, "alias"]);
    litellm.instead.set("/key/generate", () => refusal);
    const refused = await make({ user_id: "ben" });
    expect([refused.status, errorOf(refused).code]).toEqual([400, "litellm_refused"]);
    expect(errorOf(refused).message).toContain("no such model");
    litellm.instead.set("/key/generate", () => failure);
    expect((await make({ user_id: "ben" })).status).toBe(503);
  });

  test("is deleted again if it cannot be written down", async () => {
    await service.database.exec("ALTER TABLE vector_store_audit RENAME TO vector_store_audit_away");
    try {
      const answer = await make({ user_id: "ann", alias: "unseen" });
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(litellm.keys.size).toBe(0);
    } finally {
      await service.database.exec("ALTER TABLE vector_store_audit_away RENAME TO vector_store_audit");
    }
  });
});

describe("the list", () => {
  test("is of all, or of a user, a team or an alias, in pages", async () => {
    for (let i = 0; i < 5; i += 1)
      litellm.keys.set(`sk-${i}`, { user_id: i % 2 === 0 ? "ann" : "ben", key_alias: `k${i}` });
    litellm.keys.set("sk-robot", { team_id: "red" });
    const ids = (page: Page) => page.data.map(({ alias }) => alias);
    const found: (string | null)[] = [];
    for (let next: string | null = ""; next !== null;) {
      const page: Page = await list(`?limit=4${next === "" ? "" : `&page=${next}`}`);
      expect([page.total, page.has_more]).toEqual([6, page.next_page !== null]);
      found.push(...ids(page));
      next = page.next_page;
    }
    expect(found).toEqual([null, "k4", "k3", "k2", "k1", "k0"]);
    expect(ids(await list("?user_id=ben"))).toEqual(["k3", "k1"]);
    expect(ids(await list("?team_id=red"))).toEqual([null]);
    expect(ids(await list("?alias=k2"))).toEqual(["k2"]);
    const { next_page: page } = await list("?user_id=ann&limit=1");
    const mixed = await ask("GET", `?user_id=ben&limit=1&page=${page ?? ""}`);
    expect([mixed.status, errorOf(mixed).param]).toEqual([400, "page"]);
  });

  test("says what a key is: blocked, over", async () => {
    litellm.keys.set("sk-old", { user_id: "ann", expires: "2020-01-01T00:00:00" });
    litellm.keys.set("sk-blocked", { user_id: "ann", blocked: true });
    expect((await list()).data.map(({ status }) => status)).toEqual(["blocked", "expired"]);
  });
});

describe("blocking", () => {
  test("holds here at once, is undone, and is written down", async () => {
    litellm.keys.set("sk-ann", { user_id: "ann", key_alias: "a" });
    expect(await use("sk-ann")).toBe(200);
    expect(parsed(await change("sk-ann", "block"))).toMatchObject({ status: "blocked" });
    expect(await use("sk-ann")).toBe(401);
    expect(parsed(await change("sk-ann", "unblock"))).toMatchObject({ status: "active" });
    expect(await use("sk-ann")).toBe(200);
    expect(await audit(2)).toMatchObject([
      { action: "litellm_key.unblock", target: sha("sk-ann"), details: { alias: "a", userId: "ann" } },
      { action: "litellm_key.block", target: sha("sk-ann") },
    ]);
  });

  test.each(["block", "unblock", "rotate"])("%s: an unknown key is 404, a key itself is 400", async (how) => {
    expect((await change("sk-none", how)).status).toBe(404);
    const named = await ask("POST", `/sk-none/${how}`);
    expect([named.status, errorOf(named).param]).toEqual([400, "key_hash"]);
  });
});
