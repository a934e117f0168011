import { PGlite, types } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import type { PostgresPoolClient } from "kysely";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unavailable } from "../../words/errors.js";
import { parseExactJson } from "../../words/exactJson.js";
import { withResolvers } from "../../process/withResolvers.js";
import { type CopyResult, isCopy } from "./copy.js";
import { translateError } from "./errors.js";
import type { Pool } from "./observedPool.js";

/** A pool look-alike: PGlite has one session, so connections are handed out one at a time, first come first served. */
export async function createPglitePool(pglite: PGlite): Promise<Pool> {
  await passBuffersAsBinary(pglite);
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;
  let busy = false;
  return {
    async connect() {
      if (closed) throw unavailable("The database is closed: the service is stopping.");
      const { promise: released, resolve } = withResolvers<undefined>();
      const previous = tail;
      tail = previous.then(() => released);
      await previous;
      busy = true;
      return {
        query: queryOf(pglite),
        release: () => {
          busy = false;
          resolve(undefined);
        },
      };
    },
    idle: () => (busy ? 0 : 1),
    async end() {
      closed = true;
      await tail;
      await pglite.close();
    },
  };
}

/** The numbers in JSON keep their digits. */
const parsers = { [types.JSON]: parseExactJson, [types.JSONB]: parseExactJson };

/**
 * Opens (and on the first start creates, in 2–5 s) an embedded PostgreSQL with pgvector in a directory, or from a dump.
 */
export async function openPglite(options: {
  dataDir?: string;
  loadDataDir?: Blob;
  /** Settings of PostgreSQL's, as `name=value`. */
  settings?: readonly string[];
}): Promise<PGlite> {
  const making = options.dataDir === undefined ? null : `${options.dataDir}.making`;
  if (options.dataDir !== undefined && making !== null) {
    // The first start was killed while creating the database. It has no data yet, and PGlite could never open it again.
    if (existsSync(making)) rmSync(options.dataDir, { recursive: true, force: true });
    if (!existsSync(join(options.dataDir, "PG_VERSION"))) {
      mkdirSync(dirname(making), { recursive: true, mode: 0o700 });
      writeFileSync(making, "");
    }
  }
  const { settings = [], ...place } = options;
  const startParams = [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ["-c", setting])];
  const pglite = await PGlite.create({ ...place, startParams, extensions: { vector }, parsers });
  await pglite.exec("CREATE EXTENSION IF NOT EXISTS vector");
  // A checkpoint removes old WAL. By default PostgreSQL keeps 80 MB of it and more for reuse, which here is most of a
  // small database's directory, and fills new files with zeros first.
  await pglite.exec("SET wal_recycle = off; SET wal_init_zero = off");
  if (making !== null) rmSync(making, { force: true });
  return pglite;
}

function queryOf(pglite: PGlite): PostgresPoolClient["query"] {
  const query = async (text: string, values: readonly unknown[] | undefined) => {
    try {
      if (isCopy(text)) return await copyIn(pglite, text, values);
      // Only the simple protocol takes several statements in one text (migrations); only the extended one takes
      // parameters.
      const result =
        values === undefined || values.length === 0
          ? (await pglite.exec(text)).at(-1)
          : await pglite.query<Record<string, unknown>>(text, [...values]);
      const rows = result?.rows ?? [];
      // Kysely reads the command only to know whether rowCount counts changed rows.
      const command =
        /^\s*(?:with\b[\s\S]*?\b)?(insert|update|delete|merge|select)\b/i.exec(text)?.[1]?.toUpperCase() ?? "";
      return { rows, rowCount: result?.affectedRows ?? rows.length, command };
    } catch (error) {
      throw translateError(error);
    }
  };
  // Kysely's second overload is for cursors, which are not used here.
  return query as unknown as PostgresPoolClient["query"];
}

/** Like `runCopy`, for COPY … FROM STDIN only. */
async function copyIn(pglite: PGlite, text: string, values: readonly unknown[] = []): Promise<CopyResult> {
  const blob = new Blob(values.filter((value) => Buffer.isBuffer(value)));
  const { affectedRows = 0 } = await pglite.query(text.replace("FROM STDIN", "FROM '/dev/blob'"), [], { blob });
  return { command: "COPY", rowCount: affectedRows, rows: [] };
}

/**
 * `pg` sends a Buffer parameter as binary; PGlite would call toString() on one unless its type's serializer lets it
 * through.
 */
async function passBuffersAsBinary(pglite: PGlite): Promise<void> {
  const names = ["vector", "halfvec", "text", "uuid", "jsonb", "int8"].flatMap((name) => [name, `_${name}`]);
  const { rows } = await pglite.query<{ oid: number }>("SELECT oid::int AS oid FROM pg_type WHERE typname = ANY($1)", [
    names,
  ]);
  for (const { oid } of rows) {
    const usual = pglite.serializers[oid];
    pglite.serializers[oid] = (value: unknown) =>
      Buffer.isBuffer(value) ? (value as unknown as string) : usual === undefined ? String(value) : usual(value);
  }
}
