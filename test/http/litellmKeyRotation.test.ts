import { beforeEach, describe, expect, test } from "@jest/globals";
import { startSweeping } from "../../src/jobs/sweeping.js";
import { sha } from "../support/fakeLitellmAdmin.js";
import { startService } from "../support/service.js";
import type { Answer } from "../litellm/support.js";
import { errorOf, send } from "./requests.js";
import {
  type Key,
  audit,
  change,
  failure,
  list,
  litellm,
  parsed,
  refusal,
  service,
  use,
} from "./litellmKeysSupport.js";

async function uploadAs(key: string): Promise<string> {
  const form = new FormData();
  form.set("purpose", "assistants");
  form.set("file", new File(["hello"], "a.txt"));
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${service.url}/v1/files`, { method: "POST", headers, body: form });
  return ((await answer.json()) as { id: string }).id;
}

describe("rotation", () => {
  const facts = {
    user_id: "ann",
    team_id: "red",
    key_alias: "laptop",
    models: ["embed"],
    metadata: { cost_center: "7" },
    spend: 2.5,
    max_budget: 10,
    object_permission: { vector_stores: ["vs_1"] },
  };
  beforeEach(() => {
    litellm.keys.set("sk-old", { ...facts });
  });
  /** The old key as before, and no other. */
  const expectUntouched = () => {
    expect([...litellm.keys.keys()]).toEqual(["sk-old"]);
    expect(litellm.keys.get("sk-old")).toEqual(facts);
  };

  test("makes a key like the old one, which works for the overlap", async () => {
    expect(await use("sk-old")).toBe(200);
    const made = parsed(await change("sk-old", "rotate", { overlap_seconds: 600 })) as Key;
    expect(made).toMatchObject({ alias: "laptop", user_id: "ann", team_id: "red", spend: 2.5, expires_at: null });
    expect(litellm.keys.get(made.key)).toMatchObject({ ...facts, metadata: { cost_center: "7" } });
    expect([await use("sk-old"), await use(made.key)]).toEqual([200, 200]);
    const { data } = await list();
    expect(data.find(({ id }) => id === sha("sk-old"))).toMatchObject({
      alias: `laptop (old ${sha("sk-old").slice(0, 8)})`,
    });
    const end = data.find(({ id }) => id === sha("sk-old"))?.expires_at ?? 0;
    expect(Math.abs(end - Date.now() / 1000 - 600)).toBeLessThan(300);
    const [entry] = await audit();
    expect(entry).toMatchObject({
      action: "litellm_key.rotate",
      target: sha("sk-old"),
      details: { alias: "laptop", userId: "ann", teamId: "red", overlapSeconds: 600, newKey: made.id },
    });
    expect(JSON.stringify(entry)).not.toContain(made.key);
    // And once more: the old ones keep different aliases.
    const third = parsed(await change(made.key, "rotate")) as Key;
    expect(third.alias).toBe("laptop");
    expect(new Set((await list()).data.map(({ alias }) => alias)).size).toBe(3);
  });

  test("keeps an end, and does not let the old key live longer", async () => {
    const end = Math.floor(Date.now() / 1000) + 100;
    litellm.keys.set("sk-old", { ...facts, expires: new Date(end * 1000).toISOString() });
    const made = parsed(await change("sk-old", "rotate", { overlap_seconds: 86_400 })) as Key;
    const old = (await list()).data.find(({ id }) => id === sha("sk-old"));
    for (const { expires_at: at } of [made, old ?? made]) {
      expect(at).toBeGreaterThan(end - 10);
      expect(at).toBeLessThan(end + 10);
    }
  });

  test("of a key without user and team passes on what it owns, and its limits; both keys see it", async () => {
    litellm.keys.set("sk-robot", { key_alias: "robot" });
    const old = sha("sk-robot");
    const asked = async (key: string, method: string, path: string, body?: object) =>
      send(service.url, { method, path: `/v1${path}`, key, ...(body !== undefined && { body }) });
    const idOf = (answer: Awaited<ReturnType<typeof asked>>) => (JSON.parse(answer.text) as { id: string }).id;
    const seen = async (key: string) =>
      (JSON.parse((await asked(key, "GET", "/vector_stores")).text) as { data: { id: string }[] }).data
        .map(({ id }) => id)
        .sort();
    const [first, second] = [
      idOf(await asked("sk-robot", "POST", "/vector_stores", { name: "a" })),
      idOf(await asked("sk-robot", "POST", "/vector_stores", { name: "b" })),
    ];
    const file = await uploadAs("sk-robot");
    await asked(litellm.masterKey, "PUT", `/admin/limits/key:${old}`, { vector_stores: 3 });
    await service.database.exec(`
      INSERT INTO vector_store_files (vector_store_id, file_id, filename, created_at, status, settings, chunk_base, payer, run_after)
      SELECT '${first}', '${file}', 'a.txt', now(), 'in_progress', '{}', 'c',
             '{"userId": null, "teamId": null, "keyHash": "${old}"}', now() + interval '1 day'`);

    const made = parsed(await change("sk-robot", "rotate", { overlap_seconds: 600 })) as Key;
    for (const key of ["sk-robot", made.key]) {
      expect([key, await seen(key)]).toEqual([key, [first, second].sort()]);
      expect((await asked(key, "GET", `/files/${file}`)).status).toBe(200);
    }
    const [entry] = await audit();
    expect(entry).toMatchObject({ action: "litellm_key.rotate", target: old, details: { stores: 2, files: 1 } });
    // What the old key makes from now on is the new one's, and the limit counts it.
    const third = idOf(await asked("sk-robot", "POST", "/vector_stores", { name: "c" }));
    expect(await seen(made.key)).toEqual([first, second, third].sort());
    const beyond = await asked(made.key, "POST", "/vector_stores", { name: "d" });
    expect([beyond.status, errorOf(beyond).code]).toEqual([403, "limit_reached"]);
    expect(await service.database.query("SELECT payer ->> 'keyHash' AS hash FROM vector_store_files")).toEqual([
      { hash: made.id },
    ]);

    const last = parsed(await change(made.key, "rotate", { overlap_seconds: 0 })) as Key;
    for (const key of ["sk-robot", last.key]) expect(await seen(key)).toEqual([first, second, third].sort());
    const limits = await service.database.query("SELECT subject, limits FROM vector_store_limits ORDER BY subject");
    expect(limits).toEqual(
      [old, last.id].sort().map((hash) => ({ subject: `key:${hash}`, limits: { vectorStores: 3 } })),
    );
    await service.database.exec("DELETE FROM vector_store_limits; DELETE FROM vector_store_files");
  });

  test("passes on what a process that did not know of it has made with the old key", async () => {
    litellm.keys.set("sk-machine", { key_alias: "machine" });
    const replica = await startService({ environment: litellm.environment, database: service.database });
    try {
      const create = { path: "/v1/vector_stores", body: { name: "meanwhile" }, key: "sk-machine" };
      expect((await send(replica.url, create)).status).toBe(200);
      const made = parsed(await change("sk-machine", "rotate", { overlap_seconds: 600 })) as Key;
      expect((await send(replica.url, create)).status).toBe(200);
      await service.database.exec(`INSERT INTO vector_store_limits (subject, limits, set_at, set_by)
        VALUES ('key:${sha("sk-machine")}', '{"vectorStores": 1}', now(), 'master')`);
      const sweeping = startSweeping(service.deps);
      sweeping.wake();
      await sweeping.stop();
      const seen = await send(service.url, { method: "GET", path: "/v1/vector_stores", key: made.key });
      expect((parsed(seen) as { data: object[] }).data).toHaveLength(2);
      const limits = await service.database.query("SELECT subject FROM vector_store_limits");
      expect(limits).toEqual([{ subject: `key:${sha("sk-machine")}` }]);
    } finally {
      await replica.stop();
      await service.database.exec("DELETE FROM vector_store_limits");
    }
  });

  test("of a key without an alias gives it none", async () => {
    litellm.keys.set("sk-old", { ...facts, key_alias: null });
    expect(parsed(await change("sk-old", "rotate")) as Key).toMatchObject({ alias: null, user_id: "ann" });
    expect((await list()).data.map(({ alias }) => alias)).toEqual([null, null]);
  });

  test.each([
    ["blocked", { blocked: true }],
    ["over", { expires: "2020-01-01T00:00:00Z" }],
  ])("of a key that is %s is 409: its successor would work", async (_name, more) => {
    litellm.keys.set("sk-old", { ...facts, ...more });
    expect((await change("sk-old", "rotate")).status).toBe(409);
    expect(litellm.keys.get("sk-old")).toEqual({ ...facts, ...more });
  });

  test.each<[string, string, (usual: () => Answer) => Answer, number]>([
    ["LiteLLM renames no key", "/key/update", () => refusal, 400],
    ["LiteLLM makes no key", "/key/generate", () => refusal, 400],
    ["LiteLLM fails", "/key/generate", () => failure, 503],
    ["the connection breaks", "/key/generate", () => "drop", 503],
    ["the answer with the new key is lost", "/key/generate", (usual) => (usual(), "drop"), 503],
  ])("is undone if %s", async (_name, route, instead, status) => {
    litellm.instead.set(route, instead);
    const before = (await audit())[0];
    expect((await change("sk-old", "rotate")).status).toBe(status);
    expectUntouched();
    expect((await audit())[0]).toEqual(before);
    expect(await use("sk-old")).toBe(200);
  });

  test("is undone if it cannot be written down", async () => {
    await service.database.exec("ALTER TABLE vector_store_audit RENAME TO vector_store_audit_away");
    try {
      expect((await change("sk-old", "rotate")).status).toBeGreaterThanOrEqual(500);
      expectUntouched();
    } finally {
      await service.database.exec("ALTER TABLE vector_store_audit_away RENAME TO vector_store_audit");
    }
  });

  test("while another one goes on leaves that one's key, and the old one with its end", async () => {
    litellm.instead.set("/key/generate", (usual) => {
      litellm.keys.set("sk-other", { ...facts });
      return usual();
    });
    const answer = await change("sk-old", "rotate");
    expect([answer.status, errorOf(answer).param]).toEqual([409, "alias"]);
    expect([...litellm.keys.keys()].sort()).toEqual(["sk-old", "sk-other"]);
    expect(litellm.keys.get("sk-old")?.expires).toBeDefined();
  });
});
