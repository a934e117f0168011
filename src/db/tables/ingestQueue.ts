import { type RawBuilder, expressionBuilder, sql } from "kysely";
import { isFile, lockStoreFile } from "./storeFiles.js";
import { type Db, ours } from "../database.js";
import { jsonb } from "../expressions.js";
import type { ColumnsOf } from "../schema/ourTables.js";
import type { Payer } from "../../words/caller.js";
import type { CuttingPlan, IngestSettings, LastError, StoreFile, StoreFileKey } from "../../words/file.js";

/**
 * The queue of files to ingest: the store files that are in progress. A worker takes a file with a lease and must renew
 * it. After a crash the lease runs out, and another worker continues after the last stored chunk.
 */

const table = "vector_store_files";
const files = (db: Db) => ours(db, table);
/** For SET: TypeScript checks the names of an object that is passed directly, not of one that a callback returns. */
const eb: ColumnsOf<typeof table> = expressionBuilder();

/** The queue uses the database's clock, because replicas' clocks differ. */
const now = sql<Date>`now()`;
const inSeconds = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds}::float8)`;

/** Whether a row is this file, and this lease holds it. */
const isLeased = (file: StoreFileKey, lease: string) =>
  eb.and([isFile(file)(eb), eb("lease", "=", lease), eb("status", "=", "in_progress")]);

/** Workers that take a file at the same moment skip the files that others are just taking. */
const mostTakers = 100;

/**
 * Whether a file waits for its twin, the same content with the same settings in the same store, under any name: for one
 * that a worker has, or else for an older one. Once that is complete, this one shares its chunks or copies their
 * vectors, so they are paid for once; and no other twin waits any more.
 */
const waitsForTwin = (reference: RawBuilder<unknown>) => sql`(EXISTS (
  SELECT 1 FROM ${reference} AS t
  WHERE t.vector_store_id = f.vector_store_id AND t.content_hash = f.content_hash AND t.status = 'in_progress'
    AND t.file_id <> f.file_id AND t.settings = f.settings
    AND (t.lease_until > now() OR (t.created_at, t.file_id) < (f.created_at, f.file_id)))
  AND NOT EXISTS (
  SELECT 1 FROM ${reference} AS t
  WHERE t.vector_store_id = f.vector_store_id AND t.content_hash = f.content_hash AND t.status = 'completed'
    AND t.settings = f.settings))`;

/**
 * The second attempt without progress comes at once, later ones after 4, 8, 16 … seconds: a series of crashes, whoever
 * causes it, must not use up the attempts of a good file, and a bad one must not crash every process that starts.
 */
const afterCrash = sql`now() + make_interval(secs => CASE WHEN f.attempts < 2 THEN 0 ELSE 2 ^ LEAST(f.attempts, 9) END)`;

/**
 * Takes the next file: the oldest of the store that the fewest workers serve and, if several have as few, that has
 * waited longest. As SQL, because its plan matters: every worker runs it after each file.
 * @param lease names the taker
 * @returns undefined if there is nothing to do.
 */
export async function takeNext(db: Db, lease: string, leaseSeconds: number): Promise<StoreFileKey | undefined> {
  const { reference } = db.layout.ours[table];
  const waits = sql`f.status = 'in_progress' AND f.run_after <= now() AND (f.lease_until IS NULL OR f.lease_until <= now())`;
  const { rows } = await sql<StoreFileKey>`
    WITH stores AS MATERIALIZED (
      SELECT s.vector_store_id,
             (SELECT count(*) FROM ${reference} AS b
              WHERE b.vector_store_id = s.vector_store_id AND b.status = 'in_progress' AND b.lease_until > now()) AS busy,
             (SELECT max(b.taken_at) FROM ${reference} AS b WHERE b.vector_store_id = s.vector_store_id) AS served
      FROM (SELECT DISTINCT f.vector_store_id FROM ${reference} AS f WHERE ${waits}) AS s
    ), next AS (
      SELECT f.vector_store_id, f.file_id
      FROM stores AS s CROSS JOIN LATERAL (
        SELECT f.file_id FROM ${reference} AS f
        WHERE f.vector_store_id = s.vector_store_id AND ${waits} AND NOT ${waitsForTwin(reference)}
        ORDER BY f.created_at, f.file_id LIMIT ${mostTakers}) AS w
      JOIN ${reference} AS f ON f.vector_store_id = s.vector_store_id AND f.file_id = w.file_id
      WHERE ${waits}
      ORDER BY s.busy, s.served NULLS FIRST, f.created_at, f.file_id LIMIT 1 FOR UPDATE OF f SKIP LOCKED
    )
    UPDATE ${reference} AS f
    SET lease = ${lease}, lease_until = ${inSeconds(leaseSeconds)}, taken_at = clock_timestamp(), attempts = f.attempts + 1,
        run_after = ${afterCrash}
    FROM next AS n WHERE f.vector_store_id = n.vector_store_id AND f.file_id = n.file_id
    RETURNING f.vector_store_id::text AS "vectorStoreId", f.file_id AS "fileId"`.execute(db.run);
  return rows[0];
}

/** Ends all leases, when the only process that can use this database starts. */
export async function endLeases(db: Db): Promise<void> {
  await files(db).updateTable(table).set({ lease: null, lease_until: null }).where("lease", "is not", null).execute();
}

/** @returns false if this lease no longer holds the file. */
export async function renewLease(db: Db, file: StoreFileKey, lease: string, leaseSeconds: number): Promise<boolean> {
  const renewed = await files(db)
    .updateTable(table)
    .set({ lease_until: inSeconds(leaseSeconds) })
    .where(isLeased(file, lease))
    .returning("file_id")
    .executeTakeFirst();
  return renewed !== undefined;
}

/** Whether this lease still holds the file, and it is still in progress. */
export async function isHeld(db: Db, file: StoreFileKey, lease: string): Promise<boolean> {
  const held = await files(db).selectFrom(table).select("file_id").where(isLeased(file, lease)).executeTakeFirst();
  return held !== undefined;
}

/**
 * The file as it is now, locked until the transaction ends; undefined if this lease no longer holds it, or it is no
 * longer in progress.
 */
export async function lockLeased(tx: Db, file: StoreFileKey, lease: string): Promise<StoreFile | undefined> {
  const found = await lockStoreFile(tx, file.vectorStoreId, file.fileId);
  return found?.lease === lease && found.status === "in_progress" ? found : undefined;
}

export interface Progress {
  stage?: StoreFile["stage"];
  madeBy?: number;
  plan?: CuttingPlan;
  chunksTotal?: number;
  /** Added to what is recorded. */
  chunks?: number;
  bytes?: number;
}

/** Records progress. Stored chunks reset the attempts: a long document may outlive many processes. */
export async function recordProgress(tx: Db, file: StoreFileKey, progress: Progress): Promise<void> {
  const { stage, madeBy, plan, chunksTotal, chunks = 0, bytes = 0 } = progress;
  await files(tx)
    .updateTable(table)
    .set({
      // Kysely leaves out what is undefined.
      stage,
      made_by: madeBy,
      plan: plan === undefined ? undefined : jsonb(plan),
      chunks_total: chunksTotal,
      chunk_count: eb("chunk_count", "+", chunks),
      content_bytes: eb("content_bytes", "+", bytes),
      attempts: chunks > 0 ? 0 : undefined,
    })
    .where(isFile(file))
    .execute();
}

/** The file has no chunks any more; the ids of its next ones will begin with `chunkBase`. */
export async function forgetChunks(tx: Db, file: StoreFileKey, chunkBase: string): Promise<void> {
  await files(tx)
    .updateTable(table)
    .set({ chunk_base: chunkBase, chunk_count: 0, content_bytes: 0, chunks_total: null })
    .where(isFile(file))
    .execute();
}

/** How the ingestion of a file ends. `sameAs`: the file whose chunks stand for it. */
export type FileEnd =
  { status: "completed"; sameAs?: string } | { status: "failed"; error: LastError } | { status: "cancelled" };

export async function finishFile(tx: Db, file: StoreFileKey, end: FileEnd): Promise<void> {
  const error = end.status === "failed" ? end.error : null;
  await files(tx)
    .updateTable(table)
    .set({
      status: end.status,
      stage: "done",
      lease: null,
      lease_until: null,
      error_code: error?.code ?? null,
      error_message: error?.message ?? null,
      same_as: end.status === "completed" ? (end.sameAs ?? null) : null,
    })
    .where(isFile(file))
    .execute();
}

/**
 * Puts a file back into the queue, for a later try.
 * @param options.attempted whether this counts as one of the file's attempts
 * @param options.lasts `why` does not pass by itself
 */
export async function giveBack(
  db: Db,
  file: StoreFileKey,
  lease: string,
  options: { afterSeconds: number; attempted: boolean; why: string | null; lasts: boolean },
): Promise<void> {
  const { afterSeconds, attempted, why, lasts } = options;
  await files(db)
    .updateTable(table)
    .set({
      lease: null,
      lease_until: null,
      run_after: inSeconds(afterSeconds),
      attempts: attempted ? undefined : eb("attempts", "-", 1),
      error_message: why,
      error_code: lasts ? "server_error" : null,
    })
    .where(isLeased(file, lease))
    .execute();
}

/**
 * Puts a file that has no chunks of its own, or none any more, back into the queue.
 * @param wanted.payer who asks for it, and pays; absent: as before
 */
export async function requeue(
  tx: Db,
  file: StoreFileKey,
  { settings, replaces, payer }: { settings: IngestSettings; replaces?: boolean; payer?: Payer | null },
): Promise<void> {
  await files(tx)
    .updateTable(table)
    .set({
      status: "in_progress",
      settings: jsonb(settings),
      replaces,
      same_as: null,
      stage: "queued",
      error_code: null,
      error_message: null,
      attempts: 0,
      payer: payer === undefined ? undefined : jsonb(payer),
      run_after: now,
    })
    .where(isFile(file))
    .execute();
}

/** The state of the queue, for operators. */
export interface QueueState {
  waiting: number;
  running: number;
  /** To be tried again later. */
  postponed: number;
  /** Age of the oldest file that no worker has; 0 without one. */
  oldestSeconds: number;
}

export async function readQueue(db: Db): Promise<QueueState> {
  return (
    files(db)
      .selectFrom(table)
      .select(() => {
        const leased = eb.fn.coalesce(eb("lease_until", ">", now), eb.lit(false));
        const oldest = eb.fn.min("created_at").filterWhere(eb.not(leased));
        const count = () => eb.fn.countAll<number>();
        return [
          count().filterWhere(eb.not(leased)).filterWhere("run_after", "<=", now).as("waiting"),
          count().filterWhere(leased).as("running"),
          count().filterWhere(eb.not(leased)).filterWhere("run_after", ">", now).as("postponed"),
          sql<number>`COALESCE(extract(epoch FROM now() - ${oldest}), 0)::float8`.as("oldestSeconds"),
        ];
      })
      // A literal, because the index on the queue has it in its condition.
      .where("status", "=", sql.lit<"in_progress">("in_progress"))
      .executeTakeFirstOrThrow()
  );
}
