import type { LRUCache } from "lru-cache";
import type { Config } from "../config.js";
import type { Database } from "../db/database.js";
import type { Litellm } from "../litellm/litellm.js";
import type { Log } from "../log.js";

/** What a use case needs, wired once in main.ts. */
export interface Deps {
  config: Config;
  db: Database;
  litellm: Litellm;
  log: Log;
  /** Unix milliseconds; tests bring their own clock. */
  now: () => number;
  /** When this process last recorded a store's use (Unix milliseconds by store id), so that it is not recorded more than once a second. */
  lastUsed: LRUCache<string, number>;
  /** Lets the maintenance of indexes begin its next round at once. */
  wakeIndexing: () => void;
}
