import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import request from "supertest";
import type { Deps } from "../../src/core/deps.js";
import type { Database } from "../../src/db/database.js";
import { type Ingestion, startIngestion } from "../../src/jobs/ingestion.js";
import type { Litellm } from "../../src/litellm/contract.js";
import type { Config } from "../../src/process/config.js";
import { createLog } from "../../src/process/log.js";
import { createMetrics } from "../../src/process/metrics.js";
import { createService } from "../../src/service.js";
import { type TestDatabase, createMigratedDatabase, createTestDatabase } from "./database.js";
import { readingThread } from "./program.js";
import { testKey } from "./settings.js";

/** A running service on its own database. */
export interface TestService {
  database: TestDatabase;
  db: Database;
  config: Config;
  deps: Deps;
  server: Server;
  /** Root of the API, without /v1. */
  url: string;
  /** Moves the service's clock. */
  advance(millis: number): void;
  /** supertest with the server key. */
  get(path: string): request.Test;
  post(path: string, body?: object): request.Test;
  patch(path: string, body?: object): request.Test;
  delete(path: string, body?: object): request.Test;
  /** Stops the service, and keeps the database for another `startService`. */
  stop(): Promise<void>;
  /** Stops it and drops the database. */
  close(): Promise<void>;
}

/** Starts the service like main.ts on its own port; tests run upkeep themselves. */
export async function startService(
  options: {
    database?: TestDatabase;
    environment?: Record<string, string>;
    litellm?: Litellm;
    logLevel?: string;
    pageDirectory?: string;
  } = {},
): Promise<TestService> {
  const ownNames = Object.keys(options.environment ?? {}).some((name) => name.startsWith("DB_"));
  const database = options.database ?? (await (ownNames ? createTestDatabase() : createMigratedDatabase()));
  const metrics = createMetrics();
  const { db, config } = await database.open(options.environment, metrics);
  let offset = 0;
  const { deps, app, prepare, close } = createService({
    config,
    db,
    metrics,
    log: createLog(options.logLevel ?? "silent"),
    now: () => Date.now() + offset,
    readingThread: await readingThread(),
    // Whether the page was built on this machine must not matter.
    pageDirectory: options.pageDirectory ?? "no page",
    ...(options.litellm === undefined ? {} : { litellm: options.litellm }),
  });
  await prepare();
  let ingestion: Ingestion | undefined;
  // Most tests have no files; ingestion starts with the first file.
  deps.wakeIngestion = () => {
    ingestion ??= startIngestion(deps);
    ingestion.wake();
  };
  const server = createServer(app());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bearer = `Bearer ${testKey}`;
  const stop = async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await ingestion?.stop();
    await close();
  };
  return {
    database,
    db,
    config,
    deps,
    server,
    url,
    advance: (millis) => {
      offset += millis;
    },
    get: (path) => request(url).get(path).set("authorization", bearer),
    post: (path, body = {}) => request(url).post(path).set("authorization", bearer).send(body),
    patch: (path, body = {}) => request(url).patch(path).set("authorization", bearer).send(body),
    delete: (path, body) => request(url).delete(path).set("authorization", bearer).send(body),
    stop,
    close: async () => {
      await stop();
      await database.drop();
    },
  };
}
