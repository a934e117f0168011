import { type RawBuilder, sql } from "kysely";
import {
  type UsageEvent,
  type UsageGroup,
  type UsageOrder,
  type UsagePlace,
  type UsageQuery,
  type UsageSums,
  noUsage,
  placeColumns,
} from "../../words/usage.js";
import { type Db, ours } from "../database.js";
import { instant } from "../expressions.js";

/** What was used; see sql/0011_usage.sql. */

const events = "vector_store_usage_events";
const days = "vector_store_usage_days";

/** Writes events, and adds them to the sums of their days, as `addUsage`. @returns how many were not there */
export const insertUsage = (db: Db, added: readonly UsageEvent[]): Promise<number> =>
  addUsage(
    db,
    sql`SELECT e.id, to_timestamp(e.at / 1000.0), e."userId", e."teamId", e."keyId", e."storeId", e.action, e.tokens, e."durationMs", e.status
      FROM jsonb_to_recordset(${JSON.stringify(added)}::jsonb) AS e(
        id text, at float8, "userId" text, "teamId" text, "keyId" text, "storeId" text, action text, tokens bigint, "durationMs" bigint, status int)`,
  );

/**
 * Writes the events that a query gives, and adds them to the sums of their days. Safe to repeat: an event that is there
 * already is not counted again. As SQL, because it is one statement on two tables. The sums are written in the order of
 * their key, so that two processes cannot deadlock.
 * @param given their columns in the order of the table's
 * @returns how many were not there
 */
export async function addUsage(db: Db, given: RawBuilder<unknown>): Promise<number> {
  const { reference: eventTable } = db.layout.ours[events];
  const { reference: dayTable } = db.layout.ours[days];
  const { rows } = await sql<{ count: number }>`
    WITH added AS (
      INSERT INTO ${eventTable} (id, at, user_id, team_id, key_id, vector_store_id, action, tokens, duration_ms, status)
      ${given}
      ON CONFLICT (id) DO NOTHING
      RETURNING *
    ), summed AS (
      INSERT INTO ${dayTable} AS d (day, user_id, team_id, key_id, vector_store_id, action, requests, failures, tokens, duration_ms)
      SELECT (a.at AT TIME ZONE 'UTC')::date, COALESCE(a.user_id, ''), COALESCE(a.team_id, ''), a.key_id, COALESCE(a.vector_store_id, ''), a.action,
             count(*), count(*) FILTER (WHERE a.status >= 400), sum(a.tokens)::bigint, sum(a.duration_ms)::bigint
      FROM added AS a GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
      ON CONFLICT (day, user_id, team_id, key_id, vector_store_id, action) DO UPDATE
      SET requests = d.requests + EXCLUDED.requests, failures = d.failures + EXCLUDED.failures,
          tokens = d.tokens + EXCLUDED.tokens, duration_ms = d.duration_ms + EXCLUDED.duration_ms
    )
    SELECT count(*) AS count FROM added`.execute(db.run);
  return rows[0]?.count ?? 0;
}

/** A row of sums: the values that it is grouped by, and the sums. */
export type UsageRow = Partial<Record<UsageGroup, string>> & UsageSums;

const sums = sql`COALESCE(sum(d.requests), 0)::bigint AS requests, COALESCE(sum(d.failures), 0)::bigint AS failures,
  COALESCE(sum(d.tokens), 0)::bigint AS tokens, COALESCE(sum(d.duration_ms), 0)::bigint AS "durationMs"`;

const chosen = (asked: UsageQuery) =>
  sql.join(
    [
      sql`d.day BETWEEN ${asked.from}::date AND ${asked.to}::date`,
      ...same("user_id", asked.userId),
      ...same("team_id", asked.teamId),
      ...same("key_id", asked.keyId),
      ...same("vector_store_id", asked.storeId),
      ...same("action", asked.action),
    ],
    sql` AND `,
  );

const same = (column: UsageGroup, value: string | null): RawBuilder<unknown>[] =>
  value === null ? [] : [sql`d.${sql.id(column)} = ${value}`];

/** The sums of all that was used. */
export async function totalUsage(db: Db, asked: UsageQuery): Promise<UsageSums> {
  const { rows } = await sql<UsageSums>`
    SELECT ${sums} FROM ${db.layout.ours[days].reference} AS d WHERE ${chosen(asked)}`.execute(db.run);
  return rows[0] ?? noUsage;
}

/** What is after a place, the last column first: equal in those before it, and beyond it in this one. */
function beyond(columns: readonly Column[], place: UsagePlace): RawBuilder<unknown> {
  return columns.reduceRight<RawBuilder<unknown>>(
    (rest, { by, type, descends }, i) => {
      const value = sql`${place[i] ?? ""}::${sql.raw(type)}`;
      return sql`(${by} ${sql.raw(descends ? "<" : ">")} ${value} OR (${by} = ${value} AND ${rest}))`;
    },
    sql`false`,
  );
}

interface Column {
  by: RawBuilder<unknown>;
  type: string;
  descends: boolean;
}

const columnOf = (name: UsageGroup | "requests"): Column => {
  if (name === "requests") return { by: sql`sum(d.requests)::bigint`, type: "bigint", descends: true };
  return { by: sql`d.${sql.id(name)}`, type: name === "day" ? "date" : "text", descends: name === "day" };
};

/**
 * A page of the sums by groups: a keyset, so that no page repeats a row or skips one whose place stays as it is. By
 * `groups` no row changes its place. Reads one row more than the page has, to know whether there are others.
 */
export async function pageOfUsage(
  db: Db,
  asked: UsageQuery,
  groups: readonly UsageGroup[],
  page: { order: UsageOrder; limit: number; after: UsagePlace | null },
): Promise<{ rows: UsageRow[]; next: UsagePlace | null }> {
  const names = placeColumns(groups, page.order);
  const columns = names.map(columnOf);
  const read = (group: UsageGroup) =>
    group === "day" ? sql`to_char(d.day, 'YYYY-MM-DD') AS day` : sql`d.${sql.id(group)} AS ${sql.id(group)}`;
  const { rows } = await sql<UsageRow>`
    SELECT ${sql.join(groups.map(read))}, ${sums}
    FROM ${db.layout.ours[days].reference} AS d WHERE ${chosen(asked)}
    GROUP BY ${sql.join(groups.map((group) => sql`d.${sql.id(group)}`))}
    HAVING ${page.after === null ? sql`true` : beyond(columns, page.after)}
    ORDER BY ${sql.join(columns.map(({ by, descends }) => sql`${by} ${sql.raw(descends ? "DESC" : "ASC")}`))}
    LIMIT ${page.limit + 1}`.execute(db.run);
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return { rows: shown, next: last === undefined ? null : names.map((name) => String(last[name] ?? "")) };
}

/** Removes what is older than a moment, in Unix milliseconds. */
export async function deleteUsageBefore(db: Db, moment: number): Promise<void> {
  await ours(db, events).deleteFrom(events).where("at", "<", instant(moment, true)).execute();
  await ours(db, days)
    .deleteFrom(days)
    .where("day", "<", sql<Date>`(${instant(moment, true)} AT TIME ZONE 'UTC')::date`)
    .execute();
}
