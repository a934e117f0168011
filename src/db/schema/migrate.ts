import { type Kysely, sql } from "kysely";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config, DatabaseConfig } from "../../process/config.js";
import { ApiError, StartupError, errorCode } from "../../words/errors.js";
import type { Log } from "../../process/log.js";
import { noPrompts } from "../../words/prompts.js";
import type { DatabaseKind, Executor } from "../executor.js";
import { jsonb } from "../expressions.js";
import { inspectEmbeddings, inspectVectorStores, requireStoreColumns } from "./inspect.js";
import { type Layout, describeDerived } from "./layout.js";
import { adopt } from "./adopt.js";
import { fitDimensions, fitNames } from "./fitSettings.js";
import { type Found, fillNames } from "./fillNames.js";
import type { OurTables } from "./ourTables.js";
import { requireVectorExtension } from "../connection/extension.js";
import { rightsNeeded } from "./roleAdvice.js";
import { appliedMigrations, readMigrations, servesProgram } from "./migrations.js";
import { type Tables, locateTables, tableExists } from "./tables.js";

/** Any constant will do, as long as all replicas use the same: the first eight bytes of "vector-store". */
const lockKey = 0x766563746f722d73n;

/**
 * How long a migration waits for a table in use before it gives way and starts again. While it waits, all other users
 * of the table wait behind it. It must be shorter than PostgreSQL's deadlock_timeout (1 s): if a migration and an
 * insertion wait for each other (seen in an upgrade under 20 insertions/s), the insertion could be the one to fail.
 */
const lockWaitMs = 300;
/** After this many tries (two minutes, with the pauses) some transaction does not end, and an operator should know. */
const mostTries = 200;
const longestPauseMs = 600;

/** The migration that made the column for prompts. */
const promptsSince = 5;

/** What to migrate. `schema`: where to create tables; null: by the role's search path. */
interface DatabaseToMigrate {
  run: Kysely<OurTables>;
  config: Config;
  schema: string | null;
  kind: DatabaseKind;
}

/**
 * Brings the schema up to date: all pending files of sql/ in one transaction, under an advisory lock that ends with the
 * transaction (so it works through PgBouncer, and of many replicas that start at once one migrates while the others
 * wait). Other programs may use the tables: the migration gives way.
 * @throws StartupError if the database is newer than the program, lacks pgvector, does not fit the settings, or is
 *   never free.
 */
export async function migrate(database: DatabaseToMigrate, log: Log): Promise<Layout> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryMigration(database, log);
    } catch (error) {
      if (!isInTheWay(error)) throw await asStartupError(error, database);
      if (tries === mostTries) {
        throw new StartupError(
          "The database could not be prepared: long transactions of other programs lock its tables. End them (SELECT * FROM pg_stat_activity), then start again.",
        );
      }
      if (tries === 1) log.info("the migration waits for other transactions");
      await sleep(Math.random() * longestPauseMs);
    }
  }
}

/** A lock timeout, or a deadlock in which PostgreSQL aborted us. */
function isInTheWay(error: unknown): boolean {
  const code = errorCode(error instanceof ApiError ? error.details.cause : error);
  return code === "55P03" || code === "40P01";
}

async function asStartupError(error: unknown, { run, config, schema }: DatabaseToMigrate): Promise<unknown> {
  if (error instanceof ApiError) return new StartupError(`The database could not be prepared: ${error.message}`);
  if (errorCode(error) !== "42501") return error;
  const needed = await fitNames(run, config.database, schema)
    .then((names) => locateTables(run, names, schema))
    .then((tables) => rightsNeeded(run, tables))
    .catch(() => []);
  const remedy =
    needed.length === 0
      ? "Let an administrator of the database grant it that right, and start again."
      : `Let an administrator of the database run: ${needed.join(" ")} Then start again.`;
  return new StartupError(`The database role may not prepare the tables (${(error as Error).message}). ${remedy}`);
}

async function tryMigration({ run, config, schema, kind }: DatabaseToMigrate, log: Log): Promise<Layout> {
  // Each statement must see what the lock's previous holder committed, whatever the role's default isolation is.
  return await run
    .transaction()
    .setIsolationLevel("read committed")
    .execute(async (tx) => {
      await sql`SET LOCAL statement_timeout = 0`.execute(tx);
      await sql`SET LOCAL lock_timeout = 0`.execute(tx);
      await sql`SELECT pg_advisory_xact_lock(${lockKey.toString()}::bigint)`.execute(tx);
      if (schema !== null) await createSchema(tx, schema);
      await requireVectorExtension(tx, schema);
      const names = await fitNames(tx, config.database, schema);
      const tables = await locateTables(tx, names, schema);
      // Find a wrong field name before anything is changed.
      const before = await inspect(tx, names, tables);
      const adopting = await applyPending(tx, names, tables, before, kind, log);
      const { vectorStores, embeddings } = await inspect(tx, names, tables);
      if (vectorStores === null || embeddings === null) {
        throw new StartupError(
          `The table "${vectorStores === null ? names.tables.vectorStores : names.tables.embeddings}" is gone although ` +
            `this schema's migrations have been applied. If DB_TABLES__* was changed, set it back.`,
        );
      }
      await requireStoreColumns(tx, names, tables.vectorStores);
      const derived = describeDerived(tables, kind);
      const layout = { vectorStores, embeddings, derived, ours: tables.ours };
      await requireDimensions(tx, layout, config, names);
      if (adopting) await adopt({ run: tx, layout }, tables, config, log);
      return layout;
    });
}

