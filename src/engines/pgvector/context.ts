import type { LRUCache } from "lru-cache";
import type { Database } from "../../db/database.js";
import type { Config } from "../../process/config.js";
import type { Log } from "../../process/log.js";
import type { Metrics } from "../../process/metrics.js";
import type { Range } from "./filterSql.js";

/** What this engine is given. */
export interface PgvectorParts {
  db: Database;
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Unix milliseconds. */
  now: () => number;
  /** Lets the next round of `upkeep` begin at once. */
  wake: () => void;
}

/** The same with what this engine remembers between calls. */
export interface Pgvector extends PgvectorParts {
  /** Filters that let many rows through, by store: finding out whether one does costs a look at thousands of its matches. */
  wideFilters: LRUCache<string, true>;
  /** Metadata keys that filters of indexed stores compare; `settled` once their index has been made or given up. */
  ranges: LRUCache<string, { range: Range; settled: boolean }>;
}
