import { describe, expect, jest, test } from "@jest/globals";
import { hash } from "node:crypto";
import OpenAI from "openai";
import { failure, proxy, sidecar, until } from "./support.js";

/** What administrators do through the server under test at a real LiteLLM, with its master key. */

jest.setTimeout(120_000);

const litellmRoot = proxy.baseURL.replace(/\/v1$/, "");
const atLitellm = <T>(path: string, body?: object) =>
  body === undefined ? proxy.get<T>(litellmRoot + path) : proxy.post<T>(litellmRoot + path, { body });
const admin = new OpenAI({ baseURL: `${sidecar.baseURL}/admin`, apiKey: proxy.apiKey, maxRetries: 0 });
const sha = (text: string) => hash("sha256", text, "hex");
const run = Date.now().toString(36);
const named = (name: string) => `${name}-${run}`;
const works = async (key: string) =>
  (await new OpenAI({ baseURL: sidecar.baseURL, apiKey: key, maxRetries: 0 }).files.list().catch(() => null)) !== null;

interface Key {
  id: string;
  key: string;
  alias: string | null;
  status: string;
  spend: number;
  expires_at: number | null;
}
interface Page<T> {
  data: T[];
  next_page: string | null;
  total: number;
}
interface Person {
  id: string;
  in_litellm: boolean;
  litellm: Record<string, unknown> | null;
}

describe("users and teams", () => {
  test("are listed in pages, found by email and alias, and retrieved", async () => {
    const names = ["a", "b c", "d+e@f"].map(named);
    for (const id of names) {
      await atLitellm("/user/new", {
        user_id: id,
        user_email: `${sha(id).slice(0, 8)}@${run}.example`,
        auto_create_key: false,
      });
    }
    const { team_id: team } = await atLitellm<{ team_id: string }>("/team/new", { team_alias: named("Admin Reds") });
    const found: string[] = [];
    for (let page = ""; ;) {
      const answer = await admin.get<Page<Person>>(`/users?limit=2&email=${run}.EXAMPLE${page}`);
      found.push(...answer.data.map(({ id }) => id));
      expect(answer.total).toBe(names.length);
      if (answer.next_page === null) break;
      page = `&page=${answer.next_page}`;
    }
    expect(found).toEqual([...names].sort());
    for (const id of names) {
      expect(await admin.get(`/users/${encodeURIComponent(id)}`)).toMatchObject({ id, in_litellm: true });
    }
    expect((await failure(admin.get(`/users/${named("nobody")}`))).status).toBe(404);
    const teams = await admin.get<Page<Person>>(`/teams?alias=${encodeURIComponent(named("admin reds"))}`);
    expect(teams.data).toMatchObject([{ id: team, in_litellm: true, litellm: { blocked: false } }]);
    expect(await admin.get(`/teams/${team}`)).toMatchObject({ litellm: { alias: named("Admin Reds") } });
    expect((await failure(admin.get(`/teams/${named("none")}`))).status).toBe(404);
    await atLitellm("/user/delete", { user_ids: [names[0]] });
    expect(await admin.get(`/owners/user:${names[0] ?? ""}`)).toMatchObject({ in_litellm: false });
  });
});

describe("keys", () => {
  const user = named("keeper");
  const make = (body: object) => admin.post<Key>("/litellm_keys", { body: { user_id: user, ...body } });
  const change = (key: string, how: string, body: object = {}) =>
    admin.post<Key>(`/litellm_keys/${sha(key)}/${how}`, { body });

  test("are made, listed, blocked and unblocked", async () => {
    await atLitellm("/user/new", { user_id: user, auto_create_key: false });
    const made = await make({ alias: named("first"), expires_in_seconds: 3600, max_budget: 5, models: ["mock-chat"] });
    expect(made).toMatchObject({ id: sha(made.key), alias: named("first"), status: "active", models: ["mock-chat"] });
    expect(Math.abs((made.expires_at ?? 0) - Date.now() / 1000 - 3600)).toBeLessThan(600);
    expect(await works(made.key)).toBe(true);
    expect((await failure(make({ alias: named("first") }))).status).toBe(409);
    expect((await failure(make({ user_id: named("nobody") }))).status).toBe(400);
    const listed = await admin.get<Page<Key>>(`/litellm_keys?user_id=${user}`);
    expect([listed.total, listed.data]).toMatchObject([1, [{ id: made.id, alias: named("first") }]]);
    expect((await change(made.key, "block")).status).toBe("blocked");
    await until(async () => !(await works(made.key)));
    expect((await change(made.key, "unblock")).status).toBe("active");
    await until(() => works(made.key));
    expect((await failure(change("sk-unknown", "block"))).status).toBe(404);
  });

  test("are rotated with all that they have, and the old one ends", async () => {
    const old = await atLitellm<{ key: string }>("/key/generate", {
      user_id: user,
      key_alias: named("rotated"),
      models: ["mock-chat"],
      metadata: { cost_center: "7" },
      max_budget: 10,
      budget_duration: "30d",
      spend: 2.5,
      tpm_limit: 1000,
      object_permission: { vector_stores: ["vs_1"] },
    });
    const made = await change(old.key, "rotate", { overlap_seconds: 3600 });
    expect(made).toMatchObject({ alias: named("rotated"), spend: 2.5, expires_at: null, vector_store_ids: ["vs_1"] });
    const { info } = await atLitellm<{ info: Record<string, unknown> }>(`/key/info?key=${made.id}`);
    expect(info).toMatchObject({
      user_id: user,
      models: ["mock-chat"],
      metadata: { cost_center: "7" },
      max_budget: 10,
      budget_duration: "30d",
      tpm_limit: 1000,
    });
    expect([await works(old.key), await works(made.key)]).toEqual([true, true]);
    const { info: before } = await atLitellm<{ info: Record<string, unknown> }>(`/key/info?key=${sha(old.key)}`);
    expect(before).toMatchObject({
      key_alias: expect.stringMatching(/\(old [0-9a-f]{8}\)$/),
      expires: expect.any(String),
    });
    const next = await change(made.key, "rotate", { overlap_seconds: 0 });
    await until(async () => !(await works(made.key)));
    expect(await works(next.key)).toBe(true);
  });

  test("of a service account stay its team's", async () => {
    const { team_id: team } = await atLitellm<{ team_id: string }>("/team/new", { team_alias: named("robots") });
    const old = await atLitellm<{ key: string }>("/key/service-account/generate", {
      team_id: team,
      key_alias: named("robot"),
    });
    expect(await change(old.key, "rotate")).toMatchObject({ user_id: null, team_id: team, alias: named("robot") });
  });
});
