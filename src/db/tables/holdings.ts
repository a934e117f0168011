import { type RawBuilder, sql } from "kysely";
import type { Holder, Holdings } from "../../words/holder.js";
import type { UsageSums } from "../../words/usage.js";
import type { Db } from "../database.js";
import { instant } from "../expressions.js";

/* What users, teams and keys have here. As SQL, because the statements read several tables. */

type Kind = Holder["kind"];

/** The column that names the owner, in the tables of stores, files and uploads. */
export const ownerColumn = (kind: Kind) => sql.id(`owner_${kind}_id`);

/**
 * By id. A team has what was made with its keys, by users as well. Each id is looked up in the indexes, so that a page
 * of users does not read everybody's.
 */
export async function sumHoldings(
  db: Db,
  kind: Kind,
  ids: readonly string[],
  now: number,
): Promise<Map<string, Holdings>> {
  const { vector_store_file_objects: files, vector_store_permissions: grants } = db.layout.ours;
  const owner = ownerColumn(kind);
  const { rows } = await sql<Holdings & { id: string }>`
    SELECT w.id, s.*, f.*, p.*
    FROM unnest(${[...ids]}::text[]) AS w(id)
    CROSS JOIN LATERAL (
      SELECT count(*) AS stores, COALESCE(sum(s.chunk_count), 0)::bigint AS rows,
             COALESCE(sum(s.content_bytes), 0)::bigint AS bytes
      FROM ${db.layout.vectorStores.table} AS s WHERE s.${owner} = w.id AND NOT s.leaving) AS s
    CROSS JOIN LATERAL (
      SELECT count(*) AS files, COALESCE(sum(f.bytes), 0)::bigint AS "fileBytes" FROM ${files.reference} AS f
      WHERE f.${owner} = w.id AND (f.expires_at IS NULL OR f.expires_at > ${instant(now, true)})) AS f
    CROSS JOIN LATERAL (
      SELECT count(*) AS permissions FROM ${grants.reference} AS g WHERE g.subject = ${`${kind}:`}::text || w.id) AS p`.execute(
    db.run,
  );
  return new Map(rows.map(({ id, ...holdings }) => [id, holdings]));
}

/** What was used since a day in UTC, by id. Nothing: they are missing. */
export async function sumUsageSince(
  db: Db,
  kind: Kind,
  ids: readonly string[],
  day: string,
): Promise<Map<string, UsageSums>> {
  const who = sql`d.${sql.id(`${kind}_id`)}`;
  const { rows } = await sql<UsageSums & { id: string }>`
    SELECT ${who} AS id, sum(d.requests)::bigint AS requests, sum(d.failures)::bigint AS failures,
           sum(d.tokens)::bigint AS tokens, sum(d.duration_ms)::bigint AS "durationMs"
    FROM ${db.layout.ours.vector_store_usage_days.reference} AS d
    WHERE ${who} = ANY(${[...ids]}::text[]) AND d.day >= ${day}::date
    GROUP BY ${who}`.execute(db.run);
  return new Map(rows.map(({ id, ...sums }) => [id, sums]));
}

/**
 * The ids of users or teams that own something, were granted something or have used something here, in their order.
 * Each index is read from id to id, however often it has one: a table of usage has millions of rows for a few users.
 * @param page.having whether to leave out those that have only used something
 */
export async function listKnown(
  db: Db,
  kind: "user" | "team",
  page: { after: string; limit: number; having?: boolean },
): Promise<string[]> {
  const { ours, vectorStores } = db.layout;
  const { after, limit, having = false } = page;
  const owner = ownerColumn(kind);
  const distinct = (table: RawBuilder<unknown>, column: RawBuilder<unknown>) => sql`(
    WITH RECURSIVE next(id) AS (
      (SELECT t.${column} FROM ${table} AS t WHERE t.${column} > ${after}::text ORDER BY t.${column} LIMIT 1)
      UNION ALL
      SELECT (SELECT t.${column} FROM ${table} AS t WHERE t.${column} > next.id ORDER BY t.${column} LIMIT 1)
      FROM next WHERE next.id IS NOT NULL
    ) SELECT next.id::text FROM next WHERE next.id IS NOT NULL LIMIT ${limit})`;
  const used = having
    ? sql``
    : sql`${distinct(ours.vector_store_usage_days.reference, sql.id(`${kind}_id`))} UNION ALL`;
  const granted = sql`substr(g.subject, ${kind.length + 2}::int)`;
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT known.id FROM (
      ${distinct(vectorStores.table, owner)} UNION ALL
      ${distinct(ours.vector_store_file_objects.reference, owner)} UNION ALL
      ${used}
      (SELECT DISTINCT ${granted} FROM ${ours.vector_store_permissions.reference} AS g
       WHERE starts_with(g.subject, ${`${kind}:`}::text) AND ${granted} > ${after}::text ORDER BY 1 LIMIT ${limit})
    ) AS known(id) ORDER BY known.id LIMIT ${limit}`.execute(db.run);
  return rows.map(({ id }) => id);
}
