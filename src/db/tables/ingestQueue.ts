import { sql } from "kysely";
import { lockStoreFile } from "./storeFiles.js";
import type { Db } from "../database.js";
import type { IngestSettings, LastError, StoreFile, StoreFileKey } from "../../words/file.js";

/**
 * The queue of files to ingest: the store files that are in progress. A worker takes a file with a lease and must renew
 * it. After a crash the lease runs out, and another worker continues after the last stored chunk.
 */

/** The queue uses the database's clock, because replicas' clocks differ. */
const inSeconds = (seconds: number) => sql`now() + make_interval(secs => ${seconds}::float8)`;

/** Workers that take a file at the same moment skip the files that others are just taking. */
const mostTakers = 100;

/**
 * Takes the next file: the oldest of the store that the fewest workers serve and, if several have as few, that has
 * waited longest.
 * @param lease names the taker
 * @returns undefined if there is nothing to do.
 */
export async function takeNext(db: Db, lease: string, leaseSeconds: number): Promise<StoreFileKey | undefined> {
  const files = db.layout.ours.vector_store_files.reference;
  const waits = sql`f.status = 'in_progress' AND f.run_after <= now() AND (f.lease_until IS NULL OR f.lease_until <= now())`;
  const { rows } = await sql<StoreFileKey>`
    WITH stores AS MATERIALIZED (
      SELECT s.vector_store_id,
             (SELECT count(*) FROM ${files} AS b
              WHERE b.vector_store_id = s.vector_store_id AND b.status = 'in_progress' AND b.lease_until > now()) AS busy,
             (SELECT max(b.taken_at) FROM ${files} AS b WHERE b.vector_store_id = s.vector_store_id) AS served
      FROM (SELECT DISTINCT f.vector_store_id FROM ${files} AS f WHERE ${waits}) AS s
    ), next AS (
      SELECT f.vector_store_id, f.file_id
      FROM stores AS s CROSS JOIN LATERAL (
        SELECT f.file_id FROM ${files} AS f WHERE f.vector_store_id = s.vector_store_id AND ${waits}
        ORDER BY f.created_at, f.file_id LIMIT ${mostTakers}) AS w
      JOIN ${files} AS f ON f.vector_store_id = s.vector_store_id AND f.file_id = w.file_id
      WHERE ${waits}
      ORDER BY s.busy, s.served NULLS FIRST, f.created_at, f.file_id LIMIT 1 FOR UPDATE OF f SKIP LOCKED
    )
    UPDATE ${files} AS f
    SET lease = ${lease}, lease_until = ${inSeconds(leaseSeconds)}, taken_at = clock_timestamp(), attempts = f.attempts + 1
    FROM next AS n WHERE f.vector_store_id = n.vector_store_id AND f.file_id = n.file_id
    RETURNING f.vector_store_id::text AS "vectorStoreId", f.file_id AS "fileId"`.execute(db.run);
  return rows[0];
}

/** Ends all leases, when the only process that can use this database starts. */
export async function endLeases(db: Db): Promise<void> {
  await sql`
    UPDATE ${db.layout.ours.vector_store_files.reference} SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL`.execute(
    db.run,
  );
}

/** @returns false if this lease no longer holds the file. */
export async function renewLease(db: Db, file: StoreFileKey, lease: string, leaseSeconds: number): Promise<boolean> {
  const { rows } = await sql`
    UPDATE ${db.layout.ours.vector_store_files.reference} AS f SET lease_until = ${inSeconds(leaseSeconds)}
    WHERE ${isLeased(file, lease)} RETURNING 1`.execute(db.run);
  return rows.length > 0;
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
  chunksTotal?: number;
  /** Added to what is recorded. */
  chunks?: number;
  bytes?: number;
}

