import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Agent, type IncomingMessage, request } from "node:http";
import { type Socket, connect } from "node:net";
import { testKey } from "../support/settings.js";
import { call, createStore, readCounts, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";
import { type SlowModel, startSlowModel } from "../support/slowModel.js";

const megabyte = 1024 * 1024;

let program: Program;
let data: ServerData;
let model: SlowModel;
let server: ServerProcess & { url: string };
let store: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  [program, data, model] = await Promise.all([compileProgram(), createServerData(), startSlowModel()]);
  server = await program.start({
    ...data.environment,
    LITELLM_PROXY_URL: model.url,
    DATABASE_POOL_SIZE: "2",
    MAX_BODY_MB: "1",
  });
  store = await createStore(server.url);
});
afterEach(async () => {
  model.release();
  for (const socket of sockets.splice(0)) socket.destroy();
  // Whatever a client does, the same process serves the next one.
  expect((await call(server.url, "GET", "/livez")).status).toBe(200);
  expect(server.child.exitCode).toBeNull();
});
afterAll(async () => {
  await program.remove();
  await data.remove();
  await model[Symbol.asyncDispose]();
});

const batchPath = () => `/v1/vector_stores/${store}/embeddings/batch`;
const head = (path: string, headers: Record<string, string | number>) =>
  [
    `POST ${path} HTTP/1.1`,
    "Host: here",
    `Authorization: Bearer ${testKey}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ].join("\r\n");

/** A bare TCP connection to the server, and all that has arrived on it. */
async function connectToServer(): Promise<{ socket: Socket; received: () => string; closed: Promise<string | null> }> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  sockets.push(socket);
  let text = "";
  let failure: string | null = null;
  socket.on("error", (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message;
  });
  const closed = new Promise<string | null>((resolve) => {
    socket.on("close", () => {
      resolve(failure);
    });
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return { socket, received: () => text, closed };
}

/** The server is done with an incomplete request once it has logged it as unfinished. */
const unfinished = () => server.stdout().match(/"finished":false/g)?.length ?? 0;

describe("a client that disconnects", () => {
  test("during a search cancels the model call, unless another client waits for it", async () => {
    const path = `/v1/vector_stores/${store}/search`;
    model.hold();
    const [leaving, staying] = [new AbortController(), new AbortController()];
    const ask = (query: string, { signal }: AbortController) =>
      call(server.url, "POST", path, { query }, { signal }).catch((error: unknown) => error);
    const before = model.asked.length;
    const lost = [ask("only mine", leaving), ask("shared", leaving)];
    const kept = ask("shared", staying);
    await until("both questions", () => (model.asked.length >= before + 2 ? true : null));
    leaving.abort();
    await Promise.all(lost);
    await until("the model to see its caller leave", () => (model.left() >= 1 ? true : null));
    expect(model.left()).toBe(1);
    model.release();
    expect(await kept).toMatchObject({ status: 200 });
    expect(model.asked).toHaveLength(before + 2);
  });

  test.each([
    ["JSON", "application/json", '{"embeddings": [{"content": "half a body"}, {"conten'],
    ["NDJSON", "application/x-ndjson", '{"content": "half a body"}\n{"content": "half a body"}\n{"conten'],
  ])("in the middle of a %s body stores nothing", async (_, type, part) => {
    const before = unfinished();
    const { socket } = await connectToServer();
    socket.write(head(batchPath(), { "content-type": type, "content-length": 5000 }) + part);
    // Once a later request is answered, the half body has been read.
    await call(server.url, "GET", "/livez");
    socket.resetAndDestroy();
    await until("the server to notice", () => (unfinished() > before ? true : null));
    expect(await readCounts(server.url, store)).toEqual({ rows: 0, bytes: 0 });
  });

  test("in the middle of a chunked body stores nothing", async () => {
    const before = unfinished();
    const { socket } = await connectToServer();
    socket.write(head(batchPath(), { "content-type": "application/x-ndjson", "transfer-encoding": "chunked" }));
    const line = '{"content": "half a body"}\n';
    socket.write(`${line.length.toString(16)}\r\n${line}\r\n`);
    await call(server.url, "GET", "/livez");
    // Half closed: everything sent so far arrives, without a last chunk.
    socket.end();
    await until("the server to notice", () => (unfinished() > before ? true : null));
    expect(await readCounts(server.url, store)).toEqual({ rows: 0, bytes: 0 });
  });

  test("without reading its answer does no harm", async () => {
    const { socket } = await connectToServer();
    const path = `/v1/vector_stores/${store}/search`;
    const body = JSON.stringify({ query: "nobody reads this" });
    const one = head(path, { "content-type": "application/json", "content-length": body.length }) + body;
    socket.pause();
    socket.write(one.repeat(50));
    await until("the first of them to be searched", () =>
      model.asked.some(({ body: { input } }) => input.includes("nobody reads this")) ? true : null,
    );
    socket.resetAndDestroy();
  });
});

describe("many and slow clients", () => {
  test("200 searches at once over a pool of two connections are all answered", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    const path = `/v1/vector_stores/${store}/search`;
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, i) => call(server.url, "POST", path, { query: `query ${i}` }, { agent })),
    );
    agent.destroy();
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("100 connections with unfinished headers do not block other clients", async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, connectToServer));
    for (const { socket } of slow) socket.write("POST /v1/vector_stores HTTP/1.1\r\nHost: here\r\nX-Slow: ");
    expect((await call(server.url, "POST", "/v1/vector_stores", { name: "prompt" })).status).toBe(200);
    for (const { socket } of slow) socket.write("a");
    expect((await call(server.url, "GET", "/readyz")).status).toBe(200);
    expect(slow.filter(({ socket }) => socket.destroyed)).toEqual([]);
  });

  test("headers above the limit get 431, and the connection is closed", async () => {
    const { socket, received, closed } = await connectToServer();
    socket.write(head("/v1/vector_stores", { "x-large": "x".repeat(100_000) }));
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe("a refused upload", () => {
  const body = Buffer.alloc(8 * megabyte, "x");

  const length = { "content-length": body.length };
  const chunked = { "transfer-encoding": "chunked" };
  test.each([
    ["with its length, on a connection to close", { ...length, connection: "close" }],
    ["with its length, on a connection to keep", { ...length, connection: "keep-alive" }],
    ["in chunks, on a connection to close", { ...chunked, connection: "close" }],
    ["in chunks, on a connection to keep", { ...chunked, connection: "keep-alive" }],
  ])("%s, is answered 413 while a real client is still sending, ten times", async (_, framing) => {
    for (let i = 0; i < 10; i += 1) {
      const headers = { authorization: `Bearer ${testKey}`, "content-type": "application/json", ...framing };
      const sent = request(`${server.url}${batchPath()}`, { method: "POST", agent: false, headers });
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        sent.on("response", resolve);
        sent.on("error", reject);
        // As fast as the server reads, until the answer arrives.
        const write = () => {
          if (!sent.destroyed) sent.write(body.subarray(0, 256 * 1024), () => setImmediate(write));
        };
        if ("content-length" in framing) sent.end(body);
        else write();
      });
      sent.on("error", () => undefined);
      let text = "";
      for await (const part of response) text += String(part);
      expect(response.statusCode).toBe(413);
      expect(JSON.parse(text)).toMatchObject({ error: { code: "request_too_large" } });
      sent.destroy();
    }
  });

  test("is answered to a client that reads only after sending everything, and keeps the connection", async () => {
    const { socket, received, closed } = await connectToServer();
    socket.pause();
    socket.write(head(batchPath(), { "content-type": "application/json", "content-length": body.length }));
    await new Promise((resolve) => socket.write(body, resolve));
    socket.resume();
    await until("the answer", () => (received().endsWith("}}") ? true : null));
    expect(received()).toMatch(/^HTTP\/1.1 413 [\s\S]*\r\n\r\n\{"error":\{.*"request_too_large"\}\}$/);
    socket.write("GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    expect(await closed).toBeNull();
    expect(received()).toMatch(/HTTP\/1.1 200 [\s\S]*\{"status":"ok"\}$/);
  });

  test("without a valid key gets 401 in the same way", async () => {
    const { socket, received } = await connectToServer();
    socket.pause();
    const framing = { "content-type": "application/json", "content-length": body.length };
    socket.write(head(batchPath(), framing).replace(testKey, "sk-wrong"));
    await new Promise((resolve) => socket.write(body, resolve));
    socket.resume();
    await until("the answer", () => (received().endsWith("}}") ? true : null));
    expect(received()).toMatch(/^HTTP\/1.1 401 [\s\S]*"invalid_api_key"\}\}$/);
  });

  test("that never ends is cut off", async () => {
    const { socket, received, closed } = await connectToServer();
    socket.write(head(batchPath(), { "content-type": "application/json", "content-length": 100 * megabyte }));
    await until("the answer", () => (received().endsWith("}}") ? true : null));
    // It sends no more and does not close; the server does.
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 413 /);
  });
});
