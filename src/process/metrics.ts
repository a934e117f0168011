import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** The kinds of requests to the proxy. */
export type Operation = "embeddings" | "chat" | "rerank" | "vision" | "models";

const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Buckets for work that waits for models or reads documents. */
const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/**
 * The metrics that a process counts itself; those in the database are read at each scrape (core/status/metrics.ts).
 * Every label has a small set of values that callers cannot enlarge: a route's pattern but no URL, no id or name of a
 * store, no model. Uses a new registry, not prom-client's global one, because a process may have many apps.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    ...ofRequests(registers),
    ...ofKeys(registers),
    ...ofUsage(registers),
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
    help: "Answered requests; status 499: the caller disconnected first",
    labelNames: ["method", "route", "status"] as const,
    registers,
  }),
  httpDuration: new Histogram({
    name: "vector_store_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer",
    labelNames: ["method", "route"] as const,
    buckets: slow,
    registers,
  }),
  httpInFlight: new Gauge({
    name: "vector_store_http_requests_in_flight",
    help: "Requests being answered",
    registers,
  }),
  unknownFields: new Counter({
    name: "vector_store_unknown_fields_total",
    help: "Fields of requests that the service does not know, by the known field that is nearest, else 'other'",
    labelNames: ["route", "field", "action"] as const,
    registers,
  }),
});

const ofKeys = (registers: Registry[]) => ({
  keyLookups: new Counter({
    name: "vector_store_key_lookups_total",
    help: "Questions to LiteLLM about keys, their teams and users, by the HTTP status of its answer",
    labelNames: ["status"] as const,
    registers,
  }),
});

const ofUsage = (registers: Registry[]) => ({
  usageLost: new Counter({
    name: "vector_store_usage_events_lost_total",
    help: "Uses that could not be recorded: the database refused the event, or was away for too long",
    labelNames: ["reason"] as const,
    registers,
  }),
});

const ofSearches = (registers: Registry[]) => ({
  searchDuration: new Histogram({
    name: "vector_store_search_duration_seconds",
    help: "Time from the parsed search request to its results, including model calls",
    labelNames: ["mode"] as const,
    buckets: quick,
    registers,
  }),
  searchPart: new Histogram({
    name: "vector_store_search_part_duration_seconds",
    help: "Time a search spent in the database, in models (embedding, reranking, rewriting), or in this process itself",
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
    help: "Embeddings added, except those of files",
    registers,
  }),
  replaced: new Counter({
    name: "vector_store_embeddings_replaced_total",
    help: "Embeddings that took the place of a stored one",
    registers,
  }),
  duplicates: new Counter({
    name: "vector_store_embeddings_duplicates_total",
    help: "Embeddings sent that were already stored",
    registers,
  }),
  ingestedFiles: new Counter({
    name: "vector_store_ingested_files_total",
    help: "Files by how work on them ended; postponed: they wait for another try",
    labelNames: ["outcome"] as const,
    registers,
  }),
  ingestedChunks: new Counter({
    name: "vector_store_ingested_chunks_total",
    help: "Chunks stored for files",
    registers,
  }),
  ingestedBytes: new Counter({
    name: "vector_store_ingested_bytes_total",
    help: "Bytes of completely ingested files",
    registers,
  }),
  ingestDuration: new Histogram({
    name: "vector_store_ingest_duration_seconds",
    help: "Time of work on one file, however it ended",
    buckets: slow,
    registers,
  }),
});

const ofDatabase = (registers: Registry[]) => ({
  poolWait: new Histogram({
    name: "vector_store_db_pool_wait_seconds",
    help: "Time spent waiting for a database connection",
    buckets: [0.0001, ...quick],
    registers,
  }),
  poolWaiting: new Gauge({
    name: "vector_store_db_pool_waiting",
    help: "How many callers wait for a database connection now",
    registers,
  }),
  poolExhausted: new Counter({
    name: "vector_store_db_pool_exhausted_total",
    help: "Callers that got no database connection within DATABASE_POOL_TIMEOUT_SECONDS",
    registers,
  }),
  connections: new Gauge({
    name: "vector_store_db_connections",
    help: "Database connections that serve requests, by state",
    labelNames: ["state"] as const,
    registers,
  }),
});

const ofProvider = (registers: Registry[]) => ({
  providerDuration: new Histogram({
    name: "vector_store_provider_request_duration_seconds",
    help: "Time of requests to the LiteLLM proxy, per attempt; for a streamed answer, until it begins",
    labelNames: ["operation"] as const,
    buckets: slow,
    registers,
  }),
  providerErrors: new Counter({
    name: "vector_store_provider_errors_total",
    help: "Failed requests to the LiteLLM proxy, per attempt, by reason",
    labelNames: ["operation", "reason"] as const,
    registers,
  }),
  breakerOpen: new Gauge({
    name: "vector_store_provider_breaker_open",
    help: "1 while requests pause after five consecutive failures of the settings' embedding model",
    registers,
  }),
  queryCache: new Counter({
    name: "vector_store_query_cache_requests_total",
    help: "Query embeddings: cached (hit), joined to a pending request for the same text (joined), or requested (miss)",
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

/** Adds memory, CPU, event loop and garbage collection of the process. Call at most once per process. */
export function collectProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}
