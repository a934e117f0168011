import type { PostgresPoolClient } from "kysely";
import { Socket } from "node:net";
import pg from "pg";
import type { DatabaseConfig } from "../../process/config.js";
import { parseExactJson } from "../../words/exactJson.js";
import type { Log } from "../../process/log.js";
import { isCopy, runCopy } from "./copy.js";
import { isConnectionFailure, poolExhausted, translateError } from "./errors.js";
import type { Pool } from "./observedPool.js";
import type { Watch, Watched } from "./watch.js";
import { quote } from "../schema/tables.js";
import type { ConnectionTarget } from "./url.js";

/**
 * bigint as number, like PGlite: counts and bytes stay far below 2^53. The numbers in JSON keep their digits. Local to
 * our pool, so no global is touched.
 */
const parsers = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, Number],
  [pg.types.builtins.JSON, parseExactJson],
  [pg.types.builtins.JSONB, parseExactJson],
]);
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format): unknown =>
    (format === "binary" ? undefined : parsers.get(oid)) ?? pg.types.getTypeParser(oid, format),
};

/** The system then asks the other end of a quiet connection once a second; after ten unanswered times it is closed. */
const quietMs = 4000;

interface PgPool extends Pool {
  connect(): Promise<PgClient>;
}

interface PgClient extends PostgresPoolClient {
  /** The server process that the server named at connecting; a pooler names one that does not exist. */
  pid: number | null;
}

/**
 * A `pg` pool for Kysely's PostgresDialect. Every wait has a limit: for a connection, for a statement (on the server),
 * and, because an unreachable server cannot time anything out, `graceMs` more on our side. A failed connection is
 * discarded. PgBouncer refuses settings at connecting, so behind it (`pgbouncer=true`) only our side's limit applies.
 */
export function createPgPool(
  config: DatabaseConfig,
  target: ConnectionTarget,
  log: Log,
  { watch, graceMs = 5000 }: { watch?: Watch; graceMs?: number } = {},
): PgPool {
  const options = [
    ...(target.options === null ? [] : [target.options]),
    // Supabase keeps pgvector in a schema "extensions"; schemas that do not exist do no harm here.
    ...(target.schema === null ? [] : [`-c search_path=${escapeOption(`${quote(target.schema)},public,extensions`)}`]),
    ...(config.statementTimeoutMs === 0 ? [] : [`-c statement_timeout=${config.statementTimeoutMs}`]),
  ].join(" ");
  const pool = new pg.Pool({
    connectionString: target.connectionString,
    ssl: target.tls === "prefer" ? false : target.tls,
    max: config.poolSize,
    connectionTimeoutMillis: config.poolTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: quietMs,
    application_name: "vector-store",
    types,
    ...(options === "" || target.pgbouncer ? {} : { options }),
    ...(config.statementTimeoutMs === 0 ? {} : { query_timeout: config.statementTimeoutMs + graceMs }),
  });
  // Without a listener, a server that closes an idle connection would end the process.
  pool.on("error", (error) => {
    log.warn({ err: error }, "an idle database connection was closed");
  });
  return {
    connect: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw isFull(error) ? poolExhausted(config) : translateError(error);
      });
      return wrapClient(client, watch);
    },
    end: () => pool.end(),
    idle: () => pool.idleCount,
  };
}

/** The pool's error if no connection became free; if a new one cannot be made in time, it uses other words. */
const isFull = (error: unknown) =>
  error instanceof Error && error.message === "timeout exceeded when trying to connect";

function wrapClient(client: pg.PoolClient, watch: Watch | undefined): PgClient {
  let failure: unknown;
  // `pg` has it, but not its types.
  const { processID: pid = null } = client as { processID?: number | null };
  const { stream } = client.connection;
  const watched: Watched = {
    pid,
    received: () => (stream instanceof Socket ? stream.bytesRead : 0),
    cut: () => {
      stream.destroy();
    },
  };
  // The pool does not listen on connections in use: without this listener, a server that goes away in the middle of a
  // transaction would end the process.
  const onError = (error: unknown) => {
    failure ??= error;
  };
  client.on("error", onError);
  const query = async (text: string, values: readonly unknown[]) => {
    if (failure !== undefined) {
      // The server rolls back what a lost connection has begun. Waiting for a second answer would double the time
      // limit.
      if (text === "rollback") return { command: "ROLLBACK", rowCount: 0, rows: [] };
      return rethrow(failure);
    }
    const ended = watch?.begin(watched);
    try {
      const result = isCopy(text) ? await runCopy(client, text, values) : await client.query(text, [...values]);
      ended?.(true);
      return result;
    } catch (error) {
      const broken = isConnectionFailure(error);
      if (broken) failure ??= error;
      ended?.(!broken);
      return rethrow(error);
    }
  };
  return {
    pid,
    // Kysely's second overload is for cursors, which are not used here.
    query: query as unknown as PostgresPoolClient["query"],
    release: () => {
      client.off("error", onError);
      client.release(failure !== undefined);
    },
  };
}

function rethrow(error: unknown): never {
  throw translateError(error);
}

/** In the `options` startup parameter, blanks and backslashes separate words unless escaped. */
function escapeOption(value: string): string {
  return value.replace(/[\\ ]/g, (character) => `\\${character}`);
}
