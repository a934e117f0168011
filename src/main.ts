import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { openDatabase } from "./db/connection/openDatabase.js";
import { type Connections, followConnections } from "./http/connections.js";
import { renderClientError } from "./http/middleware/renderError.js";
import { type Config, loadConfig, readEnvironment } from "./process/config.js";
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
export async function serve(): Promise<void> {
  // The first process of a container ignores signals without a handler, so set one before waiting for the database.
  let stop: (signal: NodeJS.Signals) => void = () => process.exit(0);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      stop(signal);
    });
  }
  const config = loadConfig(readEnvironment());
  const log = createLog(config.logLevel);
  const metrics = createMetrics();
  collectProcess(metrics);
  const stopTracing = config.tracing ? await startTracing(log, version) : () => Promise.resolve();
  const keys = serverKeys(config);
  const db = await openDatabase(config, log, metrics);
  const service = createService({ config, db, log, metrics });
  const server = createServer(service.app(keys));
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
  log.info({ version, host: config.host, port, database: db.kind, builtInEmbedder: builtIn }, "listening");
  if (config.logLevel !== "silent") announce(config, port, keys.generatedIn, builtIn);
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

function drainPhases({ deps, stopJobs }: Service, connections: Connections, signal: NodeJS.Signals): Phase[] {
  const { config, log, documents, db } = deps;
  // After Ctrl-C there is no load balancer to wait for.
  const delayMs = signal === "SIGINT" ? 0 : config.shutdown.delayMs;
  let background: Promise<unknown> = Promise.resolve();
  const announceEnd = () => {
    connections.retire();
    // Files go back to the queue at once, so that another replica can take them.
    background = stopJobs();
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
    { name: "background work", limitMs: closeMs, work: () => background },
    { name: "threads", limitMs: closeMs, work: () => documents.close() },
    { name: "database", limitMs: closeMs, work: () => db.close() },
  ];
}

function listen(server: Server, config: Config): Promise<number> {
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
 * Tells a person how to use the server. Does not print the key itself, because terminals and log collectors keep
 * output.
 */
function announce(config: Config, port: number, keyFile: string | null, builtIn: boolean): void {
  const url = config.apiUrl ?? `http://localhost:${port}`;
  const lines = [
    `vector-store ${version} is at ${url}/v1 (docs: ${url}/docs)`,
    ...(keyFile === null
      ? []
      : [`A key was generated. Use it with:  export VECTOR_STORE_KEY="$(cat ${quoted(keyFile)})"`]),
    ...(builtIn
      ? [
          "Embeddings: the built-in embedder, which compares words, not meaning. Set LITELLM_PROXY_URL for semantic search.",
        ]
      : []),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}

/** A file name as one word of a shell command. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) && !file.startsWith("-") ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}
