import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createLitellm } from "../../src/litellm/litellm.js";
import { type TestService, startService } from "../support/service.js";
import { send } from "./requests.js";
import { withDeps } from "./withDeps.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const ask = (path: string) => send(service.url, { path, method: "GET", key: null });

describe("health", () => {
  test("with its database, all is well", async () => {
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
    });
    expect((await ask("/readyz")).text).toBe('{"status":"ok"}');
  });

  test("when the database is away, /health and /readyz are 503 and say no more than that; /livez stays 200", async () => {
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

  test("a proxy is named as such, never by its address", async () => {
    const embedding = {
      ...service.config.embedding,
      baseUrl: "http://proxy.internal:4000",
      model: "m",
      apiKey: "sk-proxy",
    };
    const litellm = createLitellm(embedding, service.deps.log);
    const answer = await withDeps(service, { litellm }, (url) =>
      send(url, { path: "/health", method: "GET", key: null }),
    );
    expect(JSON.parse(answer.text)).toMatchObject({ embedding: { model: "m", provider: "litellm", semantic: true } });
    expect(answer.text).not.toMatch(/proxy\.internal|sk-proxy|note/);
  });
});