/** Records progress. Stored chunks reset the attempts: a long document may outlive many processes. */
export async function recordProgress(tx: Db, file: StoreFileKey, progress: Progress): Promise<void> {
  const { stage, madeBy, chunksTotal, chunks = 0, bytes = 0 } = progress;
  await sql`
    UPDATE ${tx.layout.ours.vector_store_files.reference} AS f
    SET stage = ${stage ?? sql`f.stage`}, made_by = ${madeBy ?? sql`f.made_by`},
        chunks_total = ${chunksTotal ?? sql`f.chunks_total`},
        chunk_count = f.chunk_count + ${chunks}::bigint, content_bytes = f.content_bytes + ${bytes}::bigint,
        attempts = ${chunks > 0 ? 0 : sql`f.attempts`}
    WHERE ${isFile(file)}`.execute(tx.run);
}

/** How the ingestion of a file ends. `sameAs`: the file whose chunks stand for it. */
export type FileEnd =
  { status: "completed"; sameAs?: string } | { status: "failed"; error: LastError } | { status: "cancelled" };

export async function finishFile(tx: Db, file: StoreFileKey, end: FileEnd): Promise<void> {
  const error = end.status === "failed" ? end.error : null;
  await sql`
    UPDATE ${tx.layout.ours.vector_store_files.reference} AS f
    SET status = ${end.status}, stage = 'done', lease = NULL, lease_until = NULL, error_code = ${error?.code ?? null},
        error_message = ${error?.message ?? null}, same_as = ${end.status === "completed" ? (end.sameAs ?? null) : null}
    WHERE ${isFile(file)}`.execute(tx.run);
}

/**
 * Puts a file back into the queue, for a later try.
 * @param options.attempted whether this counts as one of the file's attempts
 */
export async function giveBack(
  db: Db,
  file: StoreFileKey,
  lease: string,
  options: { afterSeconds: number; attempted: boolean; why: string | null },
): Promise<void> {
  const { afterSeconds, attempted, why } = options;
  await sql`
    UPDATE ${db.layout.ours.vector_store_files.reference} AS f
    SET lease = NULL, lease_until = NULL, run_after = ${inSeconds(afterSeconds)}, attempts = f.attempts - ${attempted ? 0 : 1}::int,
        error_message = ${why}
    WHERE ${isLeased(file, lease)}`.execute(db.run);
}

/** Puts a failed or cancelled file, which has no chunks, back into the queue. */
export async function requeue(tx: Db, file: StoreFileKey, settings: IngestSettings): Promise<void> {
  await sql`
    UPDATE ${tx.layout.ours.vector_store_files.reference} AS f
    SET status = 'in_progress', settings = ${JSON.stringify(settings)}::jsonb, stage = 'queued', error_code = NULL, error_message = NULL, attempts = 0, run_after = now()
    WHERE ${isFile(file)}`.execute(tx.run);
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
  const leased = sql`COALESCE(f.lease_until > now(), false)`;
  const { rows } = await sql<QueueState>`
    SELECT count(*) FILTER (WHERE NOT ${leased} AND f.run_after <= now()) AS waiting, count(*) FILTER (WHERE ${leased}) AS running,
           count(*) FILTER (WHERE NOT ${leased} AND f.run_after > now()) AS postponed,
           COALESCE(extract(epoch FROM now() - min(f.created_at) FILTER (WHERE NOT ${leased})), 0)::float8 AS "oldestSeconds"
    FROM ${db.layout.ours.vector_store_files.reference} AS f WHERE f.status = 'in_progress'`.execute(db.run);
  return rows[0] ?? { waiting: 0, running: 0, postponed: 0, oldestSeconds: 0 };
}

/** Whether the row f is this file. */
const isFile = ({ vectorStoreId, fileId }: StoreFileKey) =>
  sql`f.vector_store_id = ${vectorStoreId} AND f.file_id = ${fileId}`;

const isLeased = (file: StoreFileKey, lease: string) =>
  sql`${isFile(file)} AND f.lease = ${lease} AND f.status = 'in_progress'`;
