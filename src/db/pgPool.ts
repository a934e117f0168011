import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import type { DatabaseConfig } from "../config.js";
import type { Log } from "../log.js";
import { isConnectionFailure, translateError } from "./errors.js";
import type { ConnectionTarget } from "./url.js";

/** bigint as number, as PGlite gives it: counts and bytes stay far below 2^53. Local to our pool, so no global is touched. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: "text" | "binary") =>
    oid === 20 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * A `pg` pool for Kysely's PostgresDialect. Every wait has a limit: for a connection, for a statement (on the server), and,
 * because a black-holed server cannot time anything out, five seconds more on our side. A connection that failed is thrown away.
 */
export function createPgPool(config: DatabaseConfig, target: ConnectionTarget, log: Log): PostgresPool {
  const options = [
    ...(target.schema === null
      ? []
      : [`-c search_path=${escapeOption(`"${target.schema.replaceAll('"', '""')}",public`)}`]),
    ...(config.statementTimeoutMs === 0 ? [] : [`-c statement_timeout=${config.statementTimeoutMs}`]),
  ].join(" ");
  const pool = new pg.Pool({
    connectionString: target.connectionString,
    ssl: target.tls === "prefer" ? false : target.tls,
    max: config.poolSize,
    connectionTimeoutMillis: config.poolTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: "vector-store",
    types,
    ...(options === "" ? {} : { options }),
    ...(config.statementTimeoutMs === 0 ? {} : { query_timeout: config.statementTimeoutMs + 5000 }),
  });
  // Without a listener, a server that closes an idle connection would end the process.
  pool.on("error", (error) => {
    log.warn({ err: error }, "an idle database connection was closed");
  });
  return {
    connect: async () => wrapClient(await pool.connect().catch(rethrow)),
    end: () => pool.end(),
  };
}

function wrapClient(client: pg.PoolClient): PostgresPoolClient {
  let failed = false;
  const query = async (text: string, values: readonly unknown[]) => {
    try {
      return await client.query(text, [...values]);
    } catch (error) {
      failed ||= isConnectionFailure(error);
      return rethrow(error);
    }
  };
  return {
    // Kysely's second overload is for cursors, which are not used here.
    query: query as unknown as PostgresPoolClient["query"],
    release: () => {
      client.release(failed);
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
