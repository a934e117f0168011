import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { type HalfOpenProxy, startHalfOpenProxy } from "../support/halfOpenProxy.js";
import { call, createStore, until } from "../support/httpClient.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { type Program, type ServerProcess, compileProgram } from "../support/serverProcess.js";

/** The embedded database has no lock that another process could hold, and no network. */
const onServer = process.env.TEST_DATABASE_URL ? describe : describe.skip;
const pooled = (process.env.TEST_DATABASE_URL ?? "").includes("pgbouncer=true");

onServer("a PostgreSQL that is busy, or whose connections are half open", () => {
  let program: Program;
  let data: ServerData;
  let proxy: HalfOpenProxy;
  let server: ServerProcess & { url: string };
  let store: string;
  let beside: pg.Client;

  beforeAll(async () => {
    program = await compileProgram();
  });
  beforeEach(async () => {
    data = await createServerData();
    proxy = await startHalfOpenProxy(data.environment.DATABASE_URL ?? "");
    // The statement's own time limit of 60 s is the default.
    server = await program.start({
      DATABASE_URL: proxy.url,
      DATABASE_POOL_SIZE: "2",
      DATABASE_POOL_TIMEOUT_SECONDS: "1",
    });
    store = await createStore(server.url);
    beside = new pg.Client({ connectionString: data.direct ?? "" });
    await beside.connect();
  });
  afterEach(async () => {
    server.child.kill("SIGKILL");
    await server.exited;
    await proxy.close();
    await beside.end();
    await data.remove();
  });
  afterAll(() => program.remove());

  const search = () => call(server.url, "POST", `/v1/vector_stores/${store}/search`, { query: "text" });
  const get = (path: string) => call(server.url, "GET", path);
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text();

  /** Two searches that hold both connections and wait for a locked table. */
  async function blockedSearches(): Promise<ReturnType<typeof search>[]> {
    await beside.query("BEGIN; LOCK TABLE vector_stores IN ACCESS EXCLUSIVE MODE");
    const blocked = [search(), search()];
    for (const each of blocked) each.catch(() => undefined);
    await until("both searches to wait for the lock", async () => {
      const { rows } = await beside.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      );
      return rows.length >= 2 ? true : null;
    });
    return blocked;
  }

  test("while all connections are busy it is ready, and those that wait in vain are told so", async () => {
    const blocked = await blockedSearches();
    const refused = await search();
    expect(refused.status).toBe(503);
    expect(refused.body).toEqual({
      error: {
        message:
          "All 2 database connections of this server are busy, and none became free within 1 s. Try again shortly.",
        type: "server_error",
        param: null,
        code: "pool_exhausted",
      },
    });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    for (let i = 0; i < 5; i += 1) expect((await get("/readyz")).status).toBe(200);
    expect((await get("/health")).body).toMatchObject({
      status: "healthy",
      database: { status: "healthy", version: expect.stringMatching(/^\d+/) },
    });
    const text = await metrics();
    expect(text).toContain("vector_store_database_up 1");
    expect(Number(/^vector_store_db_pool_exhausted_total (\d+)/m.exec(text)?.[1])).toBeGreaterThan(0);
    await beside.query("COMMIT");
    expect((await Promise.all(blocked)).map(({ status }) => status)).toEqual([200, 200]);
  });

  /** A pooler's process numbers mean nothing, so it takes as long as PgBouncer takes to notice. */
  (pooled ? test.skip : test)("half-open connections are noticed within 15 s while new ones work", async () => {
    const blocked = await blockedSearches();
    const start = Date.now();
    proxy.freeze();
    await beside.query("COMMIT");
    const replies = await Promise.all(blocked);
    // 14 s on an idle machine; without the watch it is the statement's limit of 65 s.
    expect(Date.now() - start).toBeLessThan(30_000);
    for (const { status, body } of replies) {
      expect(status).toBe(503);
      expect(body).toMatchObject({ error: { code: "service_unavailable" } });
    }
    await until("the service to work again", async () => ((await search()).status === 200 ? true : null));
    expect((await get("/readyz")).status).toBe(200);
    expect(server.stdout()).toContain("a database connection gave no sign of life and was closed");
  });

  test("a database that has vanished is noticed within 15 s, and /readyz says so at once", async () => {
    const blocked = await blockedSearches();
    const start = Date.now();
    proxy.set("blackHole");
    expect((await get("/readyz")).status).toBe(503);
    const replies = await Promise.all(blocked);
    expect(Date.now() - start).toBeLessThan(30_000);
    for (const { status, body } of replies) {
      expect(status).toBe(503);
      expect(body).toMatchObject({ error: { code: "service_unavailable" } });
    }
    await beside.query("COMMIT");
    proxy.set("forward");
    await until("the service to work again", async () => ((await search()).status === 200 ? true : null));
  });
});
