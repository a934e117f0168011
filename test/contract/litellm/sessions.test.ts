import { describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import { embeddingModel, proxy, sidecar, until } from "./support.js";

/** The server under test lets users of LiteLLM sign in to its page with their keys. */

const root = proxy.baseURL.replace(/\/v1$/, "");
const post = <T>(path: string, body: object) => proxy.post<T>(root + path, { body });
const sha = (text: string) => hash("sha256", text, "hex");
const run = Date.now().toString(36);
const page = { "sec-fetch-site": "same-origin", "content-type": "application/json" };

interface Answer {
  status: number;
  body: Record<string, unknown> & { error?: { code: string } };
}

/** A user of LiteLLM with a key, signed in. */
async function signedIn(name: string, role: string) {
  const userId = `${name}-${run}`;
  await post("/user/new", { user_id: userId, user_role: role, auto_create_key: false });
  const { key } = await post<{ key: string }>("/key/generate", { user_id: userId });
  const answer = await fetch(`${sidecar.baseURL}/sessions`, {
    method: "POST",
    headers: page,
    body: JSON.stringify({ key }),
  });
  expect(answer.status).toBe(200);
  const [cookie = ""] = (answer.headers.getSetCookie()[0] ?? "").split(";");
  const ask = async (method: string, path: string, body?: object): Promise<Answer> => {
    const sent = { method, headers: { ...page, cookie }, ...(body && { body: JSON.stringify(body) }) };
    const got = await fetch(sidecar.baseURL + path, sent);
    return { status: got.status, body: (await got.json()) as Answer["body"] };
  };
  return { userId, key, ask };
}

/** The calls that LiteLLM has written down for a key; it writes every ten seconds or so. */
async function callsOf(key: string): Promise<{ call_type: string; user: string; spend: number }[]> {
  const query = new URLSearchParams({
    api_key: sha(key),
    page: "1",
    page_size: "100",
    start_date: "2020-01-01 00:00:00",
    end_date: "2100-01-01 00:00:00",
  });
  return (await proxy.get<{ data: Awaited<ReturnType<typeof callsOf>> }>(`${root}/spend/logs/v2?${query.toString()}`))
    .data;
}

describe("a session", () => {
  test("searches what is the user's, and the user's key pays", async () => {
    const { userId, key, ask } = await signedIn("ann", "internal_user");
    expect((await ask("GET", "/me")).body).toMatchObject({ kind: "user", name: `user:${userId}`, user_id: userId });
    const made = await ask("POST", "/vector_stores", { name: "page", embedding_model: embeddingModel });
    const id = String(made.body.id);
    await ask("POST", `/vector_stores/${id}/embeddings`, { content: "The cat sleeps." });
    const found = await ask("POST", `/vector_stores/${id}/search`, { query: `who sleeps? ${run}` });
    expect(found.body.data).toHaveLength(1);
    expect((await ask("GET", "/me/vector_stores")).body).toMatchObject({ data: [{ id }], totals: { stores: 1 } });
    await until(async () => (await callsOf(key)).length >= 2);
    for (const call of await callsOf(key)) {
      expect(call).toMatchObject({ call_type: "aembedding", user: userId });
      expect(call.spend).toBeGreaterThan(0);
    }
  });

  test("ends when LiteLLM blocks its key", async () => {
    const { key, ask } = await signedIn("ben", "internal_user");
    expect((await ask("GET", "/me")).status).toBe(200);
    await post("/key/block", { key: sha(key) });
    let last = await ask("GET", "/me");
    await until(async () => (last = await ask("GET", "/me")).status !== 200);
    expect(last).toMatchObject({ status: 401, body: { error: { code: "session_key_refused" } } });
    expect(await ask("GET", "/me")).toMatchObject({ status: 401, body: { error: { code: "session_ended" } } });
    // It does not come back with the key.
    await post("/key/unblock", { key: sha(key) });
    expect((await ask("GET", "/me")).status).toBe(401);
  });

  test("ends when LiteLLM changes what its user is", async () => {
    const { userId, ask } = await signedIn("max", "proxy_admin");
    expect((await ask("GET", "/admin/sessions")).status).toBe(200);
    await post("/user/update", { user_id: userId, user_role: "internal_user" });
    let last = await ask("GET", "/me");
    await until(async () => (last = await ask("GET", "/me")).status !== 200);
    expect(last.body.error?.code).toBe("session_caller_changed");
  });
});
