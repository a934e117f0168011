import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type HalfOpenProxy, startHalfOpenProxy } from "../support/halfOpenProxy.js";
import { type Reply, call, createStore, readCounts, readRows, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

/** An embedded database cannot be away. */
const onServer = process.env.TEST_DATABASE_URL ? describe : describe.skip;

onServer("a PostgreSQL that goes away", () => {
  let program: Program;
  let data: ServerData;
  let proxy: HalfOpenProxy;
  let server: ServerProcess & { url: string };
  let store: string;
  let beside: pg.Client;

  beforeAll(async () => {
    [program, data] = await Promise.all([compileProgram(), createServerData()]);
    proxy = await startHalfOpenProxy(data.environment.DATABASE_URL ?? "");
    server = await program.start({
      DATABASE_URL: proxy.url,
      DATABASE_POOL_SIZE: "4",
      DATABASE_POOL_TIMEOUT_SECONDS: "1",
      DATABASE_STATEMENT_TIMEOUT_SECONDS: "1",
    });
    store = await createStore(server.url);
    beside = new pg.Client({ connectionString: data.direct ?? "" });
    await beside.connect();
  });
  afterEach(() => {
    proxy.set("forward");
    // The same process in every test: nothing has ended it.
    expect(server.child.exitCode).toBeNull();
  });
  afterAll(async () => {
    await program.remove();
    await proxy.close();
    await beside.end();
    await data.remove();
  });

  const rows = (mark: string, count = 3) =>
    Array.from({ length: count }, (_, i) => ({
      content: `${mark} ${i}`,
      embedding: testVector(i + 1, testDimensions),
      metadata: { mark },
    }));
  const insert = (mark: string) =>
    call(server.url, "POST", `/v1/vector_stores/${store}/embeddings/batch`, { embeddings: rows(mark) });
  const search = () => call(server.url, "POST", `/v1/vector_stores/${store}/search`, { query: "text" });
  const get = (path: string) => call(server.url, "GET", path);
  const stored = async (mark: string) =>
    (await readRows(server.url, store)).filter(({ metadata }) => metadata.mark === mark).length;

  /** 503 in OpenAI's error shape, with Retry-After and without internal details. */
  function expectUnavailable(reply: Reply) {
    expect(reply.status).toBe(503);
    expect(reply.body).toEqual({
      error: {
        message: expect.any(String),
        type: "server_error",
        param: null,
        // Those that wait behind hanging connections cannot know that the database is away.
        code: expect.stringMatching(/^(service_unavailable|pool_exhausted)$/),
      },
    });
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    const direct = new URL(data.environment.DATABASE_URL ?? "");
    const text = JSON.stringify(reply.body);
    for (const secret of [direct.hostname, direct.port, new URL(proxy.url).port, direct.pathname.slice(1), store]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/select|insert|update|commit|ECONN|\bat .*\.js/i);
  }

  /** Works again without a restart, at the latest once every dead connection is removed. */
  async function expectRecovery() {
    await until("the database to be back", async () => ((await get("/readyz")).status === 200 ? true : null));
    const mark = `after ${Math.random()}`;
    await until("an insert to work", async () => ((await insert(mark)).status === 200 ? true : null));
    const replies = await Promise.all(Array.from({ length: 12 }, search));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(await stored(mark)).toBe(3);
    const found = await readRows(server.url, store);
    expect((await readCounts(server.url, store)).rows).toBe(found.length);
  }

  /** An insertion that has written its rows and waits in its transaction for the store's row. */
  async function insertStuckInTransaction<T>(mark: string, meanwhile: () => Promise<T> | T): Promise<Reply> {
    await beside.query("BEGIN");
    await beside.query("SELECT 1 FROM vector_stores WHERE id = $1 FOR UPDATE", [store]);
    try {
      let settled: unknown = null;
      const reply = insert(mark);
      void reply.then(
        (early) => (settled = early),
        (error: unknown) => (settled = error),
      );
      await until("the insertion to wait for the lock", async () => {
        const { rows: waiting } = await beside.query(
          `SELECT 1 FROM pg_stat_activity
           WHERE application_name = 'vector-store' AND wait_event_type = 'Lock' AND datname = current_database()`,
        );
        if (settled !== null) throw new Error(`it did not wait: ${JSON.stringify(settled)}`);
        return waiting.length > 0 ? true : null;
      });
      await meanwhile();
      return await reply;
    } finally {
      await beside.query("COMMIT");
    }
  }

  test.each(["refuse", "blackHole"] as const)("(%s) probes say so: 503 within their limit, but alive", async (mode) => {
    proxy.set(mode);
    const start = Date.now();
    const [health, ready, live] = await Promise.all([get("/health"), get("/readyz"), get("/livez")]);
    expect(Date.now() - start).toBeLessThan(5000);
    expect(health.status).toBe(503);
    expect(health.body).toMatchObject({
      status: "unhealthy",
      database: { status: "unhealthy", kind: "postgres" },
      error: { code: "service_unavailable" },
    });
    expectUnavailable(ready);
    expect([live.status, live.body]).toEqual([200, { status: "ok" }]);
    proxy.set("forward");
    await expectRecovery();
    expect((await get("/health")).body).toMatchObject({ status: "healthy" });
  });

  test("search, insertion and listing answer 503 while it refuses connections, and then work again", async () => {
    proxy.set("refuse");
    const replies = [await search(), await insert("while away"), await get("/v1/vector_stores")];
    for (const reply of replies) expectUnavailable(reply);
    proxy.set("forward");
    await expectRecovery();
    expect(await stored("while away")).toBe(0);
  });

  test("a connection that breaks in a transaction: 503, nothing half stored", async () => {
    const reply = await insertStuckInTransaction("cut off", () => {
      proxy.cut();
    });
    expectUnavailable(reply);
    await expectRecovery();
    expect(await stored("cut off")).toBe(0);
  });

  test("a backend that an administrator ends in a transaction: 503, nothing half stored", async () => {
    const reply = await insertStuckInTransaction("terminated", () =>
      beside.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vector-store' AND datname = current_database()",
      ),
    );
    expectUnavailable(reply);
    await expectRecovery();
    expect(await stored("terminated")).toBe(0);
  });

  test("a statement that takes too long: 503 after DATABASE_STATEMENT_TIMEOUT_SECONDS, nothing half stored", async () => {
    expectUnavailable(await insertStuckInTransaction("too slow", () => undefined));
    await expectRecovery();
    expect(await stored("too slow")).toBe(0);
  });

  test("a black hole: all requests, more than the pool has connections, end with 503 in time", async () => {
    await Promise.all(Array.from({ length: 8 }, search));
    proxy.set("blackHole");
    const start = Date.now();
    const replies = await Promise.all([...Array.from({ length: 8 }, search), insert("black hole")]);
    // One second for a connection, one for the statement, and the five that the service waits longer; never twice that.
    expect(Date.now() - start).toBeLessThan(11_000);
    for (const reply of replies) expectUnavailable(reply);
    proxy.set("forward");
    await expectRecovery();
    expect(await stored("black hole")).toBe(0);
  });

  test("a black hole in the middle of a transaction: 503, nothing half stored", async () => {
    const start = Date.now();
    const reply = await insertStuckInTransaction("half way", () => {
      proxy.set("blackHole");
    });
    expect(Date.now() - start).toBeLessThan(11_000);
    expectUnavailable(reply);
    proxy.set("forward");
    await expectRecovery();
    expect(await stored("half way")).toBe(0);
  });
});
