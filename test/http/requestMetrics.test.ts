import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { renderMetrics } from "../../src/core/status/metrics.js";
import { createLitellm } from "../../src/litellm/litellm.js";
import { createMetrics } from "../../src/process/metrics.js";
import { withResolvers } from "../../src/process/withResolvers.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore } from "../support/stores.js";
import { send } from "./requests.js";

let service: TestService;
let proxy: FakeProxy;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: proxy.environment });
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

type Samples = Record<string, number>;

async function samples(): Promise<Samples> {
  const { text } = await renderMetrics(service.deps);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

/** The samples that `work` changed, without histogram buckets and sums of times. */
async function changes(work: () => Promise<unknown>): Promise<Samples> {
  const before = await samples();
  await work();
  const after = await samples();
  return Object.fromEntries(
    Object.entries(after)
      .filter(([name, value]) => value !== (before[name] ?? 0) && !/_bucket|_sum|_pool_|_connections/.test(name))
      .map(([name, value]) => [name, value - (before[name] ?? 0)]),
  );
}

const http = "vector_store_http_requests_total";

describe("metrics of requests", () => {
  test("count a request under its route's pattern, method and status", async () => {
    const id = await createStore(service);
    const found = await changes(() => service.get(`/v1/vector_stores/${id}`).expect(200));
    expect(found).toMatchObject({
      [`${http}{method="GET",route="/vector_stores/:vector_store_id",status="200"}`]: 1,
      'vector_store_http_request_duration_seconds_count{method="GET",route="/vector_stores/:vector_store_id"}': 1,
    });
    expect((await samples()).vector_store_http_requests_in_flight).toBe(0);
  });

  test("contain no labels from callers: unknown URLs and methods share one, without ids, keys or queries", async () => {
    const word = "MARKER";
    await changes(async () => {
      for (const path of [`/v1/${word}`, `/${word}/vector_stores`, `/v1/vector_stores/${word}?filters=${word}`]) {
        await service.get(path);
        await send(service.url, { path, method: "PROPFIND", key: word });
      }
    });
    const { text } = await renderMetrics(service.deps);
    expect(text).not.toContain(word);
    expect(text).toContain('route="unknown",status="404"');
  });

  test("have status 499 if the caller disconnected before the answer", async () => {
    const store = await createStore(service);
    const { promise: reached, resolve: reach } = withResolvers<undefined>();
    proxy.answers.embeddings = () => {
      reach(undefined);
      return new Promise(() => undefined);
    };
    const leaving = new AbortController();
    const pending = fetch(`${service.url}/v1/vector_stores/${store}/search`, {
      method: "POST",
      headers: { authorization: `Bearer ${service.config.keys.server ?? ""}`, "content-type": "application/json" },
      body: JSON.stringify({ query: "left alone" }),
      signal: leaving.signal,
    }).catch(() => null);
    await reached;
    leaving.abort();
    await pending;
    const name = `${http}{method="POST",route="/vector_stores/:vector_store_id/search",status="499"}`;
    while ((await samples())[name] !== 1) await new Promise((resolve) => setImmediate(resolve));
    proxy.reset();
  });

  test("count insertions, searches and model calls", async () => {
    const store = await createStore(service);
    const rows = [
      { id: "a", content: "kettle" },
      { id: "b", content: "pump" },
    ];
    const inserted = await changes(() => service.post(batchPath(store), { embeddings: rows }).expect(200));
    expect(inserted).toMatchObject({
      vector_store_embeddings_inserted_total: 2,
      'vector_store_provider_request_duration_seconds_count{operation="embeddings"}': 1,
    });
    const again = await changes(() => service.post(batchPath(store), { embeddings: rows }).expect(200));
    expect(again).toMatchObject({ vector_store_embeddings_duplicates_total: 2 });
    expect(again).not.toHaveProperty("vector_store_embeddings_inserted_total");

    const search = (query: string) => service.post(`/v1/vector_stores/${store}/search`, { query }).expect(200);
    expect(await changes(() => search("a kettle"))).toMatchObject({
      'vector_store_search_duration_seconds_count{mode="vector"}': 1,
      'vector_store_search_part_duration_seconds_count{part="database"}': 1,
      'vector_store_search_part_duration_seconds_count{part="model"}': 1,
      'vector_store_search_part_duration_seconds_count{part="own"}': 1,
      'vector_store_query_cache_requests_total{result="miss"}': 1,
    });
    expect(await changes(() => search("a kettle"))).toMatchObject({
      'vector_store_query_cache_requests_total{result="hit"}': 1,
    });
    const empty = await createStore(service);
    const nothing = await changes(() =>
      service.post(`/v1/vector_stores/${empty}/search`, { query: "a kettle" }).expect(200),
    );
    expect(nothing).toMatchObject({ vector_store_empty_searches_total: 1 });
  });

  test("count the model's failures by reason", async () => {
    const store = await createStore(service);
    const statuses = { 429: "rate_limited", 400: "refused", 500: "server_error" };
    for (const [status, reason] of Object.entries(statuses)) {
      proxy.answers.embeddings = () => ({ status: Number(status), json: { error: { message: "no" } } });
      const found = await changes(() => service.post(`/v1/vector_stores/${store}/search`, { query: `to ${status}` }));
      expect(Object.keys(found)).toContain(
        `vector_store_provider_errors_total{operation="embeddings",reason="${reason}"}`,
      );
    }
    proxy.reset();
  });

  test("show the embedding model's breaker", async () => {
    const metrics = createMetrics();
    const deps = {
      ...service.deps,
      metrics,
      litellm: createLitellm(service.config.embedding, service.deps.log, metrics),
    };
    deps.litellm = { ...deps.litellm, state: () => ({ configured: true, breaker: "open" }) };
    expect((await renderMetrics(deps)).text).toContain("vector_store_provider_breaker_open 1");
  });

  test("count every wait for a connection, and in the end none is held", async () => {
    const before = (await samples()).vector_store_db_pool_wait_seconds_count ?? 0;
    await service.get("/v1/vector_stores").expect(200);
    const after = await samples();
    expect(after.vector_store_db_pool_wait_seconds_count).toBeGreaterThan(before);
    expect(after).toMatchObject({ vector_store_db_pool_waiting: 0, 'vector_store_db_connections{state="busy"}': 0 });
    expect(after['vector_store_db_connections{state="idle"}']).toBeGreaterThan(0);
  });
});
