import { beforeAll, describe, expect, test } from "@jest/globals";
import { hash, randomUUID } from "node:crypto";
import { createIdentityReader } from "../../../src/litellm/identityToken.js";
import { identitySecret } from "../../support/identity.js";
import { failure, providerCalls, providerUrl, proxy, sidecar, until } from "./support.js";
import {
  type Answer,
  ask,
  directly,
  makeKey,
  makeStore,
  makeUser,
  manage,
  named,
  question,
  ways,
} from "./identitySupport.js";

/** Through LiteLLM with its callback, everybody has only what is theirs. */

const people = ["ann", "mate", "cat", "robot", "alone"] as const;
type Person = (typeof people)[number] | "admin" | "viewer";
const keys = {} as Record<Person, string>;
/** What each has made, and the word in it that nobody else knows. */
const stores = {} as Record<(typeof people)[number], string>;
let teamId: string;
const word = (name: string) => `xyzzy${name}`;

beforeAll(async () => {
  ({ team_id: teamId } = await manage<{ team_id: string }>("/team/new", { team_alias: named("identities") }));
  keys.ann = await makeKey({ user_id: await makeUser("ann"), team_id: teamId });
  keys.mate = await makeKey({ user_id: await makeUser("mate"), team_id: teamId });
  keys.cat = await makeKey({ user_id: await makeUser("cat") });
  keys.robot = await makeKey({ team_id: teamId });
  keys.alone = await makeKey({});
  keys.admin = await makeKey({ user_id: await makeUser("admin", "proxy_admin") });
  keys.viewer = await makeKey({ user_id: await makeUser("viewer", "proxy_admin_viewer") });
  for (const name of people) stores[name] = await makeStore(keys[name], name, `The word is ${word(name)}.`);
});

/** Whose words an answer has. */
const wordsIn = ({ text }: Answer) => people.filter((name) => text.includes(word(name)));
const team = ["ann", "mate", "robot"] as const;
const seen: Record<Person, readonly string[]> = {
  ann: team,
  mate: team,
  robot: team,
  cat: ["cat"],
  alone: ["alone"],
  admin: people,
  viewer: people,
};

const go = (way: string, ids: readonly string[], by: Person) =>
  ways[way]?.(ids, { key: keys[by] }) ?? Promise.reject(new Error(way));
const isForOne = (way: string) => way === "search" || way.startsWith("rag/query");

describe("everybody finds only what they may read", () => {
  test.each(Object.keys(ways))("by %s", async (way) => {
    for (const by of Object.keys(seen) as Person[]) {
      const asked = by === "admin" || by === "viewer" ? (["cat"] as const) : (["ann", "cat", "alone"] as const);
      for (const name of asked) {
        const found = wordsIn(await go(way, [stores[name]], by));
        expect([by, name, found]).toEqual([by, name, seen[by].includes(name) ? [name] : []]);
      }
    }
  });

  test.each(Object.keys(ways).filter((way) => !isForOne(way)))("by %s, in several at once", async (way) => {
    for (const by of ["ann", "cat"] as const)
      expect([by, wordsIn(await go(way, Object.values(stores), by))]).toEqual([by, seen[by]]);
  });
});

describe("the vector stores themselves", () => {
  const retrieve = (by: Person, id: string) => ask(`/vector_stores/${id}`, null, { key: keys[by] });
  const update = (by: Person, id: string) =>
    ask(`/vector_stores/${id}`, { metadata: { by }, custom_llm_provider: "pg_vector" }, { key: keys[by] });
  const remove = (by: Person, id: string) => ask(`/vector_stores/${id}`, null, { key: keys[by], method: "DELETE" });
  const statuses = async (by: Person, id: string) =>
    (await Promise.all([retrieve(by, id), update(by, id), remove(by, id)])).map(({ status }) => status);

  test("belong to whoever creates them through LiteLLM", async () => {
    for (const by of people) {
      const { data } = await directly(keys[by]).vectorStores.list({ limit: 100 });
      expect(data.map(({ id }) => people.find((name) => stores[name] === id)).sort()).toEqual([...seen[by]].sort());
    }
  });

  test("can be read by those who may, and changed and deleted by whose they are", async () => {
    const id = await makeStore(keys.ann, "brief", "nothing");
    expect(await statuses("cat", id)).toEqual([404, 404, 404]);
    expect(await statuses("mate", id)).toEqual([200, 403, 403]);
    expect(await statuses("viewer", id)).toEqual([200, 403, 403]);
    expect((await retrieve("admin", id)).status).toBe(200);
    expect((await update("ann", id)).status).toBe(200);
    expect((await directly(keys.ann).vectorStores.retrieve(id)).metadata).toEqual({ by: "ann" });
    expect((await remove("ann", id)).status).toBe(200);
    expect((await failure(directly(keys.ann).vectorStores.retrieve(id))).status).toBe(404);
  });
});

