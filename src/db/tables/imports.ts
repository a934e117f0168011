import { sql } from "kysely";
import type { Db } from "../connection/database.js";

/** How far an import has come, and whose it is; see sql/0004_imports.sql. */
export interface ImportState {
  position: unknown;
  counts: unknown;
  finished: boolean;
}

/** How long an import is its process's own without a sign of life: as long as a next one waits after `kill -9`. */
export const leaseSeconds = 10;

const untilSoon = sql`clock_timestamp() + make_interval(secs => ${sql.lit(leaseSeconds)})`;

/**
 * Begins an import, or goes on with it. Times are the database's: clocks of two machines differ.
 * @param alone no other process can be at work on this database, whatever its row says
 * @returns null while it is another process's.
 */
export async function takeImport(
  db: Db,
  { fingerprint, source, lease, alone }: { fingerprint: string; source: string; lease: string; alone: boolean },
): Promise<ImportState | null> {
  const { rows } = await sql<ImportState>`
    INSERT INTO ${db.layout.imports} AS i (fingerprint, source, lease, lease_until, started_at)
    VALUES (${fingerprint}, ${source}, ${lease}, ${untilSoon}, clock_timestamp())
    ON CONFLICT (fingerprint) DO UPDATE SET lease = EXCLUDED.lease, lease_until = EXCLUDED.lease_until
    WHERE i.lease IS NULL OR i.lease_until < clock_timestamp() OR ${alone}
    RETURNING i.position, i.counts, i.finished_at IS NOT NULL AS finished`.execute(db.run);
  return rows[0] ?? null;
}

/** Until when an import is its process's, as text: who renews it is alive. Null: it is nobody's. */
export async function leaseOf(db: Db, fingerprint: string): Promise<string | null> {
  const { rows } = await sql<{ until: string | null }>`
    SELECT lease_until::text AS until FROM ${db.layout.imports} WHERE fingerprint = ${fingerprint}`.execute(db.run);
  return rows[0]?.until ?? null;
}

/** Keeps what is given, and the import for another while. @returns false when another process has taken it over. */
export async function saveImport(
  db: Db,
  { fingerprint, lease }: { fingerprint: string; lease: string },
  { position, counts, finished }: Partial<ImportState>,
): Promise<boolean> {
  const json = (value: unknown) => sql`${value === null ? null : JSON.stringify(value)}::jsonb`;
  const changes = [
    sql`lease_until = ${untilSoon}`,
    ...(position === undefined ? [] : [sql`position = ${json(position)}`]),
    ...(counts === undefined ? [] : [sql`counts = ${json(counts)}`]),
    ...(finished === undefined ? [] : [sql`finished_at = ${finished ? sql`clock_timestamp()` : null}`]),
  ];
  const { rows } = await sql`
    UPDATE ${db.layout.imports} SET ${sql.join(changes)}
    WHERE fingerprint = ${fingerprint} AND lease = ${lease} RETURNING 1`.execute(db.run);
  return rows.length > 0;
}

/** Lets the next process begin at once. */
export async function releaseImport(db: Db, { fingerprint, lease }: { fingerprint: string; lease: string }) {
  await sql`
    UPDATE ${db.layout.imports} SET lease = NULL, lease_until = NULL
    WHERE fingerprint = ${fingerprint} AND lease = ${lease}`.execute(db.run);
}
