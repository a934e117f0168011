import { sql } from "kysely";
import type { Owner } from "../../words/caller.js";
import type { LimitEntry, Limits } from "../../words/limit.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant, jsonb } from "../expressions.js";

const table = "vector_store_limits";

const select = (db: Db) =>
  ours(db, table)
    .selectFrom(table)
    .select(["subject", "limits", "set_by as setBy"])
    .select((eb) => epochMillis(eb.ref("set_at")).as("setAt"));

/** A page of the limits that were set, of all or of one subject, ordered by subject. */
export async function listLimits(
  db: Db,
  { limit, after, subject }: { limit: number; after: string | null; subject: string | null },
): Promise<{ entries: LimitEntry[]; hasMore: boolean }> {
  const rows = await select(db)
    .$if(after !== null, (query) => query.where("subject", ">", after ?? ""))
    .$if(subject !== null, (query) => query.where("subject", "=", subject ?? ""))
    .orderBy("subject")
    .limit(limit + 1)
    .execute();
  return { entries: rows.slice(0, limit), hasMore: rows.length > limit };
}

/**
 * A text that is another one after every change of limits. The sum of the times, not the last one: replicas' clocks
 * differ, and a change may be written later than one with a later time.
 */
export async function versionOfLimits(db: Db): Promise<string> {
  const row = await ours(db, table)
    .selectFrom(table)
    .select(sql<string>`count(*)::text || ' ' || COALESCE(sum(EXTRACT(EPOCH FROM set_at)), 0)::text`.as("version"))
    .executeTakeFirst();
  return row?.version ?? "";
}

/** All limits that were set, by subject. */
export async function readLimits(db: Db): Promise<Map<string, Partial<Limits>>> {
  const rows = await ours(db, table).selectFrom(table).select(["subject", "limits"]).execute();
  return new Map(rows.map(({ subject, limits }) => [subject, limits]));
}

/** Sets a subject's limits, in the place of those before. */
export async function putLimits(tx: Db, { subject, limits, setAt, setBy }: LimitEntry): Promise<void> {
  const values = { limits: jsonb(limits), set_at: instant(setAt, true), set_by: setBy };
  await ours(tx, table)
    .insertInto(table)
    .values({ subject, ...values })
    .onConflict((conflict) => conflict.column("subject").doUpdateSet(values))
    .execute();
}

/** @returns whether there were any */
export async function deleteLimits(tx: Db, subject: string): Promise<boolean> {
  const gone = await ours(tx, table)
    .deleteFrom(table)
    .where("subject", "=", subject)
    .returning("subject")
    .executeTakeFirst();
  return gone !== undefined;
}

/** Bytes of a store's contents; 0 if it is gone. */
export async function bytesOfStore(db: Db, id: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT s.content_bytes AS bytes FROM ${db.layout.vectorStores.table} AS s WHERE s.id = ${id}`.execute(db.run);
  return rows[0]?.bytes ?? 0;
}

/** What belongs to a user, a team or a key, parts of uploads too: by exactly one of the three. */
export async function sumOwned(db: Db, owner: Partial<Owner>): Promise<{ vectorStores: number; bytes: number }> {
  const { vectorStores, ours: tables } = db.layout;
  const [column, id] =
    owner.userId != null
      ? ["owner_user_id", owner.userId]
      : owner.teamId != null
        ? ["owner_team_id", owner.teamId]
        : ["owner_key_id", owner.keyId ?? ""];
  const { rows } = await sql<{ stores: number; bytes: number }>`
    SELECT count(*) AS stores, (COALESCE(sum(s.content_bytes), 0) + COALESCE((
      SELECT sum(f.bytes) FROM ${tables.vector_store_file_objects.reference} AS f WHERE f.${sql.ref(column)} = ${id}
    ), 0) + COALESCE((
      SELECT sum(p.bytes) FROM ${tables.vector_store_uploads.reference} AS u
      JOIN ${tables.vector_store_upload_parts.reference} AS p ON p.upload_id = u.id
      WHERE u.${sql.ref(column)} = ${id} AND u.status = 'pending'
    ), 0))::bigint AS bytes
    FROM ${vectorStores.table} AS s WHERE s.${sql.ref(column)} = ${id} AND NOT s.leaving`.execute(db.run);
  return { vectorStores: rows[0]?.stores ?? 0, bytes: rows[0]?.bytes ?? 0 };
}
