import { LRUCache } from "lru-cache";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildApp } from "./app.js";
import { type Config, loadConfig, readEnvironment } from "./config.js";
import type { Deps } from "./core/deps.js";
import { openDatabase } from "./db/database.js";
import { StartupError } from "./errors.js";
import { serverKeys } from "./firstKey.js";
import { startSweeping } from "./jobs/sweep.js";
import { createLitellm } from "./litellm/litellm.js";
import { createLog } from "./log.js";
import { version } from "./version.js";

/** How long requests that were accepted may take to finish after SIGTERM. */
const drainMs = 30_000;

/** A request's headers must arrive within this; a body may take as long as it keeps coming. */
const headersMs = 60_000;
/** A connection on which nothing moves for this long is closed (the reference's request limit is 600 s). */
const idleMs = 600_000;

/** The server process: configuration, database, wiring, listening; drains on SIGTERM and SIGINT. */
export async function serve(): Promise<void> {
  const config = loadConfig(readEnvironment());
  const log = createLog(config.logLevel);
  const keys = serverKeys(config);
  const db = await openDatabase(config, log);
  const deps: Deps = {
    config,
    db,
    log,
    litellm: createLitellm(config.embedding, log),
    now: () => Date.now(),
    lastUsed: new LRUCache({ max: 10_000 }),
  };
  const server = createServer(buildApp(deps, keys));
  server.requestTimeout = 0;
  server.headersTimeout = headersMs;
  server.timeout = idleMs;
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

  let stopping = false;
  const stop = (signal: string) => {
    // A second signal means: now.
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, "stopping: finishing accepted requests");
    void drain(server)
      .then(stopSweeping)
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
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
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

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      server.closeAllConnections();
    }, drainMs);
    server.close(() => {
      clearTimeout(limit);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** For the person who typed `npm start`. The key itself is not printed: terminals and log collectors keep what they see. */
function announce(config: Config, port: number, keyFile: string | null, builtIn: boolean): void {
  const url = config.apiUrl ?? `http://localhost:${port}`;
  const lines = [
    `vector-store ${version} is at ${url}/v1 (docs: ${url}/docs)`,
    ...(keyFile === null ? [] : [`A key was made for you. Use it with:  export VECTOR_STORE_KEY=$(cat ${keyFile})`]),
    ...(builtIn
      ? [
          "Embeddings: the built-in embedder, which compares words, not meaning. Set LITELLM_PROXY_URL for semantic search.",
        ]
      : []),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}