test("LiteLLM names the key and its team, and no user where callers could name another one", async () => {
  const register = { litellm_params: { api_base: providerUrl } };
  const id = await makeStore(keys.ann, "elsewhere", "nothing", register);
  const read = createIdentityReader([identitySecret], Date.now);
  const signed = async (key: string) => {
    const query = randomUUID();
    expect((await ask(`/vector_stores/${id}/search`, { query }, { key })).status).toBe(200);
    const [call, ...more] = await providerCalls(query);
    expect(more).toEqual([]);
    const result = read(call?.identity ?? "");
    return "identity" in result ? result.identity : result;
  };
  const usual = { userId: null, teamId: null, role: "internal_user", operation: "search", storeId: id };
  for (const [key, more] of [
    [keys.ann, { teamId }],
    [keys.robot, { teamId }],
    [keys.cat, {}],
    [keys.alone, {}],
    [keys.admin, { role: "proxy_admin" }],
    [keys.viewer, { role: "proxy_admin_viewer" }],
  ] as const) {
    expect(await signed(key)).toEqual({ ...usual, keyHash: hash("sha256", key, "hex"), ...more });
  }
  expect(await signed(proxy.apiKey ?? "")).toEqual({ ...usual, keyHash: null, role: "proxy_admin" });
  const said = randomUUID();
  await ways.chat?.([stores.ann], { key: keys.ann }, { messages: [{ role: "user", content: said }] });
  // Models get no token.
  expect((await providerCalls(said)).map(({ identity }) => identity)).toEqual([undefined]);
});

test("usage counts what each user has asked for through LiteLLM", async () => {
  const key = await makeKey({ user_id: await makeUser("counted") });
  const id = await makeStore(key, "counted", "nothing");
  for (const way of ["search", "chat", "rag/query"]) expect((await ways[way]?.([id], { key }))?.status).toBe(200);
  const counted = async () => {
    const path = "/usage?group_by=action";
    const { data } = await directly(key).get<{ data: { action: string; requests: number; tokens: number }[] }>(path);
    return Object.fromEntries(data.map(({ action, requests, tokens }) => [action, [requests, tokens > 0]]));
  };
  // Written every few seconds.
  await until(async () => (await counted()).searchVectorStore?.[0] === 3);
  expect(await counted()).toMatchObject({ createVectorStore: [1, false], searchVectorStore: [3, true] });
});

describe("this server as LiteLLM's provider openai", () => {
  const credential = named("openai");
  let id: string;
  beforeAll(async () => {
    const made = { name: credential, scope: "write", identity_required: true };
    const { key } = await directly(proxy.apiKey ?? "").post<{ key: string }>("/admin/keys", { body: made });
    const values = { api_key: key, api_base: sidecar.baseURL };
    await manage("/credentials", { credential_name: credential, credential_values: values, credential_info: {} });
    id = await makeStore(keys.ann, "openai", `The word is ${word("ann")}.`, {
      custom_llm_provider: "openai",
      litellm_credential_name: credential,
    });
  });

  test("shows a vector store and its files to those who may read it", async () => {
    for (const [by, status] of [
      ["ann", 200],
      ["mate", 200],
      ["cat", 404],
    ] as const) {
      const answers = [
        await ask(`/vector_stores/${id}/search`, { query: question }, { key: keys[by] }),
        await ask(`/vector_stores/${id}`, null, { key: keys[by] }),
        await ask(`/vector_stores/${id}/files`, null, { key: keys[by] }),
      ];
      expect([by, answers.map((answer) => answer.status)]).toEqual([by, [status, status, status]]);
    }
  });

  test("ingests nothing for /v1/rag/ingest, which LiteLLM sends without its callback", async () => {
    const form = new FormData();
    form.set("file", new Blob(["nothing"], { type: "text/plain" }), "a.txt");
    const store = { custom_llm_provider: "openai", vector_store_id: id };
    form.set("request", JSON.stringify({ ingest_options: { name: "x", vector_store: store } }));
    const headers = { authorization: `Bearer ${keys.ann}` };
    const answer = await fetch(`${proxy.baseURL}/rag/ingest`, { method: "POST", headers, body: form });
    expect(await answer.text()).toContain("x-vector-store-identity");
    expect((await directly(keys.ann).vectorStores.files.list(id)).data).toEqual([]);
    expect((await directly(keys.ann).files.list()).data).toEqual([]);
  });
});
