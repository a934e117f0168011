import { type Agent, type IncomingHttpHeaders, request } from "node:http";
import { testKey } from "./settings.js";

export interface Reply<T = Record<string, unknown>> {
  status: number;
  headers: IncomingHttpHeaders;
  body: T;
}

/** One JSON request with the server key, on its own connection unless an agent is given. */
export function call<T = Record<string, unknown>>(
  url: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
  options: { agent?: Agent; signal?: AbortSignal; key?: string } = {},
): Promise<Reply<T>> {
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      {
        method,
        agent: options.agent ?? false,
        ...(options.signal && { signal: options.signal }),
        headers: {
          authorization: `Bearer ${options.key ?? testKey}`,
          ...(body && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          try {
            const answer = JSON.parse(Buffer.concat(chunks).toString()) as T;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer });
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

/** Creates a vector store. @returns its id */
export async function createStore(url: string, name = "faults"): Promise<string> {
  const { status, body } = await call<{ id: string }>(url, "POST", "/v1/vector_stores", { name });
  if (status !== 200) throw new Error(`a store could not be made: ${JSON.stringify(body)}`);
  return body.id;
}

export interface Row {
  id: string;
  content: string;
  metadata: Record<string, unknown>;
}

/** All rows of a store, page by page. */
export async function readRows(url: string, store: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after = ""; ;) {
    const cursor = after === "" ? "" : `&after=${encodeURIComponent(after)}`;
    const path = `/v1/vector_stores/${store}/embeddings?limit=1000&order=asc${cursor}`;
    const { body } = await call<{ data: Row[]; has_more: boolean; last_id: string }>(url, "GET", path);
    rows.push(...body.data);
    if (!body.has_more) return rows;
    after = body.last_id;
  }
}

/** A store's own counters. */
export async function readCounts(url: string, store: string): Promise<{ rows: number; bytes: number }> {
  const path = `/v1/vector_stores/${store}`;
  const { body } = await call<{ file_counts: { total: number }; usage_bytes: number }>(url, "GET", path);
  return { rows: body.file_counts.total, bytes: body.usage_bytes };
}

/** Polls until the answer is not null; fails after `limitMs`. */
export async function until<T>(what: string, ask: () => Promise<T | null> | T | null, limitMs = 120_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
