import { Kysely, PostgresDialect, type PostgresPool, type Transaction, type ColumnType, type Generated } from "kysely";
import { join } from "node:path";
import type { Config } from "../config.js";
import { ApiError, StartupError } from "../errors.js";
import type { Log } from "../log.js";
import type { Layout } from "./columns.js";
import { lockDataDir } from "./dataDirLock.js";
import { migrate } from "./migrate.js";
import { createPgPool } from "./pgPool.js";
import { parseDatabaseUrl } from "./url.js";

/** The vector stores table as we read and write it. Times go through `instant` and `epochMillis`, ids through text. */
export interface VectorStoresTable {
  id: string;
  name: string;
  description: string | null;
  metadata: ColumnType<unknown, string | null, string | null>;
  expires_after: ColumnType<unknown, string | null, string | null>;
  expires_at: unknown;
  last_active_at: unknown;
  created_at: unknown;
  owner_user_id: string | null;
  chunk_count: Generated<number>;
  content_bytes: Generated<number>;
  embedding_dimensions: number | null;
}
interface Tables {
  vector_stores: VectorStoresTable;
}

export type Executor = Kysely<Tables> | Transaction<Tables>;

/** What a query needs: something to run on (the pool, or one transaction) and the names it must use. */
export interface Db {
  run: Executor;
  layout: Layout;
}

export interface Database extends Db {
  kind: "postgres" | "pglite";
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens PostgreSQL (DATABASE_URL) or the embedded PGlite (DATA_DIR), brings the schema up to date and checks it.
 * Waits for a PostgreSQL that is still starting up to DATABASE_START_TIMEOUT_SECONDS.
 * @throws StartupError with a sentence for the operator.
 */
export async function openDatabase(config: Config, log: Log): Promise<Database> {
  const { url } = config.database;
  if (url === null) return openEmbedded(config, log);
  const target = parseDatabaseUrl({ ...config.database, url });
  if (target.tls === "prefer") target.tls = await serverHasTls(config, target, log);
  const pool = createPgPool(config.database, target, log);
  return start(pool, "postgres", config, log, { schema: target.schema, release: () => Promise.resolve() });
}

async function openEmbedded(config: Config, log: Log): Promise<Database> {
  const release = await lockDataDir(config.dataDir);
  try {
    // Loaded only when used: the WebAssembly PostgreSQL takes 500 MB that a server on a real PostgreSQL must not pay.
    const { createPglitePool, openPglite } = await import("./pglitePool.js");
    const pglite = await openPglite({ dataDir: join(config.dataDir, "pglite") });
    return await start(await createPglitePool(pglite), "pglite", config, log, { schema: null, release });
  } catch (error) {
    await release();
    throw error;
  }
}

/** Migrates and checks an open pool; on failure the pool is closed. Tests bring their own pool. */
export async function start(
  pool: PostgresPool,
  kind: Database["kind"],
  config: Config,
  log: Log,
  options: { schema: string | null; release: () => Promise<void> },
): Promise<Database> {
  const run = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await run.destroy();
    await options.release();
  };
  try {
    await waitUntilUp(run, config.database.startTimeoutMs, log);
    const layout = await migrate(run, config, options.schema, log);
    const transaction: Database["transaction"] = (work) => run.transaction().execute((tx) => work({ run: tx, layout }));
    return { run, layout, kind, transaction, close };
  } catch (error) {
    await run.destroy();
    throw error;
  }
}

async function waitUntilUp(run: Kysely<Tables>, limitMs: number, log: Log): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (let pause = 250; ; pause = Math.min(pause * 2, 4000)) {
    try {
      await run.connection().execute(() => Promise.resolve());
      return;
    } catch (error) {
      const temporary = error instanceof ApiError && error.status === 503;
      if (!temporary) throw startFailure(error);
      if (Date.now() + pause > deadline) throw startFailure(error.details.cause ?? error);
      log.warn("waiting for the database");
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** The server's own words are safe here: they name host, role or database, never the password. */
function startFailure(error: unknown): StartupError {
  const reason = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
  return new StartupError(`The database cannot be opened (DATABASE_URL): ${reason.replace(/^\w*Error: /i, "")}`);
}

/** libpq's `prefer`: one connection is tried with TLS; a server that has none is then used without. */
async function serverHasTls(config: Config, target: ReturnType<typeof parseDatabaseUrl>, log: Log) {
  const tls = { rejectUnauthorized: false };
  const probe = createPgPool({ ...config.database, poolSize: 1 }, { ...target, tls }, log);
  try {
    (await probe.connect()).release();
    return tls;
  } catch (error) {
    const text = error instanceof ApiError ? String(error.details.cause) : String(error);
    return text.includes("does not support SSL") ? false : tls;
  } finally {
    await probe.end();
  }
}
