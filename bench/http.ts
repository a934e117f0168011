import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";

interface Answer {
  text: string;
  headers: IncomingHttpHeaders;
  /** When the first event of a stream was complete, on the clock of performance.now(). */
  firstEventAt: number | null;
}

/**
 * A cheap client: kept-alive connections, bodies as prepared bytes, answers as text. Any status but 200 is an error.
 */
export interface HttpClient {
  get(path: string): Promise<string>;
  /** @param repeat sends the body this many times in one request */
  post(path: string, body: Buffer | object, options?: { contentType?: string; repeat?: number }): Promise<string>;
  postForHeaders(path: string, body: Buffer | object): Promise<Answer>;
}

export function createHttpClient(root: string, key: string): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const send = (
    method: string,
    path: string,
    headers: Record<string, string | number> = {},
    body: Buffer = Buffer.alloc(0),
    repeat = 0,
  ): Promise<Answer> =>
    new Promise<Answer>((resolve, reject) => {
      const outgoing = request(
        root + path,
        { method, agent, headers: { authorization: `Bearer ${key}`, ...headers } },
        (incoming) => {
          const chunks: Buffer[] = [];
          const streams = incoming.headers["content-type"]?.startsWith("text/event-stream") ?? false;
          let firstEventAt: number | null = null;
          incoming.on("data", (chunk: Buffer) => {
            chunks.push(chunk);
            if (streams && firstEventAt === null && Buffer.concat(chunks).includes("\n\n")) {
              firstEventAt = performance.now();
            }
          });
          incoming.once("error", reject);
          incoming.once("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            if (incoming.statusCode === 200) resolve({ text, headers: incoming.headers, firstEventAt });
            else reject(new Error(`${method} ${path}: ${incoming.statusCode ?? 0} ${text.slice(0, 300)}`));
          });
        },
      );
      outgoing.once("error", (error: NodeJS.ErrnoException) => {
        // The server closed an idle kept-alive connection at that moment; it has read nothing of the request.
        const closed = error.code === "ECONNRESET" || error.code === "EPIPE";
        if (outgoing.reusedSocket && closed) resolve(send(method, path, headers, body, repeat));
        else reject(error);
      });
      const write = async () => {
        for (let i = 0; i < repeat && !outgoing.destroyed; i += 1) {
          if (!outgoing.write(body)) await drained(outgoing);
        }
        outgoing.end();
      };
      // The "error" event reports failures here too.
      write().catch(() => undefined);
    });
  const post = (path: string, body: Buffer | object, contentType = "application/json", repeat = 1) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = { "content-type": contentType, "content-length": bytes.length * repeat };
    return send("POST", path, headers, bytes, repeat);
  };
  return {
    get: async (path) => (await send("GET", path)).text,
    post: async (path, body, { contentType, repeat } = {}) => (await post(path, body, contentType, repeat)).text,
    postForHeaders: (path, body) => post(path, body),
  };
}

/** Resolves when more may be written, or never will be. */
function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}
