import { Gauge, Registry } from "prom-client";
import { version } from "../version.js";
import type { Deps } from "./deps.js";
import { withinLimit } from "./health.js";
import { type IndexingSummary, summarize } from "./indexState.js";

export interface Metrics {
  /** What this process counts while it works goes here. Of its own, not prom-client's global one: a process may have many apps. */
  registry: Registry;
  contentType: string;
  /** All metrics in Prometheus' text format; those of the database are read now, and absent while it does not answer. */
  render(): Promise<string>;
}

export function createMetrics(deps: Deps): Metrics {
  const registry = new Registry();
  new Gauge({
    name: "vector_store_info",
    help: "Always 1; the labels tell the version and the kind of database",
    labelNames: ["version", "database"],
    registers: [registry],
  }).set({ version, database: deps.db.kind }, 1);
  return {
    registry,
    contentType: registry.contentType,
    render: async () => Registry.merge([registry, await readDatabase(deps)]).metrics(),
  };
}

/** Made anew for every scrape, so that no number of an earlier one is left standing. */
async function readDatabase(deps: Deps): Promise<Registry> {
  const registry = new Registry();
  const read = await withinLimit(summarize(deps)).catch(() => null);
  const up = { name: "vector_store_database_up", help: "1 when the database answered this scrape" };
  new Gauge({ ...up, registers: [registry] }).set(read === null ? 0 : 1);
  if (read !== null) setStores(registry, read);
  return registry;
}

function setStores(registry: Registry, indexing: IndexingSummary): void {
  const registers = [registry];
  const stores = new Gauge({
    name: "vector_store_stores",
    help: "Vector stores by the state of their index; none: searched exactly, row by row",
    labelNames: ["index_state"],
    registers,
  });
  for (const [state, count] of Object.entries(indexing.stores)) stores.set({ index_state: state }, count);
  const chunks = { name: "vector_store_chunks", help: "Chunks in all vector stores" };
  new Gauge({ ...chunks, registers }).set(indexing.chunks);
  const bytes = { name: "vector_store_content_bytes", help: "Size of all contents in UTF-8" };
  new Gauge({ ...bytes, registers }).set(indexing.contentBytes);
  const keywords = { name: "vector_store_keywords_building", help: "Vector stores whose keywords are being made" };
  new Gauge({ ...keywords, registers }).set(indexing.keywordsBuilding);
  const progress = new Gauge({
    name: "vector_store_index_build_progress_ratio",
    help: "Progress of the index builds under way, 0 to 1; of several in one phase the one that is least far",
    labelNames: ["phase"],
    registers,
  });
  for (const [phase, ratio] of leastFar(indexing.builds)) progress.set({ phase }, ratio);
}

function leastFar(builds: IndexingSummary["builds"]): Map<string, number> {
  const ratios = new Map<string, number>();
  for (const { phase, done, total } of builds) {
    const ratio = total > 0 ? Math.min(1, done / total) : 0;
    ratios.set(phase, Math.min(ratio, ratios.get(phase) ?? 1));
  }
  return ratios;
}
