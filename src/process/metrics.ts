import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** What a model of the proxy is asked for. */
export type Operation = "embeddings" | "chat" | "rerank" | "vision" | "models";

const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of what waits for models or reads documents. */
const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/**
 * What a process counts while it works; what the database knows is read at each scrape (core/status/metrics.ts). Every label is of a small set
 * that callers cannot enlarge: a route's pattern and no URL, no id or name of a store, no model. A registry of its own, not prom-client's
 * global one: a process may have many apps.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    ...ofRequests(registers),
    ...ofSearches(registers),
    ...ofIngestion(registers),
    ...ofDatabase(registers),
    ...ofProvider(registers),
    ...ofRecall(registers),
  };
}

const ofRequests = (registers: Registry[]) => ({
  httpRequests: new Counter({
    name: "vector_store_http_requests_total",
    help: "Requests that were answered; status 499: the caller left before that",
    labelNames: ["method", "route", "status"] as const,
    registers,
  }),
  httpDuration: new Histogram({
    name: "vector_store_http_request_duration_seconds",
    help: "From a request's headers to the end of its answer",
    labelNames: ["method", "route"] as const,
    buckets: slow,
    registers,
  }),
  httpInFlight: new Gauge({
    name: "vector_store_http_requests_in_flight",
    help: "Requests that are being answered",
    registers,
  }),
});

const ofSearches = (registers: Registry[]) => ({
  searchDuration: new Histogram({
    name: "vector_store_search_duration_seconds",
    help: "Searches from the parsed request to the results, the models' time included",
    labelNames: ["mode"] as const,
    buckets: quick,
    registers,
  }),
  searchPart: new Histogram({
    name: "vector_store_search_part_duration_seconds",
    help: "What a search waited for: the database, models (embedding, reranking, rewording), or this process itself",
    labelNames: ["part"] as const,
    buckets: quick,
    registers,
  }),
  emptySearches: new Counter({
    name: "vector_store_empty_searches_total",
    help: "Searches without any result",
    registers,
  }),
});

const ofIngestion = (registers: Registry[]) => ({
  inserted: new Counter({
    name: "vector_store_embeddings_inserted_total",
    help: "Embeddings that were added, those of files left out",
    registers,
  }),
  duplicates: new Counter({
    name: "vector_store_embeddings_duplicates_total",
    help: "Embeddings that were sent although they were there already",
    registers,
  }),
  ingestedFiles: new Counter({
    name: "vector_store_ingested_files_total",
    help: "Ends of work on a file: its chunks are found, it cannot be used, or it waits for another try",
    labelNames: ["outcome"] as const,
    registers,
  }),
  ingestedChunks: new Counter({
    name: "vector_store_ingested_chunks_total",
    help: "Chunks of files that were stored",
    registers,
  }),
  ingestedBytes: new Counter({
    name: "vector_store_ingested_bytes_total",
    help: "Bytes of files that were ingested to the end",
    registers,
  }),
  ingestDuration: new Histogram({
    name: "vector_store_ingest_duration_seconds",
    help: "Work on one file, however it ended",
    buckets: slow,
    registers,
  }),
});

const ofDatabase = (registers: Registry[]) => ({
  poolWait: new Histogram({
    name: "vector_store_db_pool_wait_seconds",
    help: "Waiting for a database connection",
    buckets: [0.0001, ...quick],
    registers,
  }),
  poolWaiting: new Gauge({
    name: "vector_store_db_pool_waiting",
    help: "Who waits for a database connection now",
    registers,
  }),
  connections: new Gauge({
    name: "vector_store_db_connections",
    help: "Connections to the database that serve requests, by whether one is at work",
    labelNames: ["state"] as const,
    registers,
  }),
});

const ofProvider = (registers: Registry[]) => ({
  providerDuration: new Histogram({
    name: "vector_store_provider_request_duration_seconds",
    help: "Requests to the LiteLLM proxy, each attempt by itself; of a streamed answer until it begins",
    labelNames: ["operation"] as const,
    buckets: slow,
    registers,
  }),
  providerErrors: new Counter({
    name: "vector_store_provider_errors_total",
    help: "Requests to the LiteLLM proxy that failed, each attempt by itself, by the reason",
    labelNames: ["operation", "reason"] as const,
    registers,
  }),
  breakerOpen: new Gauge({
    name: "vector_store_provider_breaker_open",
    help: "1 while the proxy is left alone after five failures of the settings' embedding model in a row",
    registers,
  }),
  queryCache: new Counter({
    name: "vector_store_query_cache_requests_total",
    help: "Embeddings of queries: remembered, joined to a request for the same text, or asked for",
    labelNames: ["result"] as const,
    registers,
  }),
});

const ofRecall = (registers: Registry[]) => ({
  recall: new Gauge({
    name: "vector_store_recall_probe_ratio",
    help: "Share of the exact ten nearest rows that the indexes find, over the probed stores",
    labelNames: ["statistic"] as const,
    registers,
  }),
  recallStores: new Gauge({
    name: "vector_store_recall_probe_stores",
    help: "Indexed stores whose recall has been probed",
    registers,
  }),
  recallAt: new Gauge({
    name: "vector_store_recall_probe_timestamp_seconds",
    help: "When recall was probed last",
    registers,
  }),
});

export type Metrics = ReturnType<typeof createMetrics>;

/** Adds memory, CPU, event loop and garbage collection of the process: at most once in each. */
export function collectProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}
