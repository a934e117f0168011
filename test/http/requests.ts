import { request } from "node:http";
import { testKey } from "../support/settings.js";

export interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  /** A string or buffer is sent unchanged, an object as JSON, a list of buffers chunked without a content-length. */
  body?: string | Buffer | Buffer[] | object;
  /** null sends no key. */
  key?: string | null;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/**
 * One request exactly as given, on its own connection. A reset after the answer is no failure: a refused body may cause
 * it.
 */
export function send(url: string, { method = "POST", path, headers = {}, body, key = testKey }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks = Array.isArray(body) && body.every((each) => Buffer.isBuffer(each)) ? body : null;
    const bytes = chunks === null && body !== undefined ? bytesOf(body) : null;
    const outgoing = request(new URL(url).origin, {
      method,
      path,
      agent: false,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(bytes === null ? {} : { "content-length": String(bytes.length) }),
        ...(chunks === null ? {} : { "transfer-encoding": "chunked" }),
        ...headers,
      },
    });
    let answered = false;
    outgoing.on("response", (response) => {
      answered = true;
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        });
        outgoing.destroy();
      });
    });
    outgoing.on("error", (error) => {
      if (!answered) reject(error);
    });
    for (const chunk of chunks ?? []) outgoing.write(chunk);
    if (bytes === null) outgoing.end();
    else outgoing.end(bytes);
  });
}

function bytesOf(body: string | Buffer | object): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

export const errorOf = (answer: Pick<Answer, "text">) => (JSON.parse(answer.text) as ErrorBody).error;
