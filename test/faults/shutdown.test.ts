import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Agent } from "node:http";
import { type Socket, connect } from "node:net";
import { startFakePostgres } from "../support/fakePostgres.js";
import { call, createStore, readCounts, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";
import { type SlowModel, startSlowModel } from "../support/slowModel.js";

jest.setTimeout(120_000);

let program: Program;
let data: ServerData;
let model: SlowModel;
let server: ServerProcess & { url: string };
let store: string;

beforeAll(async () => {
  [program, data, model] = await Promise.all([compileProgram(), createServerData(), startSlowModel()]);
});
afterAll(async () => {
  await program.remove();
  await data.remove();
  await model[Symbol.asyncDispose]();
});
beforeEach(async () => {
  model.release();
  server = await program.start({ ...data.environment, LITELLM_PROXY_URL: model.url });
  store = await createStore(server.url);
});
afterEach(async () => {
  server.child.kill("SIGKILL");
  await server.exited;
});

/** Starts requests and waits until each of them has come as far as the model. */
async function whileTheModelThinks<T>(start: () => Promise<T>[]): Promise<Promise<T>[]> {
  model.hold();
  const before = model.asked.length;
  const requests = start();
  await until("the model to be asked", () => (model.asked.length >= before + requests.length ? true : null));
  return requests;
}

/** A TCP connection to the server, once it is open. */
async function connectTo(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

const refused = async (url: string): Promise<true | null> => {
  const code = await new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve("open");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });
  return code === "ECONNREFUSED" ? true : null;
};

/** Fails when the process has not ended within a limit that is well below the one for requests under way (25 s). */
const endsSoon = async ({ exited }: ServerProcess) => {
  let ended: Awaited<typeof exited> | null = null;
  void exited.then((how) => {
    ended = how;
  });
  return until("the process to end", () => ended, 12_000);
};

const search = (query: string, agent?: Agent) =>
  call(server.url, "POST", `/v1/vector_stores/${store}/search`, { query }, agent && { agent });

describe("on SIGTERM", () => {
  test("accepted requests are finished, new connections are refused, and the exit code is 0", async () => {
    const texts = ["a", "bb", "ccc"].map((content) => ({ content }));
    const requests = await whileTheModelThinks(() => [
      search("one"),
      search("another"),
      call(server.url, "POST", `/v1/vector_stores/${store}/embeddings/batch`, { embeddings: texts, return: "count" }),
    ]);
    server.child.kill("SIGTERM");
    await until("new connections to be refused", () => refused(server.url));
    expect(server.child.exitCode).toBeNull();
    model.release();

    const replies = await Promise.all(requests);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(replies[2]?.body).toMatchObject({ object: "embedding.batch", count: 3 });
    expect(await endsSoon(server)).toEqual({ code: 0, signal: null });
    expect(server.stdout()).toContain('"msg":"stopped"');

    const next = await program.start(data.environment);
    expect(await readCounts(next.url, store)).toEqual({ rows: 3, bytes: 6 });
    next.child.kill("SIGINT");
    expect(await endsSoon(next)).toEqual({ code: 0, signal: null });
  });

  test("a second one ends the process at once", async () => {
    const [request] = await whileTheModelThinks(() => [search("one").catch((error: unknown) => error)]);
    server.child.kill("SIGTERM");
    await server.logged("stopping");
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 1, signal: null });
    expect(await request).toMatchObject({ code: "ECONNRESET" });
  });

  test("a kept-alive connection is told to close with its last answer, and an idle one is closed", async () => {
    const agent = new Agent({ keepAlive: true });
    await search("warm up", agent);
    const [request] = await whileTheModelThinks(() => [search("kept alive", agent)]);
    const idle = new Agent({ keepAlive: true });
    expect((await call(server.url, "GET", "/livez", undefined, { agent: idle })).headers.connection).toBe("keep-alive");

    server.child.kill("SIGTERM");
    await until("new connections to be refused", () => refused(server.url));
    model.release();
    const reply = await request;
    expect([reply?.status, reply?.headers.connection]).toEqual([200, "close"]);
    expect(await endsSoon(server)).toEqual({ code: 0, signal: null });
    agent.destroy();
    idle.destroy();
  });

  test("connections that have sent nothing, or half a header, do not hold the process up", async () => {
    const silent = await connectTo(server.url);
    const slow = await connectTo(server.url);
    slow.write("POST /v1/vector_stores HTTP/1.1\r\nHost: here\r\nAuthor");
    // An answer on a later connection: the server has taken the two before it.
    await call(server.url, "GET", "/livez");
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 0, signal: null });
    silent.destroy();
    slow.destroy();
  });
});

describe("before it listens", () => {
  test("SIGTERM ends a process that waits for its database", async () => {
    const hanging = await startFakePostgres("says nothing");
    const url = `postgresql://someone@127.0.0.1:${hanging.port}/d`;
    const waiting = program.run({ DATABASE_URL: url, SERVER_API_KEY: "sk-x" });
    await hanging.connected;
    waiting.child.kill("SIGTERM");
    // By its own decision, not by the signal's default: the first process of a container has no default.
    expect(await endsSoon(waiting)).toEqual({ code: 0, signal: null });
    await hanging.close();
  });
});
