import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { loadConfig } from "../src/process/config.js";
import { openDatabase } from "../src/db/connection/database.js";
import { insertChunks } from "../src/engines/pgvector/chunks.js";
import { newId } from "../src/words/ids.js";
import { createLog } from "../src/process/log.js";
import { atEnd } from "./cleanup.js";
import type { Row } from "./data.js";
import { type Target, openRaw } from "./database.js";
import { type Measured, percentiles } from "./load.js";

/** What the database can take in without the service. */

/** The engine's own insertion in this process: statements and encoding, but no HTTP, JSON, checks or counters. */
export async function openEngine(environment: Target["environment"], storeId: string) {
  const db = await openDatabase(loadConfig({ ...environment }), createLog("silent"));
  let open = true;
  const close = async () => {
    if (open) await db.close();
    open = false;
  };
  atEnd(close);
  return {
    close,
    insert: (rows: readonly Row[]) =>
      db.transaction((tx) => {
        const chunks = rows.map(({ content, metadata, vector }) => {
          return { id: newId("emb_"), content, metadata, embedding: vector };
        });
        return insertChunks(tx, storeId, chunks, Date.now());
      }),
  };
}

/** False if there is no psql; then COPY is not measured. */
export function hasPsql(psql: string): boolean {
  try {
    execFileSync(psql, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The tables that an insertion writes to. */
const written = ["embeddings", "vector_store_vectors"];

/**
 * Exports what the service has written for a store as binary COPY files, one per table. The returned function copies
 * them into empty tables like the originals, with or without their indexes, and returns psql's times in milliseconds:
 * for the record, and for the vectors for searching.
 * @param order ORDER BY …, if the rows should not be in the order in which they were written
 */
export function createCopy(
  psql: string,
  target: Target,
  storeId: string,
  order = "",
): (indexes: boolean) => Promise<{ record: number; vectors: number }> {
  const { DATABASE_URL = "" } = target.environment;
  const run = (...commands: string[]) =>
    execFileSync(psql, ["-X", "-v", "ON_ERROR_STOP=1", ...commands.flatMap((each) => ["-c", each])], {
      env: psqlEnvironment(DATABASE_URL),
      encoding: "utf8",
    });
  const files = written.map((table) => ({
    table,
    copy: `bench_${table}`,
    file: join(target.directory, `${table}.copy`),
  }));
  for (const { table, file } of files) {
    run(
      `\\copy (SELECT * FROM ${table} WHERE vector_store_id = '${storeId}' ${order}) TO '${file}' WITH (FORMAT binary)`,
    );
  }
  return async (indexes) => {
    const raw = await openRaw(target.environment);
    for (const { table, copy } of files) {
      await raw.query(`DROP TABLE IF EXISTS ${copy}`);
      await raw.query(`CREATE TABLE ${copy} (LIKE ${table} INCLUDING ${indexes ? "ALL" : "STORAGE"})`);
      // LIKE omits these options, which control where long values are stored.
      const [options] = await raw.query<{ text: string | null }>(
        `SELECT array_to_string(reloptions, ', ') AS text FROM pg_class WHERE oid = '${table}'::regclass`,
      );
      if (options?.text != null) await raw.query(`ALTER TABLE ${copy} SET (${options.text})`);
    }
    // Only a superuser may; otherwise the figures vary more.
    await raw.query("CHECKPOINT").catch(() => undefined);
    await raw.close();
    const said = run(
      "\\timing on",
      ...files.map(({ copy, file }) => `\\copy ${copy} FROM '${file}' WITH (FORMAT binary)`),
    );
    const times = [...said.matchAll(/Time: ([\d.]+) ms/g)].map((match) => Number(match[1]));
    const [record, vectors] = times;
    if (record === undefined || vectors === undefined) throw new Error(`psql said: ${said}`);
    return { record, vectors };
  };
}

/** @param seconds how long each measurement is repeated */
export async function measureCopies(psql: string, seconds: number, target: Target, storeId: string) {
  const copy = createCopy(psql, target, storeId);
  const measureOne = async (indexes: boolean): Promise<Measured> => {
    const times: number[] = [];
    // Warm-up.
    await copy(indexes);
    for (let total = 0; total < seconds * 1000 || times.length < 2; total += times.at(-1) ?? 0) {
      const { record, vectors } = await copy(indexes);
      times.push(record + vectors);
    }
    const rate = (1000 * times.length) / times.reduce((all, each) => all + each, 0);
    return { clients: 1, requests: times.length, rate, ...percentiles(times) };
  };
  return [
    { what: "limit: psql COPY, no indexes", measured: await measureOne(false) },
    { what: "limit: psql COPY, with their B-trees", measured: await measureOne(true) },
  ];
}

function psqlEnvironment(databaseUrl: string): Record<string, string | undefined> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(databaseUrl);
  return {
    PATH: process.env.PATH,
    PGHOST: hostname,
    PGPORT: port === "" ? "5432" : port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
    PGSSLMODE: searchParams.get("sslmode") ?? "prefer",
  };
}
