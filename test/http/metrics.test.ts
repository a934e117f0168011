import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { renderMetrics } from "../../src/core/status/metrics.js";
import { version } from "../../src/process/version.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, createStore, rowsOf } from "../support/stores.js";
import { withBuilds } from "./playedBuilds.js";
import { send } from "./requests.js";

let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: { INDEX_MIN_ROWS: "30" } });
});
beforeEach(() => service.database.exec("DELETE FROM embeddings; DELETE FROM vector_stores"));
afterAll(() => service.close());

const scrape = (url = service.url) => send(url, { path: "/metrics", method: "GET", key: null });

/** Samples by name with labels; every other line must be HELP or TYPE. */
async function samples(text?: string): Promise<Record<string, number>> {
  const lines = (text ?? (await scrape()).text)
    .split("\n")
    .filter((line) => line !== "" && !/^# (HELP|TYPE) /.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      if (name === undefined || !Number.isFinite(Number(value))) throw new Error(`no sample: ${line}`);
      return [name, Number(value)];
    }),
  );
}

/** Metrics read from the database; the process counts the rest. */
const stored = (all: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(all).filter(([name]) =>
      /^vector_store_(info|database|stores|chunks|content|keywords|index|ingest_queue)/.test(name),
    ),
  );
const emptyQueue = {
  'vector_store_ingest_queue_files{state="waiting"}': 0,
  'vector_store_ingest_queue_files{state="running"}': 0,
  'vector_store_ingest_queue_files{state="postponed"}': 0,
  vector_store_ingest_queue_oldest_seconds: 0,
};
const ready = (states: Record<string, number>) =>
  Object.fromEntries(
    ["none", "waiting", "building", "ready"].map((state) => [
      `vector_store_stores{index_state="${state}"}`,
      states[state] ?? 0,
    ]),
  );
const info = () => `vector_store_info{version="${version}",database="${service.db.kind}"}`;

describe("/metrics", () => {
  test("is in Prometheus' text format, public, at one address", async () => {
    const answer = await scrape();
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    for (const sample of Object.keys(await samples(answer.text))) {
      const name = sample.replace(/\{.*/, "").replace(/_seconds_(bucket|sum|count)$/, "_seconds");
      const type = name.endsWith("_total") ? "counter" : "(gauge|histogram)";
      expect(answer.text).toMatch(new RegExp(`^# HELP ${name} \\S.*\n# TYPE ${name} ${type}\n`, "m"));
    }
    const refused = await send(service.url, { path: "/metrics", method: "POST", key: null });
    expect({ status: refused.status, allow: refused.headers.allow }).toEqual({
      status: 405,
      allow: "GET, HEAD, OPTIONS",
    });
  });

  test("counts the data stored at the moment of the scrape", async () => {
    expect(stored(await samples())).toEqual({
      ...emptyQueue,
      [info()]: 1,
      vector_store_database_up: 1,
      ...ready({}),
      vector_store_chunks: 0,
      vector_store_content_bytes: 0,
      vector_store_keywords_building: 0,
    });
    const small = await createStore(service);
    await service.post(batchPath(small), { embeddings: [{ content: "äö" }, { content: "x" }] }).expect(200);
    expect(await samples()).toMatchObject({
      ...ready({ none: 1 }),
      vector_store_chunks: 2,
      vector_store_content_bytes: 5,
    });
  });

  test("counts stores by the state of their index, until it is ready", async () => {
    await createStore(service, { name: "empty" });
    const large = await createStore(service);
    await service.post(batchPath(large), { embeddings: rowsOf(30), return: "count" }).expect(200);
    expect(await samples()).toMatchObject(ready({ none: 1, waiting: 1 }));
    await service.database.exec("UPDATE vector_stores SET keywords_language = 'simple' WHERE name = 'empty'");
    expect(await samples()).toMatchObject({ ...ready({ none: 1, waiting: 1 }), vector_store_keywords_building: 1 });
    await service.deps.engine.upkeep(() => Promise.resolve(true));
    expect(await samples()).toMatchObject({ ...ready({ none: 1, ready: 1 }), vector_store_keywords_building: 0 });
  });

  test("shows the progress of builds only while one is running", async () => {
    const progress = async (builds: Parameters<typeof withBuilds>[1]) => {
      const all = await samples((await renderMetrics(withBuilds(service.deps, builds))).text);
      return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("vector_store_index_build")));
    };
    expect(await progress([])).toEqual({});
    const builds = [
      { phase: "building index", done: 30, total: 40 },
      { phase: "building index", done: 10, total: 40 },
      { phase: "initializing", done: 0, total: 0 },
    ];
    const name = "vector_store_index_build_progress_ratio";
    expect(await progress(builds)).toEqual({
      [`${name}{phase="building index"}`]: 0.25,
      [`${name}{phase="initializing"}`]: 0,
    });
  });

  test("without the database, still answers, without the database's numbers", async () => {
    const away = await startService({ database: service.database });
    await away.db.close();
    const answer = await scrape(away.url);
    away.server.closeAllConnections();
    away.server.close();
    expect(answer.status).toBe(200);
    expect(stored(await samples(answer.text))).toEqual({ [info()]: 1, vector_store_database_up: 0 });
  });
});
