import { Agent, request } from "node:http";

/** A client that costs little: kept connections, bodies as ready bytes, answers as text. */
export interface HttpClient {
  get(path: string): Promise<string>;
  /** @param repeat sends the body that many times in one request. */
  post(path: string, body: Buffer | object, options?: { contentType?: string; repeat?: number }): Promise<string>;
}

export function createHttpClient(root: string, key: string): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const send = (method: string, path: string, headers: Record<string, string | number>, parts: readonly Buffer[]) =>
    new Promise<string>((resolve, reject) => {
      const outgoing = request(
        root + path,
        { method, agent, headers: { authorization: `Bearer ${key}`, ...headers } },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.once("error", reject);
          incoming.once("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            if (incoming.statusCode === 200) resolve(text);
            else reject(new Error(`${method} ${path}: ${incoming.statusCode ?? 0} ${text.slice(0, 300)}`));
          });
        },
      );
      outgoing.once("error", reject);
      for (const part of parts) outgoing.write(part);
      outgoing.end();
    });
  return {
    get: (path) => send("GET", path, {}, []),
    post: (path, body, { contentType = "application/json", repeat = 1 } = {}) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const headers = { "content-type": contentType, "content-length": bytes.length * repeat };
      return send("POST", path, headers, new Array<Buffer>(repeat).fill(bytes));
    },
  };
}
