import { CompiledQuery, Kysely, PostgresDialect, type PostgresPool } from "kysely";
import { join } from "node:path";
import type { Config } from "../../process/config.js";
import { ApiError, StartupError } from "../../words/errors.js";
import type { Log } from "../../process/log.js";
import type { Metrics } from "../../process/metrics.js";
import type { Database } from "../database.js";
import type { Layout } from "../schema/layout.js";
import type { OurTables } from "../schema/ourTables.js";
import { giveBack } from "./giveBack.js";
import { lockDataDir } from "./dataDirLock.js";
import { migrate } from "../schema/migrate.js";
import { isConnectionFailure } from "./errors.js";
import { type Pool, observePool } from "./observedPool.js";
import { createPgPool } from "./pgPool.js";
import { countAnswers, pingOn } from "./ping.js";
import { type ConnectionTarget, parseDatabaseUrl } from "./url.js";
import { type Word, askMs, createWatch } from "./watch.js";

/**
 * Opens PostgreSQL (DATABASE_URL) or the embedded PGlite (DATA_DIR), brings the schema up to date and checks it. Waits
 * up to DATABASE_START_TIMEOUT_SECONDS for a PostgreSQL that is still starting.
 * @param metrics where connections are counted; a command that ends at once has none
 * @throws StartupError with a message for the operator.
 */
export async function openDatabase(config: Config, log: Log, metrics?: Metrics): Promise<Database> {
  const observed = (pool: Pool) => (metrics === undefined ? pool : observePool(pool, metrics));
  const { url } = config.database;
  if (url === null) return openEmbedded(config, log, observed);
  const target = parseDatabaseUrl({ ...config.database, url });
  if (target.tls === "prefer") target.tls = await serverHasTls(config, target, log);
  const { asking, ask } = besides(config, target, log);
  const watch = createWatch(ask, log);
  const pool = createPgPool(config.database, target, log, { watch });
  // Building an index on a large table, or waiting for another replica to do so, may take longer than any request may.
  const memory = `-c maintenance_work_mem=${config.indexing.buildMemoryMb}MB`;
  const options = target.options === null ? memory : `${target.options} ${memory}`;
  const unlimited = createPgPool(
    { ...config.database, poolSize: 1, statementTimeoutMs: 0 },
    { ...target, options },
    log,
    { watch },
  );
  const release = () => {
    watch.close();
    return Promise.resolve();
  };
  return start(observed(pool), "postgres", config, log, { schema: target.schema, release, unlimited, asking });
}

/** A connection besides those of requests and maintenance, for questions about the database itself. */
function besides(config: Config, target: ConnectionTarget, log: Log) {
  const limits = { poolSize: 1, poolTimeoutMs: askMs, statementTimeoutMs: askMs };
  const asking = createPgPool({ ...config.database, ...limits }, target, log, { graceMs: 0 });
  const ask = async (pids: number[]): Promise<Word> => {
    const client = await asking.connect();
    try {
      // A state that this role may not see counts as work.
      const { rows } = await client.query<{ own: number; working: number[] }>(
        `SELECT pg_backend_pid() AS own, ARRAY(SELECT pid FROM pg_stat_activity
           WHERE pid = ANY ($1) AND coalesce(state, '') NOT LIKE 'idle%') AS working`,
        [pids],
      );
      const [row] = rows;
      return { working: row?.own === client.pid ? new Set(row.working) : null };
    } catch (error) {
      // An error of the server is an answer as well.
      if (error instanceof ApiError && isConnectionFailure(error.details.cause)) throw error;
      return { working: null };
    } finally {
      client.release();
    }
  };
  return { asking, ask };
}

async function openEmbedded(config: Config, log: Log, observed: (pool: Pool) => PostgresPool): Promise<Database> {
  const release = await lockDataDir(config.dataDir);
  try {
    // Loaded only when used: the WebAssembly PostgreSQL needs 500 MB, which a server on a real PostgreSQL must not pay.
    const { createPglitePool, openPglite } = await import("./pglitePool.js");
    const pglite = await openPglite({ dataDir: join(config.dataDir, "pglite") }).catch((error: unknown) => {
      throw new StartupError(`The embedded database in ${config.dataDir} cannot be opened: ${String(error)}`);
    });
    return await start(observed(await createPglitePool(pglite)), "pglite", config, log, { schema: null, release });
  } catch (error) {
    await release();
    throw error;
  }
}

