import type { LRUCache } from "lru-cache";
import type { Database } from "../../db/database.js";
import type { Config } from "../../process/config.js";
import type { Log } from "../../process/log.js";
import type { Metrics } from "../../process/metrics.js";
import type { Range } from "../../db/filterSql.js";

/** What this engine is given. */
export interface PgvectorParts {
  db: Database;
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Unix milliseconds. */
  now: () => number;
  /** Starts the next round of `upkeep` at once. */
  wake: () => void;
}

/** The same with what this engine remembers between calls. */
export interface Pgvector extends PgvectorParts {
  /** Filters that match many rows, by store: finding that out costs a look at thousands of matches. */
  wideFilters: LRUCache<string, true>;
  /** Metadata keys that filters on indexed stores compare; `settled` once their index was built or given up. */
  ranges: LRUCache<string, { range: Range; settled: boolean }>;
}
