import type { RequestListener } from "node:http";
import { LRUCache } from "lru-cache";
import { createAttempts } from "./core/access/attempts.js";
import { type FixedKeys, createCallers } from "./core/access/callers.js";
import type { Deps } from "./core/deps.js";
import { createFileLooks } from "./core/files/looks.js";
import type { Database } from "./db/database.js";
import { fitDimensions } from "./db/schema/fitSettings.js";
import { findStoreFiles } from "./db/tables/storeFiles.js";
import { createPgvector } from "./engines/pgvector/pgvector.js";
import { buildApp, buildWorkerApp } from "./http/app.js";
import { startGivingBack } from "./jobs/givingBack.js";
import { startIngestion } from "./jobs/ingestion.js";
import { startProbing } from "./jobs/probing.js";
import { startSweeping } from "./jobs/sweeping.js";
import { startUpkeep } from "./jobs/upkeep.js";
import { startUsageWriting } from "./jobs/usageWriting.js";
import type { Litellm } from "./litellm/contract.js";
import { createLimiter } from "./core/access/limiter.js";
import { createPayers } from "./core/access/payers.js";
import { createUsageLog } from "./core/access/usage.js";
import type { StandIn } from "./litellm/account.js";
import { createDirectory } from "./litellm/directory.js";
import { createIdentityReader } from "./litellm/identityToken.js";
import { createLitellm } from "./litellm/litellm.js";
import { createManagement } from "./litellm/management.js";
import { createMasterCalls } from "./litellm/masterCalls.js";
import { createMinter } from "./litellm/minter.js";
import { createProxyProbe } from "./litellm/proxyProbe.js";
import type { Config } from "./process/config.js";
import type { Log } from "./process/log.js";
import { type Metrics, createMetrics } from "./process/metrics.js";
import { createDocumentReader, defaultLimits } from "./reading/documentReader.js";
import { createStorage } from "./storage/storage.js";
import type { Payer } from "./words/caller.js";
import { Secret } from "./words/secret.js";

/** The parts of a service. All except configuration, database and log have defaults. */
export interface ServiceParts {
  config: Config;
  db: Database;
  log: Log;
  /** Default: those of the configuration, which the command line does not need. */
  keys?: FixedKeys;
  metrics?: Metrics;
  litellm?: Litellm;
  /** Unix milliseconds. */
  now?: () => number;
  /** What in the environment is probably a mistake; default: nothing. */
  doubts?: readonly string[];
  /** The compiled reading/thread.ts. */
  readingThread?: URL;
  /** Where the web page was built. */
  pageDirectory?: string;
}

export interface Service {
  deps: Deps;
  /** The HTTP request listener. */
  app: () => RequestListener;
  /** The listener of a worker: probes and metrics only. */
  workerApp: () => RequestListener;
  /** Makes FILES_DIR. If that fails, the log says why, and uploads answer 503. */
  prepare: () => Promise<void>;
  /** Starts the background jobs: index upkeep, ingestion, sweeps, recall measurements. */
  startJobs: () => void;
  /**
   * Marks the service as stopping and stops the background jobs; files being ingested go back to the queue, once their
   * model calls have ended or `graceMs` milliseconds have passed.
   */
  stopJobs: (graceMs: number) => Promise<void>;
  /** Closes the reading threads, then the database. */
  close: () => Promise<void>;
}

/** Under tsx, which transpiles no threads, the one of the last build. */
const usualReadingThread = new URL(
  import.meta.url.endsWith(".ts") ? "../dist/reading/thread.js" : "./reading/thread.js",
  import.meta.url,
);

/** Wires the service together; the only place that does, for the server, the command line, tests and benchmarks. */
export function createService(parts: ServiceParts): Service {
  const { db, log } = parts;
  const config = fitDimensions(parts.config, db.layout.embeddings.dimensions);
  const { metrics = createMetrics(), now = () => Date.now(), readingThread = usualReadingThread } = parts;
  const stopping = new AbortController();
  const wakes = { upkeep: (): void => undefined, ingestion: (): void => undefined, sweep: (): void => undefined };
  const wakeUpkeep = () => {
    wakes.upkeep();
  };
  const { standInFor, ...access } = accessOf(parts, metrics, now);
  const deps: Deps = {
    config,
    db,
    log,
    metrics,
    now,
    stopping: stopping.signal,
    engine: createPgvector({ config, db, log, metrics, now, wake: wakeUpkeep }),
    ...access,
    proxy: createProxyProbe(config.embedding, log),
    doubts: parts.doubts ?? [],
    usage: createUsageLog({ db, log, metrics, now }),
    litellm: parts.litellm ?? createLitellm(config.embedding, log, metrics, undefined, standInFor),
    storage: createStorage(db, config.files.directory, now),
    documents: createDocumentReader(readingThread, { ...defaultLimits, allowance: config.files.allowance }),
    lookAtFile: createFileLooks((storeId, fileIds) => findStoreFiles(db, storeId, fileIds)),
    recentStores: new LRUCache({ max: 10_000 }),
    wakeIngestion: () => {
      wakes.ingestion();
    },
    wakeSweep: () => {
      wakes.sweep();
    },
  };
  let stops: ((graceMs: number) => Promise<void>)[] = [];
  return {
    deps,
    app: () => buildApp(deps, parts.pageDirectory),
    workerApp: () => buildWorkerApp(deps),
    prepare: () =>
      deps.storage.prepare().catch((error: unknown) => {
        log.warn({ err: error }, "uploads are refused until the directory of uploaded files can be used");
      }),
    startJobs: () => {
      const upkeep = startUpkeep(deps);
      const ingestion = startIngestion(deps);
      wakes.upkeep = upkeep.wake;
      wakes.ingestion = ingestion.wake;
      const sweeping = startSweeping(deps);
      wakes.sweep = sweeping.wake;
      stops = [
        ingestion.stop,
        upkeep.stop,
        sweeping.stop,
        startProbing(deps),
        startGivingBack(deps),
        startUsageWriting(deps),
      ];
    },
    stopJobs: async (graceMs) => {
      stopping.abort();
      await Promise.all(stops.map((stop) => stop(graceMs)));
    },
    close: async () => {
      await deps.documents.close();
      await deps.payers.close();
      await deps.usage.flush();
      await db.close();
    },
  };
}

/** What is known of keys, and whose money work costs. Without a proxy, or its master key, there is less of both. */
function accessOf({ config, db, log, keys = config.keys }: ServiceParts, metrics: Metrics, now: () => number) {
  const { baseUrl } = config.embedding;
  const master = keys.master === null ? null : new Secret(keys.master);
  const directory = baseUrl === null ? null : createDirectory(baseUrl, master, metrics);
  const calls = baseUrl === null || master === null ? null : createMasterCalls(baseUrl, master);
  const minter = calls === null ? null : createMinter(calls);
  const readIdentity = createIdentityReader(config.access.identitySecrets, now);
  const payers = createPayers({ db, log, now, minter, directory });
  const { keyFor } = payers;
  const standInFor =
    keyFor === null
      ? null
      : (payer: Payer): StandIn => ({
          get: () => keyFor(payer),
          refused: () => {
            payers.forget(payer);
          },
        });
  return {
    callers: createCallers(keys, { config: config.access, db, log, directory, readIdentity, now }),
    attempts: createAttempts({ now }),
    limiter: createLimiter({ config: config.limits, db, log, now }),
    payers,
    management: calls === null ? null : createManagement(calls),
    standInFor,
  };
}
