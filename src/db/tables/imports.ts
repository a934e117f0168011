import { sql } from "kysely";
import { type Db, ours } from "../database.js";
import { jsonb } from "../expressions.js";

/** How far an import has come; see sql/0004_imports.sql. */
export interface ImportState {
  position: unknown;
  counts: unknown;
  finished: boolean;
}

/**
 * How long an import belongs to a process that has stopped renewing it, and so how long the next one waits after `kill
 * -9`.
 */
export const leaseSeconds = 10;

const table = "vector_store_imports";
const imports = (db: Db) => ours(db, table);
const now = sql<Date>`clock_timestamp()`;
const leaseEnd = sql<Date>`clock_timestamp() + make_interval(secs => ${sql.lit(leaseSeconds)})`;

/**
 * Begins an import, or continues it. Times are the database's, because the clocks of two machines differ.
 * @param alone no other process can be working on this database, whatever its row says
 * @returns null while the import belongs to another process.
 */
export async function takeImport(
  db: Db,
  { fingerprint, source, lease, alone }: { fingerprint: string; source: string; lease: string; alone: boolean },
): Promise<ImportState | null> {
  const taken = await imports(db)
    .insertInto(table)
    .values({ fingerprint, source, lease, lease_until: leaseEnd, started_at: now })
    .onConflict((conflict) =>
      conflict
        .column("fingerprint")
        .doUpdateSet({ lease, lease_until: leaseEnd })
        .where((eb) =>
          eb.or([
            eb("vector_store_imports.lease", "is", null),
            eb("vector_store_imports.lease_until", "<", now),
            eb.lit(alone),
          ]),
        ),
    )
    .returning((eb) => ["position", "counts", eb("finished_at", "is not", null).$castTo<boolean>().as("finished")])
    .executeTakeFirst();
  return taken ?? null;
}

/** When an import's lease ends, as text: a process that renews it is alive. Null: nobody holds it. */
export async function leaseOf(db: Db, fingerprint: string): Promise<string | null> {
  const row = await imports(db)
    .selectFrom(table)
    .select((eb) => eb.cast<string | null>("lease_until", "text").as("until"))
    .where("fingerprint", "=", fingerprint)
    .executeTakeFirst();
  return row?.until ?? null;
}

/** Records what is given, and renews the lease. @returns false when another process has taken the import over. */
export async function saveImport(
  db: Db,
  { fingerprint, lease }: { fingerprint: string; lease: string },
  { position, counts, finished }: Partial<ImportState>,
): Promise<boolean> {
  const saved = await imports(db)
    .updateTable(table)
    .set({
      lease_until: leaseEnd,
      // Kysely leaves out what is undefined.
      position: position === undefined ? undefined : jsonb(position),
      counts: counts === undefined ? undefined : jsonb(counts),
      finished_at: finished === undefined ? undefined : finished ? now : null,
    })
    .where("fingerprint", "=", fingerprint)
    .where("lease", "=", lease)
    .returning("fingerprint")
    .executeTakeFirst();
  return saved !== undefined;
}

/** Lets the next process begin at once. */
export async function releaseImport(
  db: Db,
  { fingerprint, lease }: { fingerprint: string; lease: string },
): Promise<void> {
  await imports(db)
    .updateTable(table)
    .set({ lease: null, lease_until: null })
    .where("fingerprint", "=", fingerprint)
    .where("lease", "=", lease)
    .execute();
}
