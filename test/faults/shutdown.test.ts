import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Agent } from "node:http";
import { type Socket, connect } from "node:net";
import { testKey } from "../support/settings.js";
import { startFakePostgres } from "../support/fakePostgres.js";
import { call, createStore, readCounts, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";
import { type SlowModel, startSlowModel } from "../support/slowModel.js";

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
  server = await program.start({ ...settings(), SHUTDOWN_DELAY_SECONDS: "0" });
  store = await createStore(server.url);
});
afterEach(async () => {
  server.child.kill("SIGKILL");
  await server.exited;
});

const settings = () => ({ ...data.environment, LITELLM_PROXY_URL: model.url });

/** Starts requests and waits until each has called the model. */
async function whileTheModelThinks<T>(start: () => Promise<T>[]): Promise<Promise<T>[]> {
  model.hold();
  const before = model.asked.length;
  const requests = start();
  await until("the model to be asked", () => (model.asked.length >= before + requests.length ? true : null));
  return requests;
}

/** Resolves to an open TCP connection to the server. */
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

/** Fails unless the process ends well before the limit for running requests (25 s). */
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
  test("accepted requests finish, new connections are refused, and the exit code is 0", async () => {
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

  test("a second signal ends the process at once", async () => {
    const [request] = await whileTheModelThinks(() => [search("one").catch((error: unknown) => error)]);
    server.child.kill("SIGTERM");
    await server.logged("stopping");
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 1, signal: null });
    expect(await request).toMatchObject({ code: "ECONNRESET" });
  });

  test("the last answer closes a kept-alive connection, and an idle one is closed", async () => {
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

  test("connections that have sent nothing or half a header do not delay the exit", async () => {
    const silent = await connectTo(server.url);
    const slow = await connectTo(server.url);
    slow.write("POST /v1/vector_stores HTTP/1.1\r\nHost: here\r\nAuthor");
    // An answer on a later connection shows that the server has accepted the two before it.
    await call(server.url, "GET", "/livez");
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 0, signal: null });
    silent.destroy();
    slow.destroy();
  });
});

/** Ends the other tests' server, because the embedded database allows one process. */
async function restart(environment: Record<string, string>): Promise<void> {
  server.child.kill("SIGINT");
  await server.exited;
  server = await program.start({ ...settings(), ...environment });
}

describe("between SIGTERM and the end of listening", () => {
  test("the server is unready but answers, each answer closing its connection; SIGINT skips the delay", async () => {
    await restart({ SHUTDOWN_DELAY_SECONDS: "600" });
    const agent = new Agent({ keepAlive: true });
    expect((await search("before", agent)).headers.connection).toBe("keep-alive");
    server.child.kill("SIGTERM");
    await until("unreadiness", async () => ((await call(server.url, "GET", "/readyz")).status === 503 ? true : null));
    const onOldConnection = await search("after", agent);
    expect([onOldConnection.status, onOldConnection.headers.connection]).toEqual([200, "close"]);
    const onNewConnection = await search("later");
    expect([onNewConnection.status, onNewConnection.headers.connection]).toEqual([200, "close"]);
    expect((await call(server.url, "GET", "/livez")).status).toBe(200);
    agent.destroy();
    // A second signal ends the process at once.
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 1, signal: null });

    server = await program.start({ ...settings(), SHUTDOWN_DELAY_SECONDS: "600" });
    server.child.kill("SIGINT");
    expect(await endsSoon(server)).toEqual({ code: 0, signal: null });
  });

  test("a file being ingested keeps what its running model call costs, and goes on later", async () => {
    await restart({ SHUTDOWN_DELAY_SECONDS: "600", INGEST_CONCURRENCY: "1" });
    model.hold();
    const before = model.asked.length;
    const form = new FormData();
    form.append("file", new Blob(["a text that is to be embedded"]), "text.txt");
    const headers = { authorization: `Bearer ${testKey}`, prefer: "respond-async" };
    const path = `/v1/vector_stores/${store}`;
    const accepted = await fetch(`${server.url}${path}/upload`, { method: "POST", headers, body: form });
    const { id } = (await accepted.json()) as { id: string };
    await until("the model to be asked", () => (model.asked.length > before ? true : null));
    const running = async () => /queue_files\{state="running"\} (\d)/.exec(await text("/metrics"))?.[1];
    const text = async (of: string) => (await fetch(`${server.url}${of}`, { headers })).text();
    server.child.kill("SIGTERM");
    await until("SIGTERM to be seen", async () => ((await fetch(`${server.url}/readyz`)).status === 503 ? true : null));
    expect(await running()).toBe("1");
    model.release();
    await until("the file to be left", async () => ((await running()) === "0" ? true : null));
    server.child.kill("SIGTERM");
    await server.exited;
    await restart({});
    await until("the file", async () =>
      (await text(`${path}/files/${id}`)).includes('"status":"completed"') ? true : null,
    );
    expect(model.asked).toHaveLength(before + 1);
  });

  test("requests longer than SHUTDOWN_DRAIN_SECONDS are cut off, and the exit code says so", async () => {
    await restart({ SHUTDOWN_DELAY_SECONDS: "0", SHUTDOWN_DRAIN_SECONDS: "1" });
    const [request] = await whileTheModelThinks(() => [search("endless").catch((error: unknown) => error)]);
    server.child.kill("SIGTERM");
    expect(await endsSoon(server)).toEqual({ code: 1, signal: null });
    expect(await request).toMatchObject({ code: "ECONNRESET" });
    expect(server.stdout()).toMatch(/"requests":1.*requests were cut off/);
  });
});

