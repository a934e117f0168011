import { afterEach, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import type { Asked } from "../litellm/support.js";
import { type Claims, signIdentity } from "../support/identity.js";
import { current, parsed, start, stop } from "./identitySupport.js";
import { errorOf, send } from "./requests.js";

afterEach(stop);

const keysOf = (asked: readonly Asked[]) =>
  asked.filter(({ path }) => path === "/v1/embeddings").map(({ headers }) => headers.authorization);

describe("a key that requires an identity acts as whoever LiteLLM names", () => {
  test("in every operation of LiteLLM", async () => {
    const { ask, makeStore, search } = await start();
    const [ann, ben, cat] = [{ by: "sk-ann" }, { by: "sk-ben" }, { by: "sk-cat" }];
    current.litellm?.keys.set("sk-cat", { user_id: "cat" });
    const id = await makeStore(ann, "ann's");
    const status = async (claims: Omit<Claims, "op">, op: string, method: string, path: string, body?: object) =>
      (await ask(signIdentity({ op, store: id, ...claims }), method, `/${id}${path}`, body)).status;
    const all = async (claims: Omit<Claims, "op">) => [
      (await search(claims, id)).status,
      await status(claims, "retrieve", "GET", ""),
      await status(claims, "file_list", "GET", "/files"),
      await status(claims, "update", "POST", "", { name: "changed" }),
      await status(claims, "delete", "DELETE", ""),
    ];
    expect(await all(cat)).toEqual([404, 404, 404, 404, 404]);
    expect(await all(ben)).toEqual([200, 200, 200, 403, 403]);
    expect(await all(ann)).toEqual([200, 200, 200, 200, 200]);
  });

  test("within its own scope", async () => {
    const { ask, search } = await start({ scope: "search" });
    const claims = { by: "sk-ann" };
    const store = parsed(await send(current.service?.url ?? "", { path: "/v1/vector_stores", key: "sk-ann", body: {} }))
      .id as string;
    expect((await search(claims, store)).status).toBe(200);
    const refused = [
      await ask(signIdentity({ ...claims, op: "create" }), "POST", "", {}),
      await ask(signIdentity({ ...claims, op: "retrieve", store }), "GET", `/${store}`),
      await ask(signIdentity({ by: "master", op: "delete", store }), "DELETE", `/${store}`),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test("and the key says who that is, not the user's name in the token", async () => {
    const { makeStore, seen } = await start();
    await makeStore({ by: "sk-ann", sub: "ben", team: "blue", role: "proxy_admin" }, "ann's");
    await makeStore({ by: "sk-ben", sub: "ann" }, "ben's");
    current.litellm?.keys.set("sk-only-ann", { user_id: "ann" });
    expect(await seen({ by: "sk-only-ann", sub: "ben" })).toEqual(["ann's"]);
    expect(await seen({ by: "sk-only-ann", role: "proxy_admin" })).toEqual(["ann's"]);
  });

  test("unless the key has no user, or nobody: then it is the team's or the key's", async () => {
    const { fake, makeStore, seen } = await start();
    fake.keys.set("sk-robot", { team_id: "red" });
    fake.keys.set("sk-alone", {});
    fake.keys.set("sk-alone-2", {});
    fake.keys.set("sk-page", { user_id: "max", team_id: "litellm-dashboard" });
    fake.keys.set("sk-page-2", { user_id: "eve", team_id: "litellm-dashboard" });
    for (const by of ["sk-robot", "sk-alone", "sk-page"]) await makeStore({ by }, by);
    expect(await seen({ by: "sk-ben" })).toEqual(["sk-robot"]);
    expect(await seen({ by: "sk-alone" })).toEqual(["sk-alone"]);
    expect(await seen({ by: "sk-alone-2" })).toEqual([]);
    expect(await seen({ by: "sk-page-2" })).toEqual([]);
  });

  test("blocked, expired and deleted keys and blocked teams get nothing", async () => {
    const { fake, ask } = await start();
    fake.teams.set("blocked", { blocked: true });
    fake.keys.set("sk-blocked", { user_id: "ann", blocked: true });
    fake.keys.set("sk-expired", { user_id: "ann", expires: "2020-01-01T00:00:00Z" });
    fake.keys.set("sk-team", { user_id: "ann", team_id: "blocked" });
    for (const by of ["sk-blocked", "sk-expired", "sk-team", "sk-deleted"]) {
      const answer = await ask(signIdentity({ by, op: "list" }), "GET", "");
      expect([by, answer.status]).toEqual([by, 401]);
    }
  });

  test("administrators are those of LiteLLM: the master key, and by their role", async () => {
    const { fake, ask, makeStore, seen } = await start({ environment: { ADMIN_USER_IDS: "boss" } });
    for (const [name, role] of [
      ["root", "proxy_admin"],
      ["viewer", "proxy_admin_viewer"],
      ["boss", "internal_user"],
      ["worker", "internal_user"],
    ] as const) {
      fake.users.set(name, role);
      fake.keys.set(`sk-${name}`, { user_id: name });
    }
    const id = await makeStore({ by: "sk-ann" }, "ann's");
    for (const by of ["master", "sk-root", "sk-viewer", "sk-boss"]) expect(await seen({ by })).toEqual(["ann's"]);
    expect(await seen({ by: "sk-worker", role: "proxy_admin" })).toEqual([]);
    const remove = async (by: string) =>
      (await ask(signIdentity({ by, op: "delete", store: id }), "DELETE", `/${id}`)).status;
    expect([await remove("sk-viewer"), await remove("sk-worker"), await remove("master")]).toEqual([403, 404, 200]);
  });

  test("LiteLLM's lists of vector stores narrow what a user may use", async () => {
    const { fake, makeStore, search } = await start();
    const [one, two] = [await makeStore({ by: "sk-ann" }, "one"), await makeStore({ by: "sk-ann" }, "two")];
    fake.keys.set("sk-some", { user_id: "ann", object_permission: { vector_stores: [one] } });
    const statuses = [(await search({ by: "sk-some" }, one)).status, (await search({ by: "sk-some" }, two)).status];
    expect(statuses).toEqual([200, 404]);
  });
});

describe("model calls", () => {
  test("are paid with a key made for the user and team, one for all of a moment", async () => {
    const { fake, makeStore, search } = await start();
    const id = await makeStore({ by: "sk-ann" }, "ann's");
    const before = fake.asked.length;
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => search({ by: "sk-ann" }, id, `query ${i}`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect([...fake.minted.values()]).toEqual([expect.objectContaining({ user_id: "ann", team_id: "red" })]);
    const [minted] = fake.minted.keys();
    expect(new Set(keysOf(fake.asked.slice(before)))).toEqual(new Set([`Bearer ${minted ?? ""}`]));
  });

  test("never with the master key, even if LiteLLM makes none, and that stops nobody else", async () => {
    const { fake, makeStore, search, running } = await start();
    const anns = parsed(await send(running.url, { path: "/v1/vector_stores", key: "sk-ann", body: {} })).id as string;
    const bens = await makeStore({ by: "sk-ben" }, "ben's");
    const refused = { error: { type: "bad_request_error", message: "no key for this user" } };
    fake.instead.set("/key/generate", (usual, { user_id: user }) =>
      user === "ann" ? { status: 400, json: refused } : usual(),
    );
    for (let i = 0; i < 12; i += 1) {
      const answer = await search({ by: "sk-ann" }, anns, `query ${i}`);
      expect([answer.status, errorOf(answer).code]).toEqual([502, "model_refused"]);
    }
    expect((await search({ by: "sk-ben" }, bens, "query")).status).toBe(200);
    expect(keysOf(fake.asked)).not.toContain(`Bearer ${fake.masterKey}`);
  });

  test("a made key that LiteLLM no longer accepts is replaced by the next request", async () => {
    const { fake, makeStore, search } = await start();
    const id = await makeStore({ by: "sk-ann" }, "ann's");
    expect((await search({ by: "sk-ann" }, id, "one")).status).toBe(200);
    const [first] = fake.minted.keys();
    fake.answers.embeddings = ({ headers }) =>
      headers.authorization === `Bearer ${first ?? ""}`
        ? { status: 401, json: { error: { type: "token_not_found_in_db", message: "Invalid proxy server token" } } }
        : null;
    expect((await search({ by: "sk-ann" }, id, "two")).status).toBe(401);
    expect((await search({ by: "sk-ann" }, id, "three")).status).toBe(200);
    expect(fake.minted.size).toBe(2);
  });

  test("without the master key the service pays, and names the user in LiteLLM's spend log", async () => {
    const { fake, makeStore, search } = await start({ master: false, environment: { LITELLM_MASTER_KEY: "" } });
    const ann = { by: "sk-ann", sub: "ann", team: "red" };
    const id = await makeStore(ann, "ann's");
    expect((await search(ann, id)).status).toBe(200);
    const [call] = fake.asked.filter(({ path }) => path === "/v1/embeddings");
    expect(call?.headers.authorization).toBe("Bearer sk-service");
    expect(JSON.parse(String(call?.headers["x-litellm-spend-logs-metadata"]))).toEqual({
      user_id: "ann",
      team_id: "red",
      key_hash: hash("sha256", "sk-ann", "hex"),
    });
  });
});

test("without the master key, the token says who asks", async () => {
  const { fake, makeStore, seen } = await start({
    master: false,
    environment: { LITELLM_MASTER_KEY: "", ADMIN_USER_IDS: "boss" },
  });
  await makeStore({ by: "sk-1", sub: "ann", team: "red" }, "ann's");
  await makeStore({ by: "sk-2", team: "red" }, "the team's");
  await makeStore({ by: "sk-3" }, "the key's");
  await makeStore({ by: "sk-4", sub: "max", team: "litellm-dashboard" }, "max's");
  expect(await seen({ by: "sk-5", sub: "ann" })).toEqual(["ann's"]);
  expect(await seen({ by: "sk-5", sub: "ben", team: "red" })).toEqual(["ann's", "the team's"]);
  expect(await seen({ by: "sk-3" })).toEqual(["the key's"]);
  expect(await seen({ by: "sk-5", team: "litellm-dashboard" })).toEqual([]);
  const all = ["ann's", "max's", "the key's", "the team's"];
  expect(await seen({ by: "sk-5", sub: "x", role: "proxy_admin" })).toEqual(all);
  expect(await seen({ by: "sk-5", sub: "x", role: "proxy_admin_viewer" })).toEqual(all);
  expect(await seen({ by: "sk-5", sub: "boss" })).toEqual(all);
  expect(await seen({ by: "master", sub: "default_user_id" })).toEqual(all);
  expect(await seen({ by: "sk-5", sub: "x", role: "internal_user" })).toEqual([]);
  expect(fake.lookups()).toEqual([]);
});

test("usage counts the user", async () => {
  const { makeStore, search, running } = await start();
  const id = await makeStore({ by: "sk-ann" }, "ann's");
  for (const query of ["one", "two"]) await search({ by: "sk-ann" }, id, query);
  await running.deps.usage.flush();
  const used = parsed(await send(running.url, { method: "GET", path: "/v1/usage?group_by=action", key: "sk-ann" }));
  const rows = (used.data as { action: string; requests: number; tokens: number }[]).map(
    ({ action, requests, tokens }) => [action, requests, tokens > 0],
  );
  expect(rows.sort()).toEqual([
    ["createVectorStore", 1, expect.any(Boolean)],
    ["searchVectorStore", 2, true],
  ]);
});
