import type { LRUCache } from "lru-cache";
import type { Database } from "../db/database.js";
import type { Engine } from "../engines/engine.js";
import type { Litellm, ProxyProbe } from "../litellm/contract.js";
import type { Management } from "../litellm/managementContract.js";
import type { Config } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics } from "../process/metrics.js";
import type { DocumentReader } from "../reading/documentReader.js";
import type { Storage } from "../storage/storage.js";
import type { VectorStore } from "../words/store.js";
import type { Attempts } from "./access/attempts.js";
import type { Callers } from "./access/callers.js";
import type { Limiter } from "./access/limiter.js";
import type { Payers } from "./access/payers.js";
import type { UsageLog } from "./access/usage.js";
import type { FileLooks } from "./files/looks.js";

/** What a use case needs. `createService` in service.ts puts it together. */
export interface Deps {
  config: Config;
  db: Database;
  /** Where the chunks of stores live. */
  engine: Engine;
  litellm: Litellm;
  /** Who sends which key. */
  callers: Callers;
  limiter: Limiter;
  /** How often somebody may try keys to sign in with. */
  attempts: Attempts;
  payers: Payers;
  /** LiteLLM's users, teams and keys; null: without a proxy or its master key. */
  management: Management | null;
  /** Looks at the LiteLLM proxy; null: LITELLM_PROXY_URL is not set. */
  proxy: ProxyProbe | null;
  /** What in the environment is probably a mistake, one sentence each. */
  doubts: readonly string[];
  usage: UsageLog;
  /** Where the bytes of files live. */
  storage: Storage;
  documents: DocumentReader;
  /** For those who wait for a file that is being ingested. */
  lookAtFile: FileLooks;
  log: Log;
  metrics: Metrics;
  /** Aborted once the process has been told to stop: it still answers, but is not ready for more. */
  stopping: AbortSignal;
  /** Unix milliseconds; tests replace it. */
  now: () => number;
  /**
   * Stores used within the last second, by id and then by the scope that found them: searches within that second need
   * not query the database again.
   */
  recentStores: LRUCache<string, Map<string, RecentStore>>;
  /** Makes ingestion look into its queue at once. */
  wakeIngestion: () => void;
  /** Makes the sweep begin at once. */
  wakeSweep: () => void;
}

interface RecentStore {
  store: VectorStore;
  /** Unix milliseconds. */
  at: number;
}
