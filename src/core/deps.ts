import type { LRUCache } from "lru-cache";
import type { Config } from "../process/config.js";
import type { Database } from "../db/connection/database.js";
import type { VectorStore } from "../db/tables/stores.js";
import type { Range } from "../engines/pgvector/filterSql.js";
import type { Litellm } from "../litellm/contract.js";
import type { Log } from "../process/log.js";
import type { Metrics } from "../process/metrics.js";
import type { DocumentReader } from "../reading/documentReader.js";
import type { Storage } from "../storage/storage.js";

export interface RecentStore {
  store: VectorStore;
  /** In whose scope it was found. */
  scope: string;
  /** Unix milliseconds. */
  at: number;
}

/** What a use case needs, wired once in main.ts. */
export interface Deps {
  config: Config;
  db: Database;
  litellm: Litellm;
  /** Where the bytes of files are. */
  storage: Storage;
  documents: DocumentReader;
  log: Log;
  metrics: Metrics;
  /** Aborted from the moment on that the process is told to stop: it answers still, but is not ready for more. */
  stopping: AbortSignal;
  /** Unix milliseconds; tests bring their own clock. */
  now: () => number;
  /** Stores used a moment ago, by id: that a store is used is recorded once a second, and searches of the same second know it already. */
  recentStores: LRUCache<string, RecentStore>;
  /** Filters that let many rows through, by store; see engines/pgvector/search.ts. */
  wideFilters: LRUCache<string, true>;
  /** Keys of metadata that filters of indexed stores compare; `settled` when the index for it was seen to. */
  ranges: LRUCache<string, { range: Range; settled: boolean }>;
  /** Lets the maintenance of indexes begin its next round at once. */
  wakeIndexing: () => void;
  /** Lets the ingestion of files look into its queue at once. */
  wakeIngestion: () => void;
}
