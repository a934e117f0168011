import { Kysely, PostgresDialect, sql } from "kysely";
import type { DatabaseConfig } from "../../process/config.js";
import { ApiError, StartupError } from "../../words/errors.js";
import type { Log } from "../../process/log.js";
import { createPgPool } from "../connection/pgPool.js";
import { parseDatabaseUrl } from "../connection/url.js";

/** A PostgreSQL that rows are read from and that is never changed. */
export interface SourceDatabase {
  /** host:port/database, for messages. */
  name: string;
  /** `?schema=` of its URL. */
  schema: string | null;
  /** A short transaction that only reads. */
  reading<T>(work: (tx: Kysely<unknown>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Counting the rows of a large table may take minutes. */
const statementTimeoutMs = 900_000;

/** @throws StartupError that names --from and never shows the password. */
export async function openSourceDatabase(config: DatabaseConfig, url: string, log: Log): Promise<SourceDatabase> {
  // The target's certificates are not the source's; the URL may name its own.
  const settings = {
    ...config,
    sslCaFile: null,
    sslCertFile: null,
    sslKeyFile: null,
    url,
    poolSize: 2,
    statementTimeoutMs,
  };
  const target = parseTarget(settings);
  const { hostname, port, pathname } = new URL(target.connectionString);
  // libpq's `prefer`: with TLS where the server has it, else without.
  for (const tls of target.tls === "prefer" ? [{ rejectUnauthorized: false }, false as const] : [target.tls]) {
    const run = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: createPgPool(settings, { ...target, tls }, log) }),
    });
    try {
      await sql`SELECT 1`.execute(run);
      return {
        name: `${hostname}:${port === "" ? "5432" : port}${decodeURIComponent(pathname)}`,
        schema: target.schema,
        reading: (work) => run.transaction().setAccessMode("read only").execute(work),
        close: () => run.destroy(),
      };
    } catch (error) {
      await run.destroy();
      const cause = error instanceof ApiError ? (error.details.cause ?? error) : error;
      const words = cause instanceof AggregateError ? cause.errors.map(String).join("; ") : String(cause);
      if (target.tls !== "prefer" || tls === false || !words.includes("does not support SSL"))
        throw new StartupError(`The source cannot be opened (--from): ${words.replace(/^\w*Error: /i, "")}`);
    }
  }
  throw new Error("unreachable: the last attempt returned or threw");
}

/** `parseDatabaseUrl`, with --from instead of DATABASE_URL in its messages. */
function parseTarget(settings: DatabaseConfig & { url: string }) {
  try {
    return parseDatabaseUrl(settings);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    throw new StartupError(error.message.replaceAll("DATABASE_URL", "--from"));
  }
}
