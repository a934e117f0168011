import { sql } from "kysely";
import { encodeTextArray } from "../binary.js";
import { type Term, having, queryUnits, sampleLexeme, samples, storeLexeme } from "./keywordQuery.js";
import { parserText } from "./keywordSql.js";
import type { Db } from "../../../db/database.js";

/**
 * Stores of `from` chunks or more are sampled. A word in `least` chunks of the sample is in 1,000 of the store, give or
 * take a quarter; rarer ones are counted.
 */
const sampling = { from: 10_000, least: 16 };

/** A term that is not counted yet. */
export type Unit = Omit<Term, "count">;

/** The query's units as tsqueries, without the language's stop words. */
export async function parseTerms(db: Db, { text, language }: { text: string; language: string }): Promise<Unit[]> {
  const units = queryUnits(text);
  if (units.length === 0) return [];
  const { rows } = await sql<Unit>`
    SELECT u.unit, q.query::text AS query FROM unnest(${encodeTextArray(units)}::text[]) WITH ORDINALITY AS u(unit, n)
    CROSS JOIN LATERAL (SELECT phraseto_tsquery(${language}::regconfig, ${parserText(sql`u.unit`)}) AS query) AS q
    WHERE numnode(q.query) > 0 ORDER BY u.n`.execute(db.run);
  // Two words may share a stem.
  return [...new Map(rows.map((row) => [row.query, row])).values()];
}

/**
 * Counts the store's chunks with each unit. A large store's common units are estimated from a sample, since counting
 * them would take 5 ms each for 50,000 rows. Each query is a separate parameter, so that the planner knows how rare it
 * is.
 */
export async function countTerms(
  db: Db,
  { storeId, chunkCount }: { storeId: string; chunkCount: number },
  units: readonly Unit[],
): Promise<Term[]> {
  const counted = (lexeme: string, query: string) => sql`(
    SELECT count(*)::int AS n FROM (
      SELECT 1 FROM ${db.layout.derived.keywords} AS w WHERE w.words @@ ${having(lexeme, query)}::tsquery LIMIT ${sampling.from}) AS c)`;
  const counts = units.map(({ query }) => {
    const exactly = counted(storeLexeme(storeId), query);
    if (chunkCount < sampling.from) return exactly;
    const sampled = counted(sampleLexeme(storeId, 0), query);
    return sql`(SELECT CASE WHEN s.n >= ${sampling.least}::int THEN s.n * ${samples}::int ELSE ${exactly} END FROM ${sampled} AS s)`;
  });
  const { rows } = await sql<{ counts: number[] }>`SELECT ARRAY[${sql.join(counts)}] AS counts`.execute(db.run);
  return withCounts(units, rows[0]?.counts ?? []);
}

export const withCounts = (units: readonly Unit[], counts: readonly number[]): Term[] =>
  units.map((unit, i) => ({ ...unit, count: counts[i] ?? 0 }));
