import { type RawBuilder, sql } from "kysely";
import type { StorePermission } from "../../words/caller.js";
import type { Holder } from "../../words/holder.js";
import { type UsageSums, noUsage } from "../../words/usage.js";
import type { Db } from "../database.js";
import { exactText, exactly, instant } from "../expressions.js";
import { ownerColumn } from "./holdings.js";

/*
 * What belongs to somebody, to be listed, handed over or removed. As SQL, because one condition serves several tables.
 *
 * A team owns what its service accounts made. What users made with its keys is theirs: the team only has a share in it.
 */

/** Whether the row t is somebody's. */
export const owns = ({ kind, id }: Holder): RawBuilder<unknown> =>
  kind === "team" ? sql`t.owner_team_id = ${id} AND t.owner_user_id IS NULL` : sql`t.${ownerColumn(kind)} = ${id}`;

/** Whether the row t counts what somebody used: a user with any key, a team with its service accounts. */
export const used = ({ kind, id }: Holder): RawBuilder<unknown> => {
  const absent = (column: string) => sql`COALESCE(t.${sql.id(column)}, '') = ''`;
  if (kind === "user") return sql`t.user_id = ${id}`;
  if (kind === "team") return sql`t.team_id = ${id} AND ${absent("user_id")}`;
  return sql`t.key_id = ${id} AND ${absent("user_id")} AND ${absent("team_id")}`;
};

const stores = (db: Db) => db.layout.vectorStores.table;
const files = (db: Db) => db.layout.ours.vector_store_file_objects.reference;
const grants = (db: Db) => db.layout.ours.vector_store_permissions.reference;
const days = (db: Db) => db.layout.ours.vector_store_usage_days.reference;

export interface OwnedStore {
  id: string;
  name: string;
  rows: number;
  bytes: number;
}
export interface OwnedFile {
  id: string;
  filename: string;
  bytes: number;
}
export interface GivenPermission {
  storeId: string;
  permission: StorePermission;
}

/** A number of things, what they add up to, and the first of them. */
export interface Owned<T> {
  count: number;
  rows: number;
  bytes: number;
  first: T[];
}

export async function listOwnedStores(db: Db, holder: Holder, limit: number): Promise<Owned<OwnedStore>> {
  const chosen = sql`FROM ${stores(db)} AS t WHERE ${owns(holder)} AND NOT t.leaving`;
  const sums = await sql<{ count: number; rows: number; bytes: number }>`
    SELECT count(*) AS count, COALESCE(sum(t.chunk_count), 0)::bigint AS rows,
           COALESCE(sum(t.content_bytes), 0)::bigint AS bytes ${chosen}`.execute(db.run);
  const { rows } = await sql<OwnedStore>`
    SELECT t.id::text AS id, ${exactText(sql.ref("t.name"))} AS name, t.chunk_count AS rows, t.content_bytes AS bytes
    ${chosen} ORDER BY t.content_bytes DESC, t.id LIMIT ${limit}`.execute(db.run);
  const first = rows.map((row) => ({ ...row, name: exactly(row.name) }));
  return { ...(sums.rows[0] ?? { count: 0, rows: 0, bytes: 0 }), first };
}

export async function listOwnedFiles(db: Db, holder: Holder, now: number, limit: number): Promise<Owned<OwnedFile>> {
  const chosen = sql`FROM ${files(db)} AS t
    WHERE ${owns(holder)} AND (t.expires_at IS NULL OR t.expires_at > ${instant(now, true)})`;
  const sums = await sql<{ count: number; bytes: number }>`
    SELECT count(*) AS count, COALESCE(sum(t.bytes), 0)::bigint AS bytes ${chosen}`.execute(db.run);
  const { rows } = await sql<OwnedFile>`
    SELECT t.id, ${exactText(sql.ref("t.filename"))} AS filename, t.bytes ${chosen}
    ORDER BY t.bytes DESC, t.id LIMIT ${limit}`.execute(db.run);
  const first = rows.map((row) => ({ ...row, filename: exactly(row.filename) }));
  return { ...(sums.rows[0] ?? { count: 0, bytes: 0 }), rows: 0, first };
}

/** What was used, in all the time that is kept, and on which days. */
export async function sumOwnedUsage(
  db: Db,
  holder: Holder,
): Promise<UsageSums & { firstDay: string | null; lastDay: string | null }> {
  const { rows } = await sql<UsageSums & { firstDay: string | null; lastDay: string | null }>`
    SELECT COALESCE(sum(t.requests), 0)::bigint AS requests, COALESCE(sum(t.failures), 0)::bigint AS failures,
           COALESCE(sum(t.tokens), 0)::bigint AS tokens, COALESCE(sum(t.duration_ms), 0)::bigint AS "durationMs",
           to_char(min(t.day), 'YYYY-MM-DD') AS "firstDay", to_char(max(t.day), 'YYYY-MM-DD') AS "lastDay"
    FROM ${days(db)} AS t WHERE ${used(holder)}`.execute(db.run);
  return rows[0] ?? { ...noUsage, firstDay: null, lastDay: null };
}

/** What a subject was granted on vector stores. */
export async function listGivenPermissions(
  db: Db,
  subject: string,
  limit: number,
): Promise<{ count: number; first: GivenPermission[] }> {
  const sums = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${grants(db)} AS g WHERE g.subject = ${subject}`.execute(db.run);
  const { rows } = await sql<GivenPermission>`
    SELECT g.vector_store_id::text AS "storeId", g.permission FROM ${grants(db)} AS g
    WHERE g.subject = ${subject} ORDER BY g.vector_store_id LIMIT ${limit}`.execute(db.run);
  return { count: sums.rows[0]?.count ?? 0, first: rows };
}
