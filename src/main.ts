import { type Server as HttpServer, createServer } from "node:http";
import { type AddressInfo, type Server as NetServer, createServer as createNetServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { openDatabase } from "./db/connection/openDatabase.js";
import { type Connections, followConnections } from "./http/connections.js";
import { hasPage, usualPageDirectory } from "./http/pageFiles.js";
import { renderClientError } from "./http/middleware/renderError.js";
import { type Role, announce, announceStart } from "./process/announce.js";
import { type Config, loadConfig, readEnvironment } from "./process/config.js";
import { doubtsAbout } from "./process/settingDoubts.js";
import { serverKeys } from "./process/firstKey.js";
import { createLog } from "./process/log.js";
import { collectProcess, createMetrics } from "./process/metrics.js";
import { type Phase, runPhases } from "./process/shutdown.js";
import { startTracing } from "./process/tracing.js";
import { version } from "./process/version.js";
import { type Service, createService } from "./service.js";
import { StartupError } from "./words/errors.js";

/** Time limit for a request's headers; a body may take longer, as long as data keeps arriving. */
const headersMs = 60_000;
/** A connection without traffic for this long is closed (the reference's request limit is 600 s). */
const idleMs = 600_000;
/**
 * Idle connections are kept longer than load balancers and proxies keep theirs (60 s by default), so that those close
 * first.
 */
const keepAliveMs = 75_000;
/** How long a connection that has sent nothing may take to send its first request once the server stops listening. */
const graceMs = 1_000;
/** Time limit per phase once requests are done: background work, threads, database, traces. */
const closeMs = 2_000;

/**
 * The server process: reads the configuration, opens the database, makes the service, listens, and drains on SIGTERM
 * and SIGINT.
 */
export const serve = (): Promise<void> => run("server");

/** The worker process: the server's background work without its API; its port has only probes and metrics. */
export const work = (): Promise<void> => run("worker");

async function run(role: Role): Promise<void> {
  // The first process of a container ignores signals without a handler, so set one before waiting for the database.
  let stop: (signal: NodeJS.Signals) => void = () => process.exit(0);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  const environment = readEnvironment();
  const config = loadConfig(environment);
  if (role === "worker") requireWork(config);
  const log = createLog(config.logLevel, { plain: process.stdout.isTTY });
  const doubts = doubtsAbout(environment, config);
  for (const doubt of doubts) log.warn(doubt);
  // Node itself would print the whole error, with what a database quotes of a row.
  process.once("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected failure; the process ends");
    process.exit(1);
  });
  // Before anything is created: a database, or a key.
  await requireFreePort(config);
  if (process.stderr.isTTY) announceStart(config, role);
  else log.info({ version, role, database: config.database.url === null ? "pglite" : "postgres" }, "starting");
  const metrics = createMetrics();
  collectProcess(metrics);
  const stopTracing = config.tracing ? await startTracing(log, version) : () => Promise.resolve();
  const keys = role === "worker" ? null : serverKeys(config);
  const db = await openDatabase(config, log, metrics);
  const service = createService({ config, db, log, metrics, doubts, ...(keys !== null && { keys }) });
  await service.prepare();
  const server = createServer(role === "worker" ? service.workerApp() : service.app());
  server.on("clientError", renderClientError);
  server.requestTimeout = 0;
  server.headersTimeout = headersMs;
  server.timeout = idleMs;
  server.keepAliveTimeout = keepAliveMs;
  const connections = followConnections(server);
  const port = await listen(server, config).catch(async (error: unknown) => {
    await db.close();
    throw error;
  });
  const { builtIn } = service.deps.litellm.embedder;
  log.info({ version, role, host: config.host, port, database: db.kind, builtInEmbedder: builtIn }, "listening");
  const showsPage = config.page.on && hasPage(usualPageDirectory);
  announce({ config, port, newKeyFile: keys?.newKeyFile ?? null, builtIn, role, hasPage: showsPage });
  service.startJobs();

  stop = (signal) => {
    // A second signal stops at once.
    stop = () => process.exit(1);
    log.info("stopping: finishing accepted requests");
    const phases = [
      ...drainPhases(service, connections, signal),
      { name: "traces", limitMs: closeMs, work: stopTracing },
    ];
    void runPhases(phases, log).then((unfinished) => {
      log.info({ unfinished }, "stopped");
      process.exit(unfinished.includes("requests") ? 1 : 0);
    });
  };
}

/** @throws StartupError if a worker would have nothing to do, or no database to share */
function requireWork({ database, files }: Config): void {
  if (database.url === null) {
    throw new StartupError(
      'A worker needs PostgreSQL (DATABASE_URL): only one process can open the embedded database, and that one, "vector-store serve", ingests files itself.',
    );
  }
  if (files.concurrency === 0) {
    throw new StartupError(
      "INGEST_CONCURRENCY is 0, with which this worker would ingest nothing. Set it to 1 or more.",
    );
  }
}

function drainPhases({ deps, stopJobs }: Service, connections: Connections, signal: NodeJS.Signals): Phase[] {
  const { config, log, documents, payers, usage, db } = deps;
  // After Ctrl-C there is no load balancer to wait for.
  const delayMs = signal === "SIGINT" ? 0 : config.shutdown.delayMs;
  let background: Promise<unknown> = Promise.resolve();
  const announceEnd = () => {
    connections.retire();
    // Files go back to the queue as soon as their model calls have ended, so that another replica can take them.
    background = stopJobs(delayMs + config.shutdown.drainMs);
    background.catch(() => undefined);
    return setTimeout(delayMs);
  };
  const cut = () => {
    log.warn({ requests: connections.cut() }, "requests were cut off because they exceeded SHUTDOWN_DRAIN_SECONDS");
  };
  const drain = () => connections.drain(Math.min(graceMs, config.shutdown.drainMs / 2));
  return [
    { name: "announcement", limitMs: delayMs + 1000, work: announceEnd },
    { name: "requests", limitMs: config.shutdown.drainMs, work: drain, onLimit: cut },
    // Ends at the latest with SHUTDOWN_DRAIN_SECONDS, counted from the announcement.
    { name: "background work", limitMs: config.shutdown.drainMs + closeMs, work: () => background },
    { name: "threads", limitMs: closeMs, work: () => documents.close() },
    { name: "keys", limitMs: closeMs, work: () => payers.close() },
    { name: "usage", limitMs: closeMs, work: () => usage.flush() },
    { name: "database", limitMs: closeMs, work: () => db.close() },
  ];
}

function listen(server: HttpServer | NetServer, config: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is taken by another process" : (error.code ?? error.message);
      reject(new StartupError(`Cannot listen on ${config.host}:${config.port}: ${why}. Set HOST or PORT.`));
    });
    server.listen(config.port, config.host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Listens for a moment. Not until the database is open: a port that accepts connections looks ready.
 * @throws StartupError if it cannot listen
 */
async function requireFreePort(config: Config): Promise<void> {
  const trial = createNetServer();
  await listen(trial, config);
  await new Promise((resolve) => trial.close(resolve));
}
