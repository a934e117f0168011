import type { PostgresPool } from "kysely";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { loadConfig } from "../src/process/config.js";
import { parseDatabaseUrl } from "../src/db/connection/url.js";
import { atEnd } from "./cleanup.js";

/** A database for this benchmark, dropped at the end. */
export interface Target {
  kind: "postgres" | "pglite";
  /** An empty directory for this benchmark, removed at the end. */
  directory: string;
  /** The environment in which the service, and the bare server, use this database. */
  environment: { DATABASE_URL?: string; DATA_DIR: string };
}

type Query = <R = unknown>(text: string, values?: readonly unknown[]) => Promise<R[]>;

/** The database without the service. PGlite has one owner, so there the service must have stopped. */
export interface RawDatabase {
  query: Query;
  /** Several statements on one connection. */
  session<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close: () => Promise<void>;
}

/** @param url a PostgreSQL server on which to create a database, or `pglite` for the embedded one */
export async function createTarget(url: string): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), "vector-store-bench-"));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  const environment = { DATA_DIR: join(directory, "data") };
  if (url === "pglite") return { kind: "pglite", directory, environment };
  const name = `bench_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Pool({ ...connection(url), max: 1 });
  await admin.query(`CREATE DATABASE ${name}`);
  atEnd(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  });
  const own = new URL(url);
  own.pathname = `/${name}`;
  own.searchParams.delete("schema");
  return { kind: "postgres", directory, environment: { ...environment, DATABASE_URL: own.toString() } };
}

export async function openRaw({ DATABASE_URL, DATA_DIR }: Target["environment"]): Promise<RawDatabase> {
  const pool = DATABASE_URL === undefined ? await openEmbedded(DATA_DIR) : openServer(DATABASE_URL);
  let open = true;
  const close = async () => {
    if (open) {
      open = false;
      await pool.end();
    }
  };
  // Dropping a database under an open pool would end the process.
  atEnd(close);
  const session: RawDatabase["session"] = async (work) => {
    const client = await pool.connect();
    const query = async <R>(text: string, values: readonly unknown[] = []) => {
      // A text with several statements has several results.
      const results = [await client.query<R>(text, values)].flat();
      return results.at(-1)?.rows ?? [];
    };
    try {
      return await work(query);
    } finally {
      client.release();
    }
  };
  return { close, session, query: (text, values) => session((query) => query(text, values)) };
}

function openServer(url: string): PostgresPool {
  // The service's default number of connections.
  const pool = new pg.Pool({ ...connection(url), max: 10 });
  return {
    connect: async () => {
      const client = await pool.connect();
      return {
        // Kysely's second overload is for cursors, which are not used here.
        query: ((text: string, values: unknown[]) => client.query(text, values)) as never,
        release: () => {
          client.release();
        },
      };
    },
    end: () => pool.end(),
  };
}

async function openEmbedded(dataDir: string): Promise<PostgresPool> {
  const { createPglitePool, openPglite } = await import("../src/db/connection/pglitePool.js");
  return createPglitePool(await openPglite({ dataDir: join(dataDir, "pglite") }));
}

function connection(url: string): pg.PoolConfig {
  const { connectionString, tls } = parseDatabaseUrl({ ...loadConfig({}).database, url });
  return { connectionString, ssl: tls === "prefer" ? false : tls };
}