describe("clients that follow readiness", () => {
  test("lose no request while servers are replaced", async () => {
    await restart({ SHUTDOWN_DELAY_SECONDS: "1" });
    const servers = [server];
    // A PostgreSQL server allows several processes.
    if (data.kind === "postgres") servers.push(await program.start({ ...settings(), SHUTDOWN_DELAY_SECONDS: "1" }));
    const [leaving, staying] = servers;
    const ready = new Set(servers);
    const probing = setInterval(() => {
      for (const each of ready)
        void call(each.url, "GET", "/readyz").then(
          ({ status }) => status === 503 && ready.delete(each),
          () => ready.delete(each),
        );
    }, 50);
    const statuses: number[] = [];
    const failures: unknown[] = [];
    const client = async (n: number) => {
      const agents = new Map(servers.map((each) => [each, new Agent({ keepAlive: true })]));
      for (let turn = n; ready.size > 0 && leaving?.child.exitCode === null; turn += 1) {
        const target = [...ready][turn % ready.size];
        const agent = target && agents.get(target);
        if (agent === undefined) break;
        await call(
          target?.url ?? "",
          "POST",
          `/v1/vector_stores/${store}/search`,
          { query: `q${turn % 7}` },
          { agent },
        ).then(
          ({ status }) => statuses.push(status),
          (error: unknown) => failures.push(error),
        );
        if (statuses.length === 200) leaving.child.kill("SIGTERM");
      }
      for (const agent of agents.values()) agent.destroy();
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => client(n)));
    clearInterval(probing);
    expect(failures).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(statuses.length).toBeGreaterThan(200);
    expect(leaving && (await endsSoon(leaving))).toEqual({ code: 0, signal: null });
    staying?.child.kill("SIGKILL");
    await staying?.exited;
  });
});

describe("before the server listens", () => {
  test("SIGTERM ends a process that waits for its database", async () => {
    const hanging = await startFakePostgres("says nothing");
    const url = `postgresql://someone@127.0.0.1:${hanging.port}/d`;
    const waiting = program.run({ DATABASE_URL: url, SERVER_API_KEY: "sk-x" });
    await hanging.connected;
    waiting.child.kill("SIGTERM");
    // By its own handler, because the signal has no default action for process 1 of a container.
    expect(await endsSoon(waiting)).toEqual({ code: 0, signal: null });
    await hanging.close();
  });
});
