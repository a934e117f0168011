import { type RawBuilder, sql } from "kysely";
import type { UsageEvent, UsageGroup, UsageQuery, UsageSums } from "../../words/usage.js";
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

/** The sums of what was used, by groups, the largest number of requests first within a day. */
export async function sumUsage(
  db: Db,
  asked: UsageQuery,
  groups: readonly UsageGroup[],
  limit: number,
): Promise<UsageRow[]> {
  const where = [
    sql`d.day BETWEEN ${asked.from}::date AND ${asked.to}::date`,
    ...same("user_id", asked.userId),
    ...same("team_id", asked.teamId),
    ...same("key_id", asked.keyId),
    ...same("vector_store_id", asked.storeId),
    ...same("action", asked.action),
  ];
  const read = (group: UsageGroup) =>
    group === "day" ? sql`to_char(d.day, 'YYYY-MM-DD') AS day` : sql`d.${sql.id(group)} AS ${sql.id(group)}`;
  const grouped = groups.map((group) => sql`d.${sql.id(group)}`);
  const order = groups.includes("day") ? sql`d.day DESC, requests DESC` : sql`requests DESC`;
  const { rows } = await sql<UsageRow>`
    SELECT ${groups.length === 0 ? sql`` : sql`${sql.join(groups.map(read))},`}
           COALESCE(sum(d.requests), 0)::bigint AS requests, COALESCE(sum(d.failures), 0)::bigint AS failures,
           COALESCE(sum(d.tokens), 0)::bigint AS tokens, COALESCE(sum(d.duration_ms), 0)::bigint AS "durationMs"
    FROM ${db.layout.ours[days].reference} AS d
    WHERE ${sql.join(where, sql` AND `)}
    ${groups.length === 0 ? sql`` : sql`GROUP BY ${sql.join(grouped)}`}
    ORDER BY ${order} LIMIT ${limit}`.execute(db.run);
  return rows;
}

const same = (column: UsageGroup, value: string | null): RawBuilder<unknown>[] =>
  value === null ? [] : [sql`d.${sql.id(column)} = ${value}`];

/** Removes what is older than a moment, in Unix milliseconds. */
export async function deleteUsageBefore(db: Db, moment: number): Promise<void> {
  await ours(db, events).deleteFrom(events).where("at", "<", instant(moment, true)).execute();
  await ours(db, days)
    .deleteFrom(days)
    .where("day", "<", sql<Date>`(${instant(moment, true)} AT TIME ZONE 'UTC')::date`)
    .execute();
}
