import OpenAI from "openai";
import { makeKey, makeUser, manage, named } from "../contract/litellm/identitySupport.js";
import { proxy, sidecar } from "../contract/litellm/support.js";

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

/** @param subject `user:ID`, `team:ID` or `everyone` */
export async function grant(key: string, store: string, subject: string, permission: "read" | "write" | "admin") {
  const path = `/vector_stores/${store}/permissions/${encodeURIComponent(subject)}`;
  await as(key).put(path, { body: { permission } });
}
