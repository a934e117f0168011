import OpenAI from "openai";
import { proxy, sidecar } from "./support.js";

/**
 * People who use vector stores through LiteLLM. What has no key in its registry is asked for with the key of
 * `.ci/servers.sh` that requires an identity.
 */

const root = proxy.baseURL.replace(/\/v1$/, "");
/** LiteLLM closes a connection that has rested for five seconds, perhaps just when it is used again. */
const maxRetries = 2;
/** Management routes of LiteLLM, by its master key. */
export const manage = <T>(path: string, body: object) => proxy.post<T>(root + path, { body, maxRetries });
export const inspect = <T>(path: string) => proxy.get<T>(root + path, { maxRetries });
const run = Date.now().toString(36);
export const named = (name: string) => `${name}-${run}`;

export async function makeUser(name: string, role = "internal_user"): Promise<string> {
  const user = { user_id: named(name), user_role: role, auto_create_key: false };
  await manage("/user/new", user);
  return user.user_id;
}
export const makeKey = async (body: object) => (await manage<{ key: string }>("/key/generate", body)).key;

export interface Answer {
  status: number;
  text: string;
}

export interface Asking {
  key: string;
  headers?: Record<string, string>;
  method?: string;
}

/** Any request to LiteLLM, and its answer, whatever it is. */
export async function ask(path: string, body: object | null, { key, headers, method }: Asking): Promise<Answer> {
  const answer = await fetch(`${proxy.baseURL}${path}`, {
    method: method ?? (body === null ? "GET" : "POST"),
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body !== null && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** This server without LiteLLM in between. */
export const directly = (key: string) => new OpenAI({ baseURL: sidecar.baseURL, apiKey: key, maxRetries: 0 });

/**
 * Creates a vector store through LiteLLM, and adds it to LiteLLM's registry: without a team, so that LiteLLM itself
 * lets every key use it.
 * @param text the only document in it
 * @param registered what the registry says of it beside its id
 */
export async function makeStore(key: string, name: string, text: string, registered: object = {}): Promise<string> {
  const { text: made } = await ask("/vector_stores", { name: named(name), custom_llm_provider: "pg_vector" }, { key });
  const { id } = JSON.parse(made) as { id: string };
  const embeddings = [{ id: `${id}:1`, content: text }];
  await directly(key).post(`/vector_stores/${id}/embeddings/batch`, { body: { embeddings, return: "count" } });
  await manage("/vector_store/new", { vector_store_id: id, custom_llm_provider: "pg_vector", ...registered });
  return id;
}

export const question = "What is the word?";
const messages = [{ role: "user", content: question }];
/** It repeats what it was given, so the answer shows the documents that LiteLLM has added. */
const model = "upstream-chat";

/** All ways to a document through LiteLLM. */
export const ways: Record<string, (ids: readonly string[], asking: Asking, more?: object) => Promise<Answer>> = {
  search: ([id = ""], asking, more) => ask(`/vector_stores/${id}/search`, { query: question, ...more }, asking),
  chat: (ids, asking, more) => ask("/chat/completions", { model, messages, vector_store_ids: ids, ...more }, asking),
  "chat, streamed": async (ids, asking, more) =>
    joined(await ask("/chat/completions", { model, messages, vector_store_ids: ids, stream: true, ...more }, asking)),
  "chat with file_search": (ids, asking, more) =>
    ask("/chat/completions", { model, messages, tools: [fileSearch(ids)], ...more }, asking),
  "rag/query": ([id], asking, more) => ask("/rag/query", { model, messages, ...retrieval(id), ...more }, asking),
  "rag/query, streamed": async ([id], asking, more) =>
    joined(await ask("/rag/query", { model, messages, ...retrieval(id), stream: true, ...more }, asking)),
  responses: (ids, asking, more) =>
    ask("/responses", { model, input: question, vector_store_ids: ids, ...more }, asking),
  "responses, streamed": async (ids, asking, more) =>
    joined(await ask("/responses", { model, input: question, vector_store_ids: ids, stream: true, ...more }, asking)),
  messages: (ids, asking, more) =>
    ask("/messages", { model, messages, max_tokens: 100, vector_store_ids: ids, ...more }, asking),
};

const fileSearch = (ids: readonly string[]) => ({ type: "file_search", vector_store_ids: ids });
const retrieval = (id: string | undefined) => ({
  retrieval_config: { vector_store_id: id, custom_llm_provider: "pg_vector", top_k: 3 },
});

/** A stream's text behind the stream itself: a document may be split over its events. */
function joined({ status, text }: Answer): Answer {
  const pieces = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, event = "{}"]) => {
    const { choices, delta } = JSON.parse(event) as { choices?: { delta?: { content?: string } }[]; delta?: unknown };
    return choices?.[0]?.delta?.content ?? (typeof delta === "string" ? delta : "");
  });
  return { status, text: `${text}\n${pieces.join("")}` };
}
