import { type ServerResponse, createServer } from "node:http";
import { listen } from "./listen.js";

/** JSON, or the events of a stream. */
export type ModelAnswer = { json: object; status?: number } | { events: readonly string[] };

/** What was asked besides the body. */
export interface ModelRequest {
  query: URLSearchParams;
  /** The key that was sent; "" without one. */
  key: string;
}

export interface ModelServer {
  /** Its root URL, for EMBEDDING__BASE_URL. */
  url: string;
  /**
   * Milliseconds spent since the last call, from the headers of a request to the last byte written. Adds up over
   * sequential requests.
   */
  takeTime: () => number;
}

/**
 * Stands in for LiteLLM and its models: answers immediately, from functions. Runs in the process of the measuring
 * clients.
 * @param answers by method and path, e.g. "POST /v1/embeddings"; if one throws, the status is 400
 */
export async function startModelServer(
  answers: Readonly<Record<string, (body: unknown, asked: ModelRequest) => ModelAnswer>>,
): Promise<ModelServer> {
  let spent = 0;
  const server = createServer((req, res) => {
    const begun = performance.now();
    const { pathname, searchParams: query } = new URL(req.url ?? "/", "http://models");
    const name = `${req.method ?? ""} ${pathname}`;
    const key = (req.headers.authorization ?? "").replace("Bearer ", "");
    let body = "";
    req.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    req.once("end", () => {
      try {
        const answer = answers[name];
        if (answer === undefined) res.writeHead(404).end("{}");
        else send(res, answer(body === "" ? undefined : JSON.parse(body), { query, key }));
      } catch (error) {
        res.statusCode = 400;
        res.end(JSON.stringify({ error: { message: String(error), type: "invalid_request_error" } }));
      }
      spent += performance.now() - begun;
    });
  });
  const url = await listen(server);
  return {
    url,
    takeTime() {
      const taken = spent;
      spent = 0;
      return taken;
    },
  };
}

function send(res: ServerResponse, answer: ModelAnswer): void {
  if ("json" in answer) {
    res.writeHead(answer.status ?? 200, { "content-type": "application/json" }).end(JSON.stringify(answer.json));
    return;
  }
  res.setHeader("content-type", "text/event-stream");
  // Each event separately, as a model sends them, but without pauses: during a pause, the service's work would be
  // indistinguishable from waiting.
  for (const event of answer.events) res.write(`data: ${event}\n\n`);
  res.end();
}
