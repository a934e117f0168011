import { randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";

/**
 * A provider of chat models behind the proxy: `node --import tsx provider.ts PORT`. Its reading models answer with the
 * first passage, so that an answer shows what the search found; some models fail, each in its own way. One embeds, but
 * only texts with a purpose. It is also a vector store in which nothing is found. GET /calls lists the requests.
 */
export interface ProviderCall {
  /** Empty for a search of the vector store. */
  model: string;
  /** Who asks, as LiteLLM's callback has signed it; only a vector store must get this. */
  identity?: string;
  stream: boolean;
  /** The last message, as text. */
  said: string;
  /** All messages, as text. */
  messages: { role: string; content: string }[];
  /** `left`: the proxy closed the connection before the answer was complete. */
  state: "open" | "complete" | "left";
}

type Content = string | { type: string; text?: string; image_url?: { url: string } }[];
interface Body {
  model?: string;
  messages?: { role: string; content: Content }[];
  query?: string;
  /** Texts to embed. */
  input?: string | string[];
  input_type?: string;
  stream?: boolean;
}

const calls: ProviderCall[] = [];

const pictures: Record<string, string> = {
  "gpt-4o": "FastAPI is a web framework for building APIs with Python.",
  "gpt-4o-mini": "A login page with fields for a name and a password.",
};

/**
 * A model's answer. The model `upstream-chat` repeats all messages as JSON, so that a test sees what the proxy added.
 * The models named gpt answer a picture with its size and the question, passages with the first one, and anything else
 * by repeating it.
 */
function read({ model = "", messages = [] }: Body): string {
  if (model === "upstream-chat") return JSON.stringify(messages);
  const system = textOf(messages.find(({ role }) => role === "system")?.content ?? "");
  const last = messages.at(-1)?.content ?? "";
  const said = textOf(last);
  const picture = typeof last === "string" ? undefined : last.find((part) => part.image_url)?.image_url?.url;
  if (picture !== undefined) {
    const png = Buffer.from(picture.slice(picture.indexOf(",") + 1), "base64");
    return `${pictures[model] ?? ""} ${png.readUInt32BE(16)} by ${png.readUInt32BE(20)} pixels. I was asked: ${said}`;
  }
  const [, passage] = /<passage-\w+ number="1"[^>]*>\n(.*?)\n<\/passage-/s.exec(said) ?? [];
  if (passage !== undefined) return `${passage} [1]`;
  if (system.includes("found nothing")) return "Nothing was found.";
  const [, before, followUp] = /^Conversation:\nuser: (.*?)\n.*Follow-up question: (.*)$/s.exec(said) ?? [];
  return followUp === undefined ? said : `${before ?? ""} ${followUp}`;
}

const textOf = (content: Content) =>
  typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");

const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
interface About {
  /** Another one for each call: LiteLLM writes down one call for each id. */
  id: string;
  model: string;
}
const created = 1_700_000_000;
const chunk = (about: About, delta: object, finish: string | null = null) => ({
  ...about,
  created,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: finish }],
});

function fail(res: ServerResponse, status: number, message: string): void {
  // A wait beyond every budget: retries must give up at once.
  res.writeHead(status, { "content-type": "application/json", "retry-after": "3600" });
  res.end(JSON.stringify({ error: { message, type: "failure", param: null, code: null } }));
}

/** As NVIDIA NIM's asymmetric models: a text without a purpose is refused. */
function embed({ model, input = [], input_type: type }: Body, res: ServerResponse): void {
  if (type !== "query" && type !== "passage") {
    fail(res, 400, "'input_type' parameter is required for asymmetric models");
    return;
  }
  const data = [input].flat().map((text, index) => ({ object: "embedding", index, embedding: [1, text.length, 2] }));
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify({ object: "list", model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
}

function answer(body: Body, res: ServerResponse): void {
  const { model } = body;
  if (model === undefined) {
    const page = { object: "vector_store.search_results.page", search_query: [body.query], data: [], has_more: false };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(page));
    return;
  }
  const about = { id: randomUUID(), model };
  if (body.input !== undefined) {
    embed(body, res);
    return;
  }
  if (model.startsWith("overloaded")) {
    fail(res, 429, "Too many tokens this minute.");
    return;
  }
  if (model.startsWith("broken")) {
    fail(res, 500, "Out of memory in worker 7.");
    return;
  }
  // Without streaming, its answer never comes.
  if (model === "endless" && body.stream !== true) return;
  if (body.stream !== true) {
    const choices = [{ index: 0, message: { role: "assistant", content: read(body) }, finish_reason: "stop" }];
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ ...about, created, object: "chat.completion", choices, usage }));
    return;
  }
  res.writeHead(200, { "content-type": "text/event-stream" });
  const send = (event: object) => res.write(`data: ${JSON.stringify(event)}\n\n`);
  send(chunk(about, { role: "assistant", content: "" }));
  if (model === "endless") {
    const timer = setInterval(() => send(chunk(about, { content: "and on " })), 20);
    res.once("close", () => {
      clearInterval(timer);
    });
    return;
  }
  for (const piece of read(body).match(/.{1,16}/gs) ?? []) send(chunk(about, { content: piece }));
  if (model === "breaking") {
    // Not at once: the proxy turns a stream that breaks at once into an error.
    setTimeout(() => res.destroy(), 500);
    return;
  }
  send(chunk(about, {}, "stop"));
  send({ ...chunk(about, {}), choices: [], usage });
  res.end("data: [DONE]\n\n");
}

async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== "POST") {
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(calls));
    return;
  }
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
  const messages = (body.messages ?? []).map(({ role, content }) => ({ role, content: textOf(content) }));
  const embedded =
    body.input === undefined ? undefined : `${body.input_type ?? "none"}: ${[body.input].flat().join(" ")}`;
  const said = embedded ?? body.query ?? messages.at(-1)?.content ?? "";
  const { model = "", stream = false } = body;
  const call: ProviderCall = { model, stream, said, messages, state: "open" };
  const { "x-vector-store-identity": identity } = req.headers;
  if (identity !== undefined) call.identity = String(identity);
  calls.push(call);
  res.once("close", () => {
    call.state = res.writableFinished ? "complete" : "left";
  });
  answer(body, res);
}

createServer((req, res) => void handle(req, res)).listen(Number(process.argv[2]), "127.0.0.1");
