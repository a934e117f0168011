import type { PGlite } from "@electric-sql/pglite";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { type Config, loadConfig } from "../../src/process/config.js";
import { openDatabase, start } from "../../src/db/connection/openDatabase.js";
import { observePool } from "../../src/db/connection/observedPool.js";
import { createPglitePool, openPglite } from "../../src/db/connection/pglitePool.js";
import { type Log, createLog } from "../../src/process/log.js";
import type { Metrics } from "../../src/process/metrics.js";
import { testDimensions, testKey } from "./settings.js";
import { databaseAt, emptyDump, templatePrefix, testServer } from "./testServer.js";
import type { Database } from "../../src/db/database.js";

/** A separate empty database with pgvector: embedded, or on the PostgreSQL that TEST_DATABASE_URL names. */
export interface TestDatabase {
  kind: "postgres" | "pglite";
  /** Runs SQL beside the service: several statements, no parameters. */
  exec(sql: string): Promise<void>;
  /** Runs one statement beside the service. */
  query<T = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<T[]>;
  /** The service's own start on this database: migrates and checks. May be called again after `close()`. */
  open(environment?: Record<string, string>, metrics?: Metrics, log?: Log): Promise<{ db: Database; config: Config }>;
  drop(): Promise<void>;
}

const silent = createLog("silent");

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testServer();
  return server === null ? createEmbedded(emptyDump()) : createOnServer(server);
}

/** One that the service has migrated already: to migrate it takes as long as a short test. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const server = testServer();
  return server === null
    ? createEmbedded(await migratedDump())
    : createOnServer(server, await migratedTemplate(server));
}

/** The first test file of a run that needs it makes it; the others share it. */
async function migratedDump(): Promise<string> {
  const file = join(process.env.TEST_DIRECTORY ?? "", "migrated.tar");
  if (existsSync(file)) return file;
  const pglite = await openDump(emptyDump());
  const embedded = await serve(pglite);
  await embedded.open();
  const dump = await pglite.dumpDataDir("none");
  const own = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(own, Buffer.from(await dump.arrayBuffer()));
  try {
    // Not renamed: another worker may be reading the file that it made meanwhile.
    linkSync(own, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  }
  rmSync(own);
  await embedded.drop();
  return file;
}

function configFor(environment: Record<string, string>): Config {
  return loadConfig({
    EMBEDDING__DIMENSIONS: String(testDimensions),
    SERVER_API_KEY: testKey,
    LOG_LEVEL: "silent",
    ...environment,
  });
}

const createEmbedded = async (dump: string) => serve(await openDump(dump));

/** Its buffers are smaller than the service's, which take a fifth of a second to clear. */
const openDump = async (dump: string) =>
  openPglite({ loadDataDir: await openAsBlob(dump), settings: ["shared_buffers=16MB"] });

async function serve(pglite: PGlite): Promise<TestDatabase> {
  const pool = await createPglitePool(pglite);
  // The database outlives the service, as on a server.
  const shared = { connect: () => pool.connect(), end: () => Promise.resolve(), idle: () => pool.idle() };
  return {
    kind: "pglite",
    exec: async (sql) => {
      await pglite.exec(sql);
    },
    query: async <T>(sql: string, parameters: unknown[] = []) => (await pglite.query<T>(sql, parameters)).rows,
    open: async (environment = {}, metrics, log = silent) => {
      const config = configFor(environment);
      const observed = metrics === undefined ? shared : observePool(shared, metrics);
      return {
        config,
        db: await start(observed, "pglite", config, log, { schema: null, release: () => Promise.resolve() }),
      };
    },
    drop: () => pglite.close(),
  };
}

interface Server {
  url: string;
  direct: string;
}

let template: Promise<string> | undefined;
/** The same on a server: the name of a database that others are copied from. globalTeardown.js drops it. */
const migratedTemplate = (server: Server) => (template ??= findTemplate(server));

async function findTemplate(server: Server): Promise<string> {
  const name = `${templatePrefix()}${process.env.JEST_WORKER_ID ?? ""}`;
  const admin = new pg.Client({ connectionString: server.direct });
  await admin.connect();
  const { rows } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rows.length === 0) {
    const made = await createOnServer(server);
    const { db } = await made.open({ DATABASE_URL: databaseAt(server.direct, made.name) });
    await db.close();
    await made.keepAs(name);
  }
  await admin.end();
  return name;
}

async function createOnServer({ url, direct }: Server, template?: string) {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: direct });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${template}`}`);
  const beside = new pg.Pool({ connectionString: databaseAt(direct, name), max: 2 });
  // DROP DATABASE … WITH (FORCE) also ends connections that are still closing.
  beside.on("error", () => undefined);
  await beside.query("CREATE EXTENSION IF NOT EXISTS vector");
  const database: TestDatabase = {
    kind: "postgres",
    exec: async (sql) => {
      await beside.query(sql);
    },
    query: async <T>(sql: string, parameters: unknown[] = []) => (await beside.query(sql, parameters)).rows as T[],
    open: async (environment = {}, metrics, log = silent) => {
      const config = configFor({ DATABASE_URL: databaseAt(url, name), ...environment });
      return { config, db: await openDatabase(config, log, metrics) };
    },
    drop: async () => {
      await beside.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
  const keepAs = async (other: string) => {
    await beside.end();
    await admin.query(`ALTER DATABASE ${name} RENAME TO ${other}`);
    await admin.end();
  };
  return { ...database, name, keepAs };
}
