import { beforeAll, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import OpenAI from "openai";
import { embeddingModel, failure, proxy, sidecar, until } from "./support.js";

/** The server under test asks LiteLLM whose a virtual key is. */

const root = proxy.baseURL.replace(/\/v1$/, "");
const post = <T>(path: string, body: object) => proxy.post<T>(root + path, { body });
const sha = (text: string) => hash("sha256", text, "hex");
const run = Date.now().toString(36);
const named = (name: string) => `${name}-${run}`;
const at = (key: string) => new OpenAI({ baseURL: sidecar.baseURL, apiKey: key, maxRetries: 0 });

interface Key {
  user_id?: string;
  team_id?: string;
  duration?: string;
  key_type?: string;
  models?: string[];
}
const makeKey = async (body: Key) => (await post<{ key: string }>("/key/generate", body)).key;

let team: string;
const keys: Record<string, string> = {};
beforeAll(async () => {
  for (const [name, role] of [
    ["ann", "internal_user"],
    ["ben", "internal_user"],
    ["max", "proxy_admin"],
    ["vera", "proxy_admin_viewer"],
  ] as const) {
    await post("/user/new", { user_id: named(name), user_role: role, auto_create_key: false });
    keys[name] = await makeKey({ user_id: named(name) });
  }
  team = (await post<{ team_id: string }>("/team/new", { team_alias: named("red") })).team_id;
  keys.annInTeam = await makeKey({ user_id: named("ann"), team_id: team });
  keys.mate = await makeKey({ user_id: named("ben"), team_id: team });
  keys.robot = (
    await post<{ key: string }>("/key/service-account/generate", { team_id: team, key_alias: named("robot") })
  ).key;
  keys.models = await makeKey({ user_id: named("ann"), key_type: "llm_api" });
  keys.alone = await makeKey({});
});

const names = async (key = "") => {
  const found: string[] = [];
  for await (const store of at(key).vectorStores.list({ limit: 100 })) found.push(store.name);
  return found.filter((name) => name.endsWith(run)).map((name) => name.slice(0, -run.length - 1));
};
const create = (key = "", name = "") =>
  at(key).vectorStores.create({ name: named(name), embedding_model: embeddingModel } as OpenAI.VectorStoreCreateParams);

describe("a virtual key", () => {
  test("sees what belongs to its user and team", async () => {
    for (const [name, key] of Object.entries(keys)) if (!["max", "vera"].includes(name)) await create(key, name);
    expect((await names(keys.ann)).sort()).toEqual(["ann", "annInTeam", "models"]);
    expect((await names(keys.models)).sort()).toEqual(["ann", "annInTeam", "models"]);
    expect((await names(keys.mate)).sort()).toEqual(["annInTeam", "ben", "mate", "robot"]);
    expect((await names(keys.robot)).sort()).toEqual(["annInTeam", "mate", "robot"]);
    expect(await names(keys.alone)).toEqual(["alone"]);
    expect((await names(keys.max)).sort()).toEqual(["alone", "ann", "annInTeam", "ben", "mate", "models", "robot"]);
    expect(await names(keys.vera)).toHaveLength(7);
    expect((await failure(create(keys.vera, "vera"))).status).toBe(403);
  });

  test("stops once it is deleted, blocked, expired, or its team is blocked", async () => {
    const other = (await post<{ team_id: string }>("/team/new", { team_alias: named("blue") })).team_id;
    const made = {
      deleted: await makeKey({ user_id: named("ann") }),
      blocked: await makeKey({ user_id: named("ann") }),
      ofTeam: await makeKey({ user_id: named("ann"), team_id: other }),
      brief: await makeKey({ user_id: named("ann"), duration: "5s" }),
    };
    const works = async (key: string) =>
      (await at(key)
        .vectorStores.list()
        .catch(() => null)) !== null;
    for (const key of Object.values(made)) expect(await works(key)).toBe(true);
    await post("/key/delete", { keys: [sha(made.deleted)] });
    await post("/key/block", { key: sha(made.blocked) });
    await post("/team/block", { team_id: other });
    for (const key of Object.values(made)) {
      await until(async () => !(await works(key)));
      expect(await failure(at(key).vectorStores.list())).toMatchObject({ status: 401, code: "invalid_api_key" });
    }
  });

  test("that LiteLLM does not know costs it no row", async () => {
    const rowsOf = async (key: string) => {
      const all = "page=1&page_size=1&start_date=2020-01-01 00:00:00&end_date=2100-01-01 00:00:00";
      return (await proxy.get<{ total: number }>(`${root}/spend/logs/v2?${all}&api_key=${sha(key)}`)).total;
    };
    const unknown = Array.from({ length: 20 }, (_, i) => `sk-random-${run}-${i}`);
    for (const key of unknown) expect((await failure(at(key).vectorStores.list())).status).toBe(401);
    // LiteLLM writes its rows in order, but seconds later: so this one, which it is asked about directly, comes last.
    const last = `sk-random-${run}-last`;
    await failure(proxy.withOptions({ apiKey: last }).get(`${root}/key/info`));
    await until(async () => (await rowsOf(last)) === 1);
    for (const key of unknown) expect(await rowsOf(key)).toBe(0);
  });

  test("may not use models that LiteLLM does not let it use", async () => {
    const key = await makeKey({ user_id: named("ann"), models: ["mock-chat"] });
    const store = await create(keys.ann, "models of a key");
    const search = at(key).vectorStores.search(store.id, { query: "anything" });
    expect((await failure(search)).status).toBe(403);
  });
});
