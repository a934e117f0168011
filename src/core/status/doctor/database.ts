import type { Config } from "../../../process/config.js";
import { type Layout } from "../../../db/schema/layout.js";
import * as diagnose from "../../../db/diagnose/probe.js";
import { isTooOld } from "../../../db/connection/extension.js";
import { type Tables, locateTables } from "../../../db/schema/tables.js";
import { parseDatabaseUrl } from "../../../db/connection/url.js";
import { StartupError } from "../../../words/errors.js";
import { type Findings, wordsOf } from "./findings.js";
import { checkIndexes } from "./indexes.js";
import { checkContents, checkModels, checkRegistryKey } from "./stored.js";
import { fitDimensions, fitNames } from "../../../db/schema/fitSettings.js";
import { inspectEmbeddings, inspectVectorStores } from "../../../db/schema/inspect.js";

/** Reads in transactions that change nothing. */
export type Looking = Pick<diagnose.Probe, "look">;

/**
 * Checks the database without writing to it. Stops where further checks would make no sense.
 * @returns the settings as its tables make a start use them
 */
export async function checkDatabase(probe: Looking, given: Config, findings: Findings): Promise<Config> {
  const schema = schemaOf(given);
  const facts = await probe.look((tx) => diagnose.serverFacts(tx, schema));
  const kind =
    given.database.url === null
      ? `embedded, in ${given.dataDir}`
      : `database "${facts.database}", role "${facts.role}"`;
  const message = `PostgreSQL ${facts.version} (${kind})`;
  if (facts.readOnly)
    findings.fail("database", `${message} accepts no writes`, "Point DATABASE_URL at the primary server.");
  else findings.ok("database", message);
  if (!checkPgvector(facts.pgvector, findings)) return given;
  if (!facts.schemaExists) {
    findings.warn(
      "migrations",
      `the schema "${schema ?? ""}" does not exist yet`,
      'Nothing to do: the first start, or "vector-store migrate", creates it.',
    );
    return given;
  }
  const named = { ...given, database: await probe.look((tx) => fitNames(tx, given.database, schema)) };
  const tables = await probe.look((tx) => locateTables(tx, named.database, schema));
  const place = { probe, config: named, tables, findings };
  const version = await checkMigrations(place);
  const layout = await checkTables(place);
  if (layout === null) return named;
  const config = fitDimensions(named, layout.dimensions);
  const stored = { ...place, config, version };
  await checkModels(stored, layout.dimensions);
  await checkContents(stored);
  await checkRegistryKey(stored);
  await checkIndexes(stored);
  return config;
}

interface Place {
  probe: Looking;
  config: Config;
  tables: Tables;
  findings: Findings;
}

const schemaOf = (config: Config) =>
  config.database.url === null ? null : parseDatabaseUrl({ ...config.database, url: config.database.url }).schema;

/** False if the database does not have pgvector, and therefore no table with vectors. */
function checkPgvector(pgvector: diagnose.ServerFacts["pgvector"], findings: Findings): boolean {
  const { installed, available, mayCreate } = pgvector;
  const version = installed ?? available;
  if (version === null) {
    findings.fail(
      "pgvector",
      "the PostgreSQL server does not have it",
      "Install its package on the database server (0.7 or later; the image pgvector/pgvector has it).",
    );
    return false;
  }
  if (isTooOld(version)) {
    const update = installed === null ? "" : ", then run: ALTER EXTENSION vector UPDATE;";
    findings.fail(
      "pgvector",
      `version ${version}; 0.7 or later is needed`,
      `Install a newer package on the database server${update}`,
    );
    return false;
  }
  if (installed !== null) {
    findings.ok("pgvector", `version ${installed}`);
    return true;
  }
  if (mayCreate)
    findings.warn(
      "pgvector",
      `version ${version} is on the server but not in this database yet`,
      "Nothing to do: the first start creates the extension.",
    );
  else
    findings.fail(
      "pgvector",
      `version ${version} is on the server but not in this database, and this role may not create it`,
      "Ask an administrator to run in this database: CREATE EXTENSION vector;",
    );
  return false;
}

/** @returns the number of the last migration applied, which says what tables and columns exist */
async function checkMigrations({ probe, tables, findings }: Place): Promise<number> {
  const { version, applied, pending, newer, compatible, changed } = await probe.look((tx) =>
    diagnose.migrationFacts(tx, tables),
  );
  if (newer.length > 0) {
    findings.fail(
      "migrations",
      `the database is newer than this program: it has ${newer.join(", ")}`,
      "Start the version that made it, or a later one.",
    );
  } else if (changed.length > 0) {
    findings.fail(
      "migrations",
      `this program's ${changed.join(", ")} differs from what was applied`,
      "Reinstall the program, unchanged.",
    );
  } else if (pending.length > 0) {
    findings.warn(
      "migrations",
      `${applied.length} applied, pending: ${pending.join(", ")}`,
      'Nothing to do: the next start, or "vector-store migrate", applies them.',
    );
  } else if (compatible.length > 0) {
    findings.warn(
      "migrations",
      `the database has ${compatible.join(", ")} from a newer program, and still works with this one`,
      "Nothing to do during an upgrade or a rollback. Afterwards, install the newer version again.",
    );
  } else findings.ok("migrations", `all applied (${applied.length}, the last is ${applied.at(-1) ?? ""})`);
  return version;
}

/** The embeddings table, or null if it is missing or does not fit the settings. */
async function checkTables({ probe, config, tables, findings }: Place): Promise<Layout["embeddings"] | null> {
  const names = config.database.tables;
  try {
    const [stores, embeddings] = await probe.look(
      async (tx) =>
        [
          await inspectVectorStores(tx, config.database, tables.vectorStores),
          await inspectEmbeddings(tx, config.database, tables.embeddings),
        ] as const,
    );
    if (stores !== null && embeddings !== null) {
      findings.ok("tables", `"${names.vectorStores}" and "${names.embeddings}" fit the settings`);
      return embeddings;
    }
    const missing = [stores ?? names.vectorStores, embeddings ?? names.embeddings].filter(
      (each) => typeof each === "string",
    );
    findings.warn(
      "tables",
      `missing: ${missing.join(", ")}`,
      "Nothing to do for a new database: the first start creates them. Otherwise check DB_TABLES__* and the schema in DATABASE_URL.",
    );
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    findings.fail("tables", error.message, "Correct the setting it names (DB_FIELDS__*, DB_TABLES__*), or the table.");
  }
  return null;
}

/** Reports why the database could not be opened. */
export function reportUnopened(error: unknown, config: Config, findings: Findings): void {
  if (config.database.url === null) {
    findings.fail(
      "database",
      `the embedded database in ${config.dataDir} cannot be opened: ${wordsOf(error)}`,
      "Check the directory's owner and free space (DATA_DIR).",
    );
  } else if (error instanceof StartupError) findings.fail("database", error.message, "Correct DATABASE_URL.");
  else
    findings.fail(
      "database",
      `cannot be opened: ${wordsOf(error)}`,
      "Check host, port, user and password in DATABASE_URL, and that the server runs and accepts connections from this host.",
    );
}
