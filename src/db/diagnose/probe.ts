import { Kysely, PostgresDialect, type PostgresPool, sql } from "kysely";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config, DatabaseConfig } from "../../process/config.js";
import { ApiError } from "../../words/errors.js";
import type { Log } from "../../process/log.js";
import { DataDirInUse, lockDataDir } from "../connection/dataDirLock.js";
import { appliedMigrations, readMigrations, servesProgram } from "../schema/migrations.js";
import { createPgPool } from "../connection/pgPool.js";
import { type Tables, tableExists } from "../schema/tables.js";
import { parseDatabaseUrl } from "../connection/url.js";
import type { Executor } from "../executor.js";

/** A database opened only to read: nothing is migrated, and every transaction is READ ONLY. */
export interface Probe {
  look<T>(work: (tx: Executor) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `absent`: the embedded database does not exist yet; `in use`: another process, probably the server, has it open. */
export type Opened = Probe | "absent" | "in use";

/** A person is waiting, so give up early on a database that is slow to connect or count. */
const limits = { poolSize: 1, poolTimeoutMs: 5000, statementTimeoutMs: 15_000 };

/** @throws StartupError or the driver's error when the database cannot be opened. */
export async function openToLook(config: Config, log: Log): Promise<Opened> {
  const { url } = config.database;
  return url === null ? lookAtEmbedded(config) : lookAtServer({ ...config.database, ...limits, url }, log);
}

async function lookAtServer(config: DatabaseConfig & { url: string }, log: Log): Promise<Probe> {
  const target = parseDatabaseUrl(config);
  // libpq's `prefer`: with TLS where the server has it, else without.
  for (const tls of target.tls === "prefer" ? [{ rejectUnauthorized: false }, false as const] : [target.tls]) {
    const pool = createPgPool(config, { ...target, tls }, log);
    const probe = probeOn(pool, () => Promise.resolve());
    try {
      await probe.look((tx) => sql`SELECT 1`.execute(tx));
      return probe;
    } catch (error) {
      await probe.close();
      const cause = error instanceof ApiError ? (error.details.cause ?? error) : error;
      if (target.tls !== "prefer" || tls === false || !String(cause).includes("does not support SSL")) throw cause;
    }
  }
  throw new Error("unreachable: the last attempt returned or threw");
}

async function lookAtEmbedded(config: Config): Promise<Opened> {
  const dataDir = join(config.dataDir, "pglite");
  if (!existsSync(join(dataDir, "PG_VERSION"))) return "absent";
  let release: () => Promise<void>;
  try {
    release = await lockDataDir(config.dataDir);
  } catch (error) {
    if (error instanceof DataDirInUse) return "in use";
    throw error;
  }
  try {
    const [{ PGlite }, { vector }, { createPglitePool }] = await Promise.all([
      import("@electric-sql/pglite"),
      import("@electric-sql/pglite-pgvector"),
      import("../connection/pglitePool.js"),
    ]);
    return probeOn(await createPglitePool(await PGlite.create({ dataDir, extensions: { vector } })), release);
  } catch (error) {
    await release();
    throw error;
  }
}

function probeOn(pool: PostgresPool, release: () => Promise<void>): Probe {
  const run = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return {
    look: (work) =>
      run
        .transaction()
        .setAccessMode("read only")
        .execute((tx) => work(tx)),
    close: async () => {
      await run.destroy();
      await release();
    },
  };
}

export interface ServerFacts {
  version: string;
  database: string;
  role: string;
  /** A standby, or a server set to read-only: reads work, writes do not. */
  readOnly: boolean;
  pgvector: { installed: string | null; available: string | null; mayCreate: boolean };
  /** False if `?schema=` names a schema that does not exist yet. */
  schemaExists: boolean;
}

export async function serverFacts(tx: Executor, schema: string | null): Promise<ServerFacts> {
  const { rows } = await sql<Omit<ServerFacts, "pgvector"> & ServerFacts["pgvector"]>`
    SELECT current_setting('server_version') AS version, current_database()::text AS database, current_user::text AS role,
           (pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on') AS "readOnly",
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed,
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
           ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
             OR (COALESCE((SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = 'vector'), false)
                 AND has_database_privilege(current_database(), 'CREATE'))) AS "mayCreate",
           (${schema}::text IS NULL OR EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = ${schema})) AS "schemaExists"`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the database returned no row");
  const { installed, available, mayCreate, ...rest } = row;
  return { ...rest, pgvector: { installed, available, mayCreate } };
}

export interface MigrationFacts {
  /** The last one applied; 0 for none. Tells which of this program's columns and tables exist. */
  version: number;
  /** Names as `0001 vector_stores_and_embeddings`. */
  applied: string[];
  pending: string[];
  /** In the database and unknown to this program, which cannot work with them. */
  newer: string[];
  /** In the database and unknown to this program, but it can work with them. */
  compatible: string[];
  /** Applied with another text than this program's. */
  changed: string[];
}

export async function migrationFacts(tx: Executor, tables: Tables): Promise<MigrationFacts> {
  const recorded = (await tableExists(tx, tables.migrations)) ? await appliedMigrations(tx, tables.migrations) : [];
  const files = readMigrations();
  const label = (each: { version: number; name: string }) => `${String(each.version).padStart(4, "0")} ${each.name}`;
  const last = files.at(-1)?.version ?? 0;
  return {
    version: recorded.at(-1)?.version ?? 0,
    applied: recorded.map(label),
    pending: files.filter((file) => !recorded.some((each) => each.version === file.version)).map(label),
    newer: recorded.filter((each) => each.version > last && !servesProgram(each, last)).map(label),
    compatible: recorded.filter((each) => each.version > last && servesProgram(each, last)).map(label),
    changed: recorded
      .filter((each) => files.some((file) => file.version === each.version && file.checksum !== each.checksum))
      .map(label),
  };
}
