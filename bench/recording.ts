import type { PostgresPool } from "kysely";
import { join } from "node:path";
import { loadConfig } from "../src/process/config.js";
import { type Database, start } from "../src/db/connection/database.js";
import { createPgPool } from "../src/db/connection/pgPool.js";
import { parseDatabaseUrl } from "../src/db/connection/url.js";
import { type VectorStore, findStore } from "../src/db/tables/stores.js";
import { searchChunks } from "../src/engines/pgvector/nearest.js";
import { type Filter, parseFilter } from "../src/words/filter.js";
import { createLog } from "../src/process/log.js";
import type { RawDatabase, Target } from "./database.js";

/**
 * Records the statements of the service's own searches while its engine runs them, so that the limit cannot drift from
 * what the service does.
 */

interface Statement {
  text: string;
  values: readonly unknown[];
}

/** One search: the statements on each connection it used. */
export type Recorded = Statement[][];

/** The only place that knows the engine: a search as the service's core calls it. */
const searchOnce = (db: Database, store: VectorStore, embedding: Float32Array, filter: Filter | null, limit: number) =>
  searchChunks(db, { store, embedding, filter, limit, recall: "high", wideFilters, now: Date.now() });
const wideFilters = new Map<string, true>();

/** Runs each search once. On the embedded database the service must have stopped. */
export async function recordSearches(
  environment: Target["environment"],
  storeId: string,
  searches: readonly { vector: Float32Array; filters?: object }[],
  limit: number,
): Promise<Recorded[]> {
  const dimensions = searches[0]?.vector.length ?? 1536;
  const config = loadConfig({ ...environment, EMBEDDING__DIMENSIONS: String(dimensions) });
  const log = createLog("silent");
  const { pool, take } = recording(await openPool(config));
  const kind = environment.DATABASE_URL === undefined ? "pglite" : "postgres";
  const db = await start(pool, kind, config, log, { schema: null, release: () => Promise.resolve() });
  try {
    const store = await findStore(db, { kind: "all" }, storeId);
    if (store === undefined) throw new Error(`there is no store ${storeId}`);
    await take();
    const recorded: Recorded[] = [];
    for (const { vector, filters } of searches) {
      await searchOnce(db, store, vector, parseFilter(filters), limit);
      recorded.push(await take());
    }
    return recorded;
  } finally {
    await db.close();
  }
}

/** A pool with the service's own settings. */
export async function openPool(config: ReturnType<typeof loadConfig>): Promise<PostgresPool> {
  const { url } = config.database;
  if (url !== null) {
    const target = parseDatabaseUrl({ ...config.database, url });
    return createPgPool(config.database, target, createLog("silent"));
  }
  const { createPglitePool, openPglite } = await import("../src/db/connection/pglitePool.js");
  return createPglitePool(await openPglite({ dataDir: join(config.dataDir, "pglite") }));
}

/**
 * A pool that records its statements. `take` waits until connections are released, because a commit may follow the
 * answer.
 */
function recording(pool: PostgresPool): { pool: PostgresPool; take: () => Promise<Recorded> } {
  let sessions: Statement[][] = [];
  let ends: Promise<void>[] = [];
  const connect = async () => {
    const client = await pool.connect();
    const session: Statement[] = [];
    sessions.push(session);
    let ended: () => void = () => undefined;
    ends.push(new Promise((resolve) => (ended = resolve)));
    const query = (text: string, values: readonly unknown[] = []) => {
      session.push({ text, values });
      return client.query(text, values);
    };
    const release = () => {
      client.release();
      ended();
    };
    // Kysely's second overload is for cursors, which are not used here.
    return { query: query as never, release };
  };
  const take = async () => {
    await Promise.all(ends);
    const taken = sessions;
    [sessions, ends] = [[], []];
    return taken;
  };
  return { pool: { connect, end: () => pool.end() }, take };
}

const ending = /^\s*(commit|rollback)\s*;?\s*$/i;

/**
 * Sends the statements again. Resolves with the rows as soon as they arrive, as the service answers; a commit follows.
 */
export function replay(raw: RawDatabase, recorded: Recorded): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    let rows: unknown[] = [];
    const run = async () => {
      for (const [s, session] of recorded.entries()) {
        await raw.session(async (query) => {
          for (const { text, values } of session) {
            if (s === recorded.length - 1 && ending.test(text)) resolve(rows);
            const found = await query(text, values);
            // Statements that only change settings return nothing.
            if (found.length > 0) rows = found;
          }
        });
      }
      resolve(rows);
    };
    run().catch(reject);
  });
}
