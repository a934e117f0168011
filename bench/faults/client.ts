/** An answer of the server, whatever its status. */
export interface Answer {
  status: number;
  text: string;
  /** Milliseconds until it was complete. */
  ms: number;
  headers: Headers;
}

interface Body {
  json?: unknown;
  form?: FormData;
  /** Any other body. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
  /** Called with the text as it arrives. */
  onText?: (text: string) => void;
}

export interface Client {
  url: string;
  /** @throws Error when the connection breaks, or with the name `TimeoutError` when no answer is complete in time */
  send(method: string, path: string, body?: Body): Promise<Answer>;
  /** The JSON of a 200. @throws Error for any other status */
  ask<T>(method: string, path: string, body?: Body): Promise<T>;
}

/** The longest that any answer may take: far more than any request of these campaigns needs on a busy machine. */
export const hangMs = 60_000;

export function createClient(url: string, key: string, longestMs = hangMs): Client {
  const send: Client["send"] = async (method, path, { json, form, raw, headers = {}, onText } = {}) => {
    const begun = performance.now();
    const sent = form ?? (json === undefined ? raw : JSON.stringify(json));
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.timeout(longestMs),
      redirect: "manual",
    });
    let text = "";
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) {
      const piece = decoder.decode(part as Uint8Array, { stream: true });
      text += piece;
      onText?.(piece);
    }
    return { status: response.status, text, ms: performance.now() - begun, headers: response.headers };
  };
  return {
    url,
    send,
    ask: async <T>(method: string, path: string, body?: Body) => {
      const { status, text } = await send(method, path, body);
      if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
      return JSON.parse(text) as T;
    },
  };
}
