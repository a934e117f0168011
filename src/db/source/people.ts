import { type RawBuilder, sql } from "kysely";
import type { ForeignPermission, ForeignUse } from "../../words/takenOver.js";
import type { Executor } from "../executor.js";
import { epochMillis } from "../expressions.js";
import { type Table, beside } from "../schema/tables.js";
import { takenAway } from "../tables/takenAway.js";
import { type SourceTable, describeSourceTable } from "./sourceTable.js";

/** litellm-vector-store's tables about people, beside its table of stores; null: there is none with its columns. */
export interface PeopleTables {
  permissions: SourceTable | null;
  usage: SourceTable | null;
}

/** The tables of another installation of this service: whom it granted what, and what it did. */
export interface OwnTables {
  grants: SourceTable | null;
  audit: SourceTable | null;
}

const tables = {
  permissions: { name: "store_permissions", columns: ["store_id", "user_id", "permission"] },
  usage: {
    name: "usage_stats",
    columns: ["id", "user_id", "store_id", "action", "tokens", "duration", "created_at"],
  },
  grants: { name: "vector_store_permissions", columns: ["vector_store_id", "subject", "permission"] },
  audit: { name: "vector_store_audit", columns: ["action", "target", "details"] },
} as const;

async function find(tx: Executor, stores: Table, which: keyof typeof tables): Promise<SourceTable | null> {
  const { name, columns } = tables[which];
  const found = await describeSourceTable(tx, beside(stores, name));
  const isIt = columns.every((column) => found?.columns.some((each) => each.name === column));
  return found !== undefined && isIt ? found : null;
}

export const findPeople = async (tx: Executor, stores: Table): Promise<PeopleTables> => ({
  permissions: await find(tx, stores, "permissions"),
  usage: await find(tx, stores, "usage"),
});

export const findOwnTables = async (tx: Executor, stores: Table): Promise<OwnTables> => ({
  grants: await find(tx, stores, "grants"),
  audit: await find(tx, stores, "audit"),
});

type Key = readonly string[];

/** Rows of one table, and the key of the last of them. */
interface PeoplePage<Row> {
  rows: Row[];
  key: Key;
}

const pageSize = 2000;

/** The pages of a table after a key. */
export async function* pagesOf<Row>(
  read: (after: Key | null) => Promise<PeoplePage<Row>>,
  begin: Key | null,
): AsyncGenerator<PeoplePage<Row>> {
  for (let after = begin; ;) {
    const page = await read(after);
    if (page.rows.length > 0) yield page;
    if (page.rows.length < pageSize) return;
    after = page.key;
  }
}

/**
 * litellm-vector-store's permissions in the order of their key, after the given one.
 * @param own tables of an installation of this service that adopted the table: what was granted or taken away there
 *   counts instead. Pages are written side by side, so a later one cannot give way to an earlier one.
 */
export async function readPermissions(
  tx: Executor,
  table: SourceTable,
  after: Key | null,
  { grants, audit }: OwnTables = { grants: null, audit: null },
): Promise<PeoplePage<ForeignPermission>> {
  const given = { storeId: sql`store_id::text`, subject: sql`'user:' || user_id::text` };
  const { rows } = await sql<ForeignPermission & { userId: string }>`
    SELECT store_id::text AS "storeId", user_id::text AS "userId", ${given.subject} AS subject,
           permission::text AS permission
    FROM ${table.reference} WHERE ${beyond(table, ["store_id", "user_id"], after)}
      AND ${grants === null ? sql`true` : sql`NOT ${isGranted(grants, given)}`}
      AND ${audit === null ? sql`true` : sql`NOT ${takenAway(audit.reference, given)}`}
    ORDER BY store_id, user_id LIMIT ${pageSize}`.execute(tx);
  const last = rows.at(-1);
  return { rows, key: last === undefined ? [] : [last.storeId, last.userId] };
}

const isGranted = (
  grants: SourceTable,
  { storeId, subject }: Record<"storeId" | "subject", RawBuilder<unknown>>,
) => sql`
  EXISTS (SELECT 1 FROM ${grants.reference} AS g WHERE g.vector_store_id::text = ${storeId} AND g.subject = ${subject})`;