async function inspect(tx: Executor, config: DatabaseConfig, tables: Tables): Promise<Found> {
  return {
    embeddings: await inspectEmbeddings(tx, config, tables.embeddings),
    vectorStores: await inspectVectorStores(tx, config, tables.vectorStores),
  };
}

/** @returns whether another program's tables were found, and this is the first start on them */
async function applyPending(
  tx: Executor,
  config: DatabaseConfig,
  tables: Tables,
  found: Found,
  kind: DatabaseKind,
  log: Log,
): Promise<boolean> {
  // Not CREATE TABLE IF NOT EXISTS, which needs the right to create tables even if this one exists: a role that may
  // only read and write rows must be able to start on tables that another role has prepared.
  if (!(await tableExists(tx, tables.migrations))) {
    await sql`CREATE TABLE ${tables.migrations.reference} (
      version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
      oldest_program integer)`.execute(tx);
  }
  const applied = await appliedMigrations(tx, tables.migrations);
  const migrations = readMigrations();
  const newest = migrations.at(-1)?.version ?? 0;
  const ahead = applied.filter((each) => each.version > newest);
  const foreign = ahead.find((each) => !servesProgram(each, newest));
  if (foreign !== undefined) {
    throw new StartupError(
      `The database is newer than this program: it has migration ${foreign.version} (${foreign.name}), this program ends at ${newest}. ` +
        `Start the version that made it, or a later one.`,
    );
  }
  if (ahead.length > 0) {
    log.warn(
      { migrations: ahead.map((each) => each.name) },
      "the database is newer than this program, but still works with it",
    );
  }
  const changed = migrations.find((each) =>
    applied.some((a) => a.version === each.version && a.checksum !== each.checksum),
  );
  if (changed !== undefined) {
    throw new StartupError(
      `The file of migration ${changed.version} (${changed.name}) differs from the one that was applied to this database.`,
    );
  }
  const adopting = applied.length === 0 && (found.vectorStores !== null || found.embeddings !== null);
  if (adopting) {
    const adopted = [found.vectorStores && tables.vectorStores.quoted, found.embeddings && tables.embeddings.quoted];
    log.info({ tables: adopted.filter((each) => each !== null) }, "adopting existing tables");
  }
  const pending = migrations.filter((each) => !applied.some((a) => a.version === each.version));
  if (pending.length > 0) {
    await sql`SET LOCAL lock_timeout = ${sql.lit(lockWaitMs)}`.execute(tx);
    // First take the lock that most migrations need last, so that they hold no other lock while they wait for it.
    if (found.vectorStores !== null) {
      await sql`LOCK TABLE ${tables.vectorStores.reference} IN ACCESS EXCLUSIVE MODE`.execute(tx);
    }
    await sql`ALTER TABLE ${tables.migrations.reference} ADD COLUMN IF NOT EXISTS oldest_program integer`.execute(tx);
  }
  const newRows = applied.length === 0 && found.embeddings === null;
  for (const migration of pending) {
    if (newRows || !migration.onlyForNewRows)
      await sql.raw(fillNames(migration.text, { config, tables, found, kind })).execute(tx);
    await sql`INSERT INTO ${tables.migrations.reference} (version, name, checksum, oldest_program)
      VALUES (${migration.version}, ${migration.name}, ${migration.checksum}, ${migration.oldestProgram})`.execute(tx);
    log.info({ migration: migration.name }, "migrated");
  }
  // The rows of stores from before were embedded without prompts, whoever did it; see core/stores/settlePrompts.ts.
  if (pending.some(({ version }) => version === promptsSince)) {
    await sql`UPDATE ${tables.vectorStores.reference} SET embedding_prompts = ${jsonb(noPrompts)} WHERE chunk_count > 0`.execute(
      tx,
    );
  }
  return adopting;
}

async function createSchema(tx: Executor, schema: string): Promise<void> {
  const { rows } = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(tx);
  if (rows.length === 0) await sql`CREATE SCHEMA ${sql.id(schema)}`.execute(tx);
}

/**
 * The settings are wrong if their model's dimensions differ from the column's, or from those of stores whose model was
 * never recorded. Stores with a recorded model have its dimensions, whatever the settings say.
 * @throws StartupError
 */
async function requireDimensions(tx: Executor, layout: Layout, config: Config, names: DatabaseConfig): Promise<void> {
  const column = layout.embeddings.dimensions;
  const wanted = fitDimensions(config, column).embedding.dimensions;
  const { rows } = await sql<{ dimensions: number }>`
    SELECT embedding_dimensions AS dimensions FROM ${layout.vectorStores.table}
    WHERE chunk_count > 0 AND embedding_model IS NULL AND embedding_dimensions <> ${wanted} LIMIT 1`.execute(tx);
  const found = column ?? rows[0]?.dimensions ?? wanted;
  if (found !== wanted) {
    throw new StartupError(
      `EMBEDDING__DIMENSIONS is ${wanted}, but the embeddings in the table "${names.tables.embeddings}" have ${found} dimensions. ` +
        `Set EMBEDDING__DIMENSIONS=${found} and the model that made them (EMBEDDING__MODEL), or use another database or schema.`,
    );
  }
}