/** Migrates and checks an open pool, using `unlimited` if given; closes both on failure. Tests bring their own pool. */
export async function start(
  pool: PostgresPool,
  kind: Database["kind"],
  config: Config,
  log: Log,
  options: {
    schema: string | null;
    release: () => Promise<void>;
    unlimited?: PostgresPool;
    /** For `ping`. */
    asking?: PostgresPool;
  },
): Promise<Database> {
  const counted = countAnswers(pool);
  const run = openKysely(counted.pool);
  const unlimited = options.unlimited === undefined ? run : openKysely(options.unlimited);
  const ask = pingOn(options.asking ?? counted.pool, counted.answers);
  let closed = false;
  const ping: Database["ping"] = (limitMs) => (closed ? Promise.reject(new Error("closed")) : ask(limitMs));
  const close = async () => {
    closed = true;
    await Promise.all([run.destroy(), unlimited.destroy(), options.asking?.end()]);
    await options.release();
  };
  try {
    await untilUp(() => unlimited.connection().execute(() => Promise.resolve()), config, log).catch(rethrowAtStart);
    const layout = await migrate({ run: unlimited, config, schema: options.schema, kind }, log);
    // Try the serving pool's own parameters now, not in the first request.
    await run
      .connection()
      .execute(() => Promise.resolve())
      .catch(rethrowAtStart);
    const transaction: Database["transaction"] = (work) => run.transaction().execute((tx) => work({ run: tx, layout }));
    const maintenance: Database["maintenance"] = (work) =>
      unlimited.connection().execute((connection) => work({ run: connection, layout }));
    return {
      run,
      layout,
      kind,
      transaction,
      reading: readingOn(run, layout),
      maintenance,
      ping,
      giveBack: () => giveBack({ kind, maintenance }),
      close,
    };
  } catch (error) {
    await Promise.all([unlimited.destroy(), run.destroy(), options.asking?.end()]);
    throw error;
  }
}

const readingOn =
  (run: Kysely<OurTables>, layout: Layout): Database["reading"] =>
  (settings, work) =>
    new Promise((resolve, reject) => {
      const locals = Object.entries(settings).map(([name, value]) => `; set local ${name} = ${value}`);
      void run
        .connection()
        .execute(async (connection) => {
          await connection.executeQuery(CompiledQuery.raw(`begin read only${locals.join("")}`));
          try {
            resolve(await work({ run: connection, layout }));
          } catch (error) {
            await connection.executeQuery(CompiledQuery.raw("rollback")).catch(() => undefined);
            throw error;
          }
          // The answer is already known; the pool discards a connection that fails here.
          await connection.executeQuery(CompiledQuery.raw("commit")).catch(() => undefined);
        })
        .catch(reject);
    });

const openKysely = (pool: PostgresPool) => new Kysely<OurTables>({ dialect: new PostgresDialect({ pool }) });

const isTemporary = (error: unknown): error is ApiError => error instanceof ApiError && error.status === 503;

/**
 * Tries to connect until the server is there, for at most DATABASE_START_TIMEOUT_SECONDS.
 * @throws the last try's error.
 */
async function untilUp<T>(connect: () => Promise<T>, config: Config, log: Log): Promise<T> {
  const deadline = Date.now() + config.database.startTimeoutMs;
  for (let pause = 250; ; pause = Math.min(pause * 2, 4000)) {
    try {
      return await connect();
    } catch (error) {
      if (!isTemporary(error) || Date.now() + pause > deadline) throw error;
      if (causeOf(error).includes("unsupported startup parameter")) throw error;
      log.warn("waiting for the database");
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** The server's own words are safe to show: they name host, role or database, never the password. */
function causeOf(error: unknown): string {
  const cause = error instanceof ApiError ? (error.details.cause ?? error) : error;
  return cause instanceof AggregateError ? cause.errors.map(String).join("; ") : String(cause);
}

function rethrowAtStart(error: unknown): never {
  const reason = causeOf(error).replace(/^\w*Error: /i, "");
  const remedy = reason.includes("unsupported startup parameter")
    ? " This is a PgBouncer; add pgbouncer=true to the URL's parameters."
    : "";
  throw new StartupError(`The database cannot be opened (DATABASE_URL): ${reason}${remedy}`);
}

/** libpq's `prefer`: tries one connection with TLS, and uses no TLS if that fails. */
async function serverHasTls(config: Config, target: ReturnType<typeof parseDatabaseUrl>, log: Log) {
  const tls = { rejectUnauthorized: false };
  const probe = createPgPool({ ...config.database, poolSize: 1 }, { ...target, tls }, log);
  try {
    (await untilUp(() => probe.connect(), config, log)).release();
    return tls;
  } catch (error) {
    return isTemporary(error) ? rethrowAtStart(error) : false;
  } finally {
    await probe.end();
  }
}
