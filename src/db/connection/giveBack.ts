import { sql } from "kysely";
import type { Database } from "../database.js";

/** Dead rows, those of large values in pieces included, that make a table worth the work: some megabytes. */
const worthwhile = 2_000;
/** WAL since the last checkpoint, in bytes. Its files are reused or removed after a checkpoint only. */
const mostWal = 32 * 2 ** 20;

/**
 * Does for the embedded database what PostgreSQL's background processes do: PGlite has neither autovacuum nor a
 * checkpointer, so the space of deleted rows and old WAL would never be used again. One statement at a time, so that
 * requests run in between; VACUUM reads only pages that changed: 0.2 s for 16 MB of them.
 * @returns how many statements it ran; 0 for a database that is not embedded
 */
export async function giveBack(db: Pick<Database, "kind" | "maintenance">): Promise<number> {
  if (db.kind !== "pglite") return 0;
  const tables = await db.maintenance(async ({ run }) => {
    // Counts of dead rows are published once a second at most.
    await sql`SELECT pg_stat_force_next_flush()`.execute(run);
    const { rows } = await sql<{ name: string }>`
      SELECT c.oid::regclass::text AS name
      FROM pg_class AS c JOIN pg_stat_all_tables AS s ON s.relid IN (c.oid, c.reltoastrelid)
      WHERE c.relkind = 'r' GROUP BY c.oid HAVING sum(s.n_dead_tup) >= ${worthwhile} ORDER BY c.oid`.execute(run);
    return rows.map((row) => row.name);
  });
  for (const name of tables) await db.maintenance(({ run }) => sql`VACUUM ${sql.raw(name)}`.execute(run));
  const isDue = await db.maintenance(async ({ run }) => {
    const { rows } = await sql<{ due: boolean }>`
      SELECT pg_current_wal_insert_lsn() - redo_lsn > ${mostWal} AS due FROM pg_control_checkpoint()`.execute(run);
    return rows[0]?.due === true;
  });
  if (isDue) await db.maintenance(({ run }) => sql`CHECKPOINT`.execute(run));
  return tables.length + (isDue ? 1 : 0);
}
