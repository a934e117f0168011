import { Gauge, Registry } from "prom-client";
import { type QueueState, readQueue } from "../../db/tables/ingestQueue.js";
import { version } from "../../process/version.js";
import type { Deps } from "../deps.js";
import { limitMs, withinLimit } from "./health.js";
import { countStores } from "../../db/tables/storeList.js";
import type { IndexSummary } from "../../words/indexing.js";

/** All metrics in Prometheus' text format. Those read from the database are absent if it does not answer in time. */
export async function renderMetrics(deps: Deps): Promise<{ contentType: string; text: string }> {
  const { registry, breakerOpen } = deps.metrics;
  breakerOpen.set(deps.litellm.state().breaker === "open" ? 1 : 0);
  // The database first: reading it takes a connection, and the connection metrics should show the state afterwards.
  const read = await readDatabase(deps);
  return { contentType: registry.contentType, text: await Registry.merge([registry, read]).metrics() };
}

/** A new registry for every scrape, so that no number of an earlier scrape remains. */
async function readDatabase(deps: Deps): Promise<Registry> {
  const registry = new Registry();
  new Gauge({
    name: "vector_store_info",
    help: "Always 1; the labels tell the version and the kind of database",
    labelNames: ["version", "database"],
    registers: [registry],
  }).set({ version, database: deps.db.kind }, 1);
  const deadline = performance.now() + limitMs;
  const reading = Promise.all([deps.engine.summary({ deadline }), countStores(deps.db), readQueue(deps.db)]);
  // All connections may be busy although the database works.
  const [answers, read] = await Promise.all([
    deps.db.ping(limitMs).then(
      () => true,
      () => false,
    ),
    withinLimit(reading).catch(() => null),
  ]);
  const up = { name: "vector_store_database_up", help: "1 when the database answered during this scrape" };
  new Gauge({ ...up, registers: [registry] }).set(answers ? 1 : 0);
  if (read !== null) {
    const [indexes, totals, queue] = read;
    setStores(registry, indexes, totals);
    setQueue(registry, queue);
  }
  return registry;
}

function setStores(registry: Registry, indexing: IndexSummary, totals: { chunks: number; contentBytes: number }): void {
  const registers = [registry];
  const stores = new Gauge({
    name: "vector_store_stores",
    help: "Vector stores by the state of their index; none: searched exactly, row by row",
    labelNames: ["index_state"],
    registers,
  });
  for (const [state, count] of Object.entries(indexing.stores)) stores.set({ index_state: state }, count);
  const chunks = { name: "vector_store_chunks", help: "Chunks in all vector stores" };
  new Gauge({ ...chunks, registers }).set(totals.chunks);
  const bytes = { name: "vector_store_content_bytes", help: "Size of all contents in UTF-8" };
  new Gauge({ ...bytes, registers }).set(totals.contentBytes);
  const keywords = { name: "vector_store_keywords_building", help: "Vector stores whose keywords are being built" };
  new Gauge({ ...keywords, registers }).set(indexing.keywordsBuilding);
  const progress = new Gauge({
    name: "vector_store_index_build_progress_ratio",
    help: "Progress of running index builds, 0 to 1; of several in one phase, the least advanced",
    labelNames: ["phase"],
    registers,
  });
  for (const [phase, ratio] of leastFar(indexing.builds)) progress.set({ phase }, ratio);
}

function setQueue(registry: Registry, queue: QueueState): void {
  const registers = [registry];
  const files = new Gauge({
    name: "vector_store_ingest_queue_files",
    help: "Files queued or being ingested; postponed: waiting for another try, for example after a model did not answer",
    labelNames: ["state"],
    registers,
  });
  for (const state of ["waiting", "running", "postponed"] as const) files.set({ state }, queue[state]);
  const oldest = {
    name: "vector_store_ingest_queue_oldest_seconds",
    help: "How long ago the oldest waiting file was attached; 0 if none is waiting",
  };
  new Gauge({ ...oldest, registers }).set(queue.oldestSeconds);
}

function leastFar(builds: IndexSummary["builds"]): Map<string, number> {
  const ratios = new Map<string, number>();
  for (const { phase, done, total } of builds) {
    const ratio = total > 0 ? Math.min(1, done / total) : 0;
    ratios.set(phase, Math.min(ratio, ratios.get(phase) ?? 1));
  }
  return ratios;
}
