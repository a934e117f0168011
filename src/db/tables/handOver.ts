import { type RawBuilder, sql } from "kysely";
import type { Holder } from "../../words/holder.js";
import type { Db } from "../database.js";
import { instant } from "../expressions.js";
import { ownerColumn } from "./holdings.js";
import { owns, used } from "./ownedThings.js";

/*
 * Hands over what belongs to somebody, or takes it away. As SQL, because one condition serves several tables. Rows of
 * stores are locked in the order of their ids, so that two such changes cannot deadlock.
 */

/** A user or a team. */
export type Heir = Holder & { readonly kind: "user" | "team" };

/** Between teams, a team's share in what its users made goes over as well. */
const given = (from: Holder, to: Holder): RawBuilder<unknown> =>
  from.kind === "team" && to.kind === "team" ? sql`t.owner_team_id = ${from.id}` : owns(from);

/** From user to user, the team keeps its share. */
const assignment = (from: Holder, to: Holder): RawBuilder<unknown> =>
  from.kind === to.kind
    ? sql`${ownerColumn(to.kind)} = ${to.id}`
    : sql`${ownerColumn(from.kind)} = NULL, ${ownerColumn(to.kind)} = ${to.id}`;

/** Changes rows of the table of stores, unless they are being removed. @returns their ids */
async function changeStores(tx: Db, set: RawBuilder<unknown>, where: RawBuilder<unknown>): Promise<string[]> {
  const { table } = tx.layout.vectorStores;
  const { rows } = await sql<{ id: string }>`
    UPDATE ${table} AS s SET ${set}
    WHERE s.id IN (SELECT t.id FROM ${table} AS t WHERE ${where} AND NOT t.leaving ORDER BY t.id FOR UPDATE)
    RETURNING s.id::text AS id`.execute(tx.run);
  return rows.map(({ id }) => id);
}

type Table = "vector_store_file_objects" | "vector_store_uploads";

async function change(tx: Db, table: Table, set: RawBuilder<unknown>, where: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    WITH changed AS (UPDATE ${tx.layout.ours[table].reference} AS t SET ${set} WHERE ${where} RETURNING 1)
    SELECT count(*) AS count FROM changed`.execute(tx.run);
  return rows[0]?.count ?? 0;
}

/** Gives stores, files and uploads to somebody else. @returns the ids of the stores, and how many files */
export async function giveAll(tx: Db, from: Holder, to: Holder): Promise<{ storeIds: string[]; files: number }> {
  const [set, where] = [assignment(from, to), given(from, to)];
  const storeIds = await changeStores(tx, set, where);
  const files = await change(tx, "vector_store_file_objects", set, where);
  await change(tx, "vector_store_uploads", set, where);
  return { storeIds, files };
}

/** Passes permissions on; of two on one store, the stronger one stays. @returns how many there were */
export async function passGrantsOn(tx: Db, from: string, to: string): Promise<number> {
  const { reference: grants } = tx.layout.ours.vector_store_permissions;
  await sql`
    INSERT INTO ${grants} AS g (vector_store_id, subject, permission, granted_at, granted_by)
    SELECT f.vector_store_id, ${to}, f.permission, f.granted_at, f.granted_by FROM ${grants} AS f
    WHERE f.subject = ${from}
    ON CONFLICT (vector_store_id, subject) DO UPDATE
    SET permission = CASE WHEN 'admin' IN (g.permission, EXCLUDED.permission) THEN 'admin'
                          WHEN 'write' IN (g.permission, EXCLUDED.permission) THEN 'write' ELSE 'read' END`.execute(
    tx.run,
  );
  return deleteGrantsOf(tx, from);
}

/** @returns how many there were */
export async function deleteGrantsOf(tx: Db, subject: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    WITH gone AS (DELETE FROM ${tx.layout.ours.vector_store_permissions.reference} WHERE subject = ${subject} RETURNING 1)
    SELECT count(*) AS count FROM gone`.execute(tx.run);
  return rows[0]?.count ?? 0;
}

/** Locks the stores that belong to somebody, until the transaction ends. @returns their ids */
export async function lockOwnedStores(tx: Db, holder: Holder): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT t.id::text AS id FROM ${tx.layout.vectorStores.table} AS t
    WHERE ${owns(holder)} AND NOT t.leaving ORDER BY t.id FOR UPDATE`.execute(tx.run);
  return rows.map(({ id }) => id);
}

/** Ends a team's share in what its users made. @returns the ids of the stores */
export async function endShares(tx: Db, teamId: string): Promise<string[]> {
  const [set, where] = [sql`owner_team_id = NULL`, sql`t.owner_team_id = ${teamId} AND t.owner_user_id IS NOT NULL`];
  await change(tx, "vector_store_file_objects", set, where);
  await change(tx, "vector_store_uploads", set, where);
  return changeStores(tx, set, where);
}

/** Makes files expire now, and uploads end: nobody finds them any more, and the sweep removes them. @returns files */
export async function expireFilesOf(tx: Db, holder: Holder, now: number): Promise<number> {
  const moment = instant(now, true);
  const nobodys = sql`owner_user_id = NULL, owner_team_id = NULL, owner_key_id = NULL`;
  await change(
    tx,
    "vector_store_uploads",
    sql`${nobodys}, filename = '', expires_at = LEAST(t.expires_at, ${moment})`,
    owns(holder),
  );
  const alive = sql`(t.expires_at IS NULL OR t.expires_at > ${moment})`;
  return change(tx, "vector_store_file_objects", sql`expires_at = ${moment}`, sql`${owns(holder)} AND ${alive}`);
}

/** @returns how many requests were counted */
export async function deleteUsageOf(tx: Db, holder: Holder): Promise<number> {
  const { vector_store_usage_events: events, vector_store_usage_days: days } = tx.layout.ours;
  await sql`DELETE FROM ${events.reference} AS t WHERE ${used(holder)}`.execute(tx.run);
  const { rows } = await sql<{ requests: number }>`
    WITH gone AS (DELETE FROM ${days.reference} AS t WHERE ${used(holder)} RETURNING t.requests)
    SELECT COALESCE(sum(gone.requests), 0)::bigint AS requests FROM gone`.execute(tx.run);
  return rows[0]?.requests ?? 0;
}

/**
 * Forgets who paid for the ingestion of files in vector stores of others; what still waits there is the service's to
 * pay. It reads all attached files, so it is no part of a transaction that locks.
 */
export async function forgetPayer(db: Db, { kind, id }: Holder): Promise<void> {
  const [user, team] = [sql`t.payer->>'userId'`, sql`t.payer->>'teamId'`];
  const paid = {
    user: sql`${user} = ${id}`,
    team: sql`${team} = ${id} AND ${user} IS NULL`,
    key: sql`t.payer->>'keyHash' = ${id} AND ${user} IS NULL AND ${team} IS NULL`,
  }[kind];
  await sql`
    UPDATE ${db.layout.ours.vector_store_files.reference} AS t SET payer = NULL
    WHERE t.payer IS NOT NULL AND ${paid}`.execute(db.run);
}
