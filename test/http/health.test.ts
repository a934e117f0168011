import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { createLitellm } from "../../src/litellm/litellm.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore, rowsOf } from "../support/stores.js";
import { withBuilds } from "./playedBuilds.js";
import { send } from "./requests.js";
import { withDeps } from "./withDeps.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const ask = (path: string) => send(service.url, { path, method: "GET", key: null });

describe("health", () => {
  test("with its database, the service is healthy", async () => {
    const answer = await ask("/health");
    expect(JSON.parse(answer.text)).toEqual({
      status: "healthy",
      timestamp: expect.any(Number),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      database: {
        status: "healthy",
        kind: service.database.kind,
        version: expect.stringMatching(/^\d+/),
        pgvector: expect.stringMatching(/^0\.\d+/),
      },
      embedding: {
        model: "built-in-hashing",
        dimensions: 8,
        provider: "built-in",
        semantic: false,
        circuit: "closed",
        note: expect.stringContaining("LITELLM_PROXY_URL"),
      },
      indexing: { stores: { none: 0, waiting: 0, building: 0, ready: 0 }, keywords_building: 0, builds: [] },
    });
    expect((await ask("/readyz")).text).toBe('{"status":"ok"}');
  });

  test("while the service is stopping, /readyz is 503; /livez and /health are unchanged", async () => {
    await withDeps(service, { stopping: AbortSignal.abort() }, async (url) => {
      const answers = await Promise.all(
        ["/readyz", "/livez", "/health"].map((path) => send(url, { path, method: "GET", key: null })),
      );
      expect(answers.map(({ status }) => status)).toEqual([503, 200, 200]);
      expect(JSON.parse(answers[0]?.text ?? "")).toMatchObject({ error: { message: "The service is stopping." } });
    });
  });

  test("while every connection is taken, the service is ready as long as the database answers", async () => {
    let asked = 0;
    let answered = false;
    const working = Array.from({ length: service.config.database.poolSize }, () =>
      service.db.transaction(async ({ run }) => {
        while (!answered) {
          await sql`SELECT 1`.execute(run);
          asked += 1;
          await new Promise(setImmediate);
        }
      }),
    );
    const [ready, health, metrics] = await Promise.all(["/readyz", "/health", "/metrics"].map(ask)).finally(() => {
      answered = true;
    });
    await Promise.all(working);
    expect(asked).toBeGreaterThan(0);
    expect([ready?.status, health?.status]).toEqual([200, 200]);
    expect(JSON.parse(health?.text ?? "")).toMatchObject({ database: { status: "healthy" } });
    expect(metrics?.text).toContain("vector_store_database_up 1");
  });

  test("without the database, /health and /readyz are 503 without details; /livez stays 200", async () => {
    const away = await startService({ database: service.database });
    expect((await send(away.url, { path: "/health", method: "GET", key: null })).status).toBe(200);
    await away.db.close();
    const [health, ready, live] = await Promise.all(
      ["/health", "/readyz", "/livez"].map((path) => send(away.url, { path, method: "GET", key: null })),
    );
    away.server.closeAllConnections();
    away.server.close();
    expect(health?.status).toBe(503);
    expect(JSON.parse(health?.text ?? "")).toMatchObject({
      status: "unhealthy",
      timestamp: expect.any(Number),
      database: { status: "unhealthy", version: null, pgvector: null },
      embedding: { dimensions: 8 },
      indexing: null,
      error: {
        message: "The database does not answer.",
        type: "server_error",
        param: null,
        code: "service_unavailable",
      },
    });
    expect({ status: ready?.status, retryAfter: ready?.headers["retry-after"] }).toEqual({
      status: 503,
      retryAfter: "2",
    });
    expect(JSON.parse(ready?.text ?? "")).toEqual({
      error: {
        message: "The database does not answer.",
        type: "server_error",
        param: null,
        code: "service_unavailable",
      },
    });
    expect(live).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  });

  test("shows the state of the stores' indexes", async () => {
    const indexing = async () => (JSON.parse((await ask("/health")).text) as { indexing: object }).indexing;
    await createStore(service);
    const filled = await createStore(service, { search_mode: "hybrid" });
    await service.post(batchPath(filled), { embeddings: rowsOf(10), return: "count" }).expect(200);
    expect(await indexing()).toMatchObject({ stores: { none: 2, waiting: 0, building: 0, ready: 0 } });
    await service.post(`/v1/vector_stores/${filled}/reindex`).expect(200);
    await service.database.exec("UPDATE vector_stores SET keywords_complete = false WHERE chunk_count > 0");
    expect(await indexing()).toEqual({
      stores: { none: 1, waiting: 1, building: 0, ready: 0 },
      keywords_building: 1,
      builds: [],
    });
    await service.deps.engine.upkeep(() => Promise.resolve(true));
    expect(await indexing()).toEqual({
      stores: { none: 1, waiting: 0, building: 0, ready: 1 },
      keywords_building: 0,
      builds: [],
    });
  });

  test("running index builds, with their progress if the total is known", async () => {
    const { db } = withBuilds(service.deps, [
      { phase: "building index", done: 1, total: 3 },
      { phase: "initializing", done: 0, total: 0 },
    ]);
    const answer = await withDeps(service, { db }, (url) => send(url, { path: "/health", method: "GET", key: null }));
    expect(JSON.parse(answer.text)).toMatchObject({
      indexing: {
        builds: [
          { phase: "building index", done: 1, total: 3, percent: 33.3 },
          { phase: "initializing", done: 0, total: 0, percent: null },
        ],
      },
    });
  });

  test("if index states are unavailable, the service stays healthy", async () => {
    const { layout } = service.db;
    const vectorStores = { ...layout.vectorStores, table: sql`no_such_table` };
    const db = { ...service.db, layout: { ...layout, vectorStores } };
    const answer = await withDeps(service, { db }, (url) => send(url, { path: "/health", method: "GET", key: null }));
    expect({ status: answer.status, body: JSON.parse(answer.text) as unknown }).toMatchObject({
      status: 200,
      body: { status: "healthy", indexing: null },
    });
  });

  test("a proxy is mentioned without its address", async () => {
    const embedding = {
      ...service.config.embedding,
      baseUrl: "http://proxy.internal:4000",
      model: "m",
      apiKey: "sk-proxy",
    };
    const litellm = createLitellm(embedding, service.deps.log, service.deps.metrics);
    const answer = await withDeps(service, { litellm }, (url) =>
      send(url, { path: "/health", method: "GET", key: null }),
    );
    expect(JSON.parse(answer.text)).toMatchObject({ embedding: { model: "m", provider: "litellm", semantic: true } });
    expect(answer.text).not.toMatch(/proxy\.internal|sk-proxy|note/);
  });
});