/** What another installation of this service granted, in the order of its key, after the given one. */
export async function readGrants(
  tx: Executor,
  table: SourceTable,
  after: Key | null,
): Promise<PeoplePage<ForeignPermission>> {
  const { rows } = await sql<ForeignPermission>`
    SELECT vector_store_id::text AS "storeId", subject, permission
    FROM ${table.reference} WHERE ${beyond(table, ["vector_store_id", "subject"], after)}
    ORDER BY vector_store_id, subject LIMIT ${pageSize}`.execute(tx);
  const last = rows.at(-1);
  return { rows, key: last === undefined ? [] : [last.storeId, last.subject] };
}

/** Uses in the order of their ids. Times are in UTC, as those of the other tables. */
export async function readUses(tx: Executor, table: SourceTable, after: Key | null): Promise<PeoplePage<ForeignUse>> {
  const { rows } = await sql<ForeignUse>`
    SELECT id::text AS id, user_id::text AS "userId", store_id::text AS "storeId", action::text AS action,
           tokens::bigint AS tokens, duration::float8 AS seconds,
           CASE WHEN isfinite(created_at) THEN ${epochMillis(sql.ref("created_at"))} END AS at
    FROM ${table.reference} WHERE ${beyond(table, ["id"], after)}
    ORDER BY id LIMIT ${pageSize}`.execute(tx);
  const last = rows.at(-1);
  return { rows, key: last === undefined ? [] : [last.id] };
}

/** Uses whose time and numbers are known: what `eventOf` (words/takenOver.ts) makes events of, as a condition. */
const isUsable = sql`(isfinite(created_at) AND COALESCE(duration, 0) >= 0 AND COALESCE(duration, 0) < ${sql.lit(1e12)}
  AND COALESCE(tokens, 0) >= 0)`;
const moment = sql`to_timestamp(extract(epoch FROM created_at)::float8)`;

/**
 * The usable ones of them since a moment, in Unix milliseconds, as a query for `addUsage`: a year of a busy service is
 * too much to be read first.
 */
export const usesSince = (table: SourceTable, since: number): RawBuilder<unknown> => sql`
  SELECT 'use_' || id::text, ${moment}, user_id::text, NULL::text, ''::text, store_id::text, action::text,
         COALESCE(tokens, 0)::bigint, round(COALESCE(duration, 0) * 1000)::bigint, 200
  FROM ${table.reference} WHERE ${isUsable} AND ${moment} >= to_timestamp(${since / 1000}::float8)`;

/** The others: how many are older, how many not usable, and the ids of the first of these. */
export async function usesLeftOut(
  tx: Executor,
  table: SourceTable,
  { since, named }: { since: number; named: number },
): Promise<{ old: number; unusable: number; ids: string[] }> {
  const { rows } = await sql<{ old: number; unusable: number; ids: string[] }>`
    SELECT count(*) FILTER (WHERE ${isUsable} AND ${moment} < to_timestamp(${since / 1000}::float8)) AS old,
           count(*) FILTER (WHERE ${isUsable} IS NOT TRUE) AS unusable,
           ARRAY(SELECT id::text FROM ${table.reference} WHERE ${isUsable} IS NOT TRUE ORDER BY id LIMIT ${named}) AS ids
    FROM ${table.reference}`.execute(tx);
  return rows[0] ?? { old: 0, unusable: 0, ids: [] };
}

/** Compared in the columns' own types, so that the index on the key serves. */
function beyond(table: SourceTable, columns: readonly string[], after: Key | null) {
  if (after === null) return sql`true`;
  const values = columns.map((name, i) => {
    const type = table.columns.find((column) => column.name === name)?.typeSql ?? "text";
    return sql`${after[i] ?? ""}::${sql.raw(type)}`;
  });
  return sql`(${sql.join(columns.map((name) => sql.id(name)))}) > (${sql.join(values)})`;
}
