import { LRUCache } from "lru-cache";
import { type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buildApp } from "./app.js";
import { type Config, loadConfig, readEnvironment } from "./config.js";
import type { Deps } from "./core/deps.js";
import { openDatabase } from "./db/database.js";
import { StartupError } from "./errors.js";
import { serverKeys } from "./firstKey.js";
import { renderClientError } from "./http/middleware/renderError.js";
import { startIndexing } from "./jobs/indexing.js";
import { startIngestion } from "./jobs/ingestion.js";
import { startSweeping } from "./jobs/sweep.js";
import { createLitellm } from "./litellm/litellm.js";
import { createLog } from "./log.js";
import { createDocumentReader } from "./reading/documentReader.js";
import { createStorage } from "./storage/storage.js";
import { version } from "./version.js";

/** How long accepted requests may take to finish after SIGTERM. Kubernetes kills 30 s after it, and the database is to be closed before. */
const drainMs = 25_000;
/** How long closing the database may take after that. */
const closeMs = 4_000;

/** A request's headers must arrive within this; a body may take as long as it keeps coming. */
const headersMs = 60_000;
/** A connection on which nothing moves for this long is closed (the reference's request limit is 600 s). */
const idleMs = 600_000;

const readingThread = new URL("./reading/thread.js", import.meta.url);

/** The server process: configuration, database, wiring, listening; drains on SIGTERM and SIGINT. */
export async function serve(): Promise<void> {
  // The first process of a container ignores a signal that it has no handler for, also while it waits for its database.
  let stop = (): void => process.exit(0);
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      stop();
    });
  }
  const config = loadConfig(readEnvironment());
  const log = createLog(config.logLevel);
  const keys = serverKeys(config);
  const db = await openDatabase(config, log);
  const now = () => Date.now();
  const documents = createDocumentReader(readingThread);
  const deps: Deps = {
    config,
    db,
    log,
    litellm: createLitellm(config.embedding, log),
    storage: createStorage(db, config.files.directory, now),
    documents,
    now,
    recentStores: new LRUCache({ max: 10_000 }),
    wideFilters: new LRUCache({ max: 1000, ttl: 60_000 }),
    ranges: new LRUCache({ max: 100 }),
    wakeIndexing: () => {
      wakeIndexing();
    },
    wakeIngestion: () => {
      wakeIngestion();
    },
  };
  let wakeIndexing = (): void => undefined;
  let wakeIngestion = (): void => undefined;
  const server = createServer(buildApp(deps, keys));
  server.on("clientError", renderClientError);
  server.requestTimeout = 0;
  server.headersTimeout = headersMs;
  server.timeout = idleMs;
  const drain = followConnections(server);
  const port = await listen(server, config).catch(async (error: unknown) => {
    await db.close();
    throw error;
  });
  log.info(
    { version, host: config.host, port, database: db.kind, builtInEmbedder: deps.litellm.embedder.builtIn },
    "listening",
  );
  if (config.logLevel !== "silent") announce(config, port, keys.generatedIn, deps.litellm.embedder.builtIn);
  const stopSweeping = startSweeping(deps);
  const indexing = startIndexing(deps);
  wakeIndexing = indexing.wake;
  const ingestion = startIngestion(deps);
  wakeIngestion = ingestion.wake;

  stop = () => {
    // A second signal means: now.
    stop = () => process.exit(1);
    log.info("stopping: finishing accepted requests");
    // A database that hangs must not hold the process either.
    setTimeout(() => {
      log.error("did not stop in time");
      process.exit(1);
    }, drainMs + closeMs).unref();
    void drain()
      .then(() => Promise.all([stopSweeping(), indexing.stop(), ingestion.stop()]))
      .then(() => documents.close())
      .then(() => db.close())
      .then(() => {
        log.info("stopped");
        process.exit(0);
      })
      .catch((error: unknown) => {
        log.error({ err: error }, "did not stop cleanly");
        process.exit(1);
      });
  };
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
 * Knows which connections have a request under way, for a shutdown that waits for these alone: Node's own close() also waits for
 * kept-alive connections after their last answer, and for those that never sent a whole request.
 * @returns a function that refuses new connections and resolves when all accepted requests have been answered.
 */
function followConnections(server: Server): () => Promise<void> {
  const underWay = new Map<Socket, Set<ServerResponse>>();
  let draining = false;
  server.on("connection", (socket) => {
    underWay.set(socket, new Set());
    socket.once("close", () => underWay.delete(socket));
  });
  // Before Express' listener: the header must be set when the answer begins.
  server.prependListener("request", ({ socket }, res) => {
    underWay.get(socket)?.add(res);
    if (draining) res.setHeader("connection", "close");
    res.once("close", () => underWay.get(socket)?.delete(res));
  });
  return () =>
    new Promise((resolve) => {
      draining = true;
      const limit = setTimeout(() => {
        server.closeAllConnections();
      }, drainMs);
      server.close(() => {
        clearTimeout(limit);
        resolve();
      });
      for (const [socket, responses] of underWay) {
        if (responses.size === 0) socket.destroy();
        for (const res of responses) if (!res.headersSent) res.setHeader("connection", "close");
      }
    });
}

/** For the person who typed `npm start`. The key itself is not printed: terminals and log collectors keep what they see. */
function announce(config: Config, port: number, keyFile: string | null, builtIn: boolean): void {
  const url = config.apiUrl ?? `http://localhost:${port}`;
  const lines = [
    `vector-store ${version} is at ${url}/v1 (docs: ${url}/docs)`,
    ...(keyFile === null
      ? []
      : [`A key was made for you. Use it with:  export VECTOR_STORE_KEY="$(cat ${quoted(keyFile)})"`]),
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
