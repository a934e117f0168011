import OpenAI from "openai";
import pg from "pg";
import { makeKey, makeUser, manage, named } from "../contract/litellm/identitySupport.js";
import { databaseUrl, proxy, sidecar } from "../contract/litellm/support.js";

/** Those who use the page, with LiteLLM keys of their own, and the vector stores that they see. */

/** The service, as its users write it. */
export const root = sidecar.baseURL.replace(/\/v1$/, "");
export const masterKey: string = proxy.apiKey ?? "";
export { makeKey, makeUser, manage, named };

/** The API with somebody's key. */
export const as = (key: string): OpenAI => new OpenAI({ baseURL: sidecar.baseURL, apiKey: key, maxRetries: 0 });

/** A user of LiteLLM with a key. @param role LiteLLM's name */
export async function makePerson(name: string, role = "internal_user"): Promise<{ id: string; key: string }> {
  const id = await makeUser(name, role);
  return { id, key: await makeKey({ user_id: id }) };
}

/** A vector store of somebody's. */
export async function makeStore(key: string, name: string): Promise<string> {
  return (await as(key).vectorStores.create({ name })).id;
}

/** Makes vector stores expire that do so a day after their last use. */
export async function expire(key: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await as(key).vectorStores.update(id, { expires_after: { anchor: "last_active_at", days: 1 } });
  }
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    await database.query(
      "UPDATE vector_stores SET last_active_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE id = ANY($1)",
      [ids],
    );
  } finally {
    await database.end();
  }
}

/** @param subject `user:ID`, `team:ID` or `everyone` */
export async function grant(key: string, store: string, subject: string, permission: "read" | "write" | "admin") {
  const path = `/vector_stores/${store}/permissions/${encodeURIComponent(subject)}`;
  await as(key).put(path, { body: { permission } });
}

/** Adds a document to a vector store. @returns its id, once it can be found */
export async function upload(key: string, store: string, name: string, text: string): Promise<string> {
  const form = new FormData();
  form.append("file", new Blob([text]), name);
  const answer = await fetch(`${root}/v1/vector_stores/${store}/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: form,
  });
  const { id } = (await answer.json()) as { id: string };
  const { status } = await as(key).vectorStores.files.poll(store, id, { pollIntervalMs: 100 });
  if (status !== "completed") throw new Error(`${name} is ${status}`);
  return id;
}

/** Adds a row without a file. */
export async function addRow(key: string, store: string, content: string, metadata: object = {}): Promise<string> {
  const row = await as(key).post<{ id: string }>(`/vector_stores/${store}/embeddings`, { body: { content, metadata } });
  return row.id;
}
