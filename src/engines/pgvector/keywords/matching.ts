import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../../db/database.js";
import type { Layout } from "../../../db/schema/layout.js";
import type { FoundChunk } from "../../../words/chunk.js";
import type { WordQuery } from "../../engine.js";
import { encodeTextArray } from "../binary.js";
import { compileFilter } from "../../../db/filterSql.js";
import { matchingIds, passing } from "../passing.js";
import { type Term, any, candidateQueries, having, storeLexeme } from "./keywordQuery.js";
import { type Similar, bestOf, similarTable, termWeights, wordsOf } from "./keywordSql.js";
import { type Unit, countTerms, parseTerms, withCounts } from "./keywordTerms.js";
import { findSimilar, isMistypable } from "./keywordTypos.js";

/**
 * Keyword search: a table beside the record has each chunk's lexemes, with one GIN index for all stores. A query's
 * words are weighted by their counts in the store, so a code or a name that few chunks have comes before any number of
 * common words. Case is ignored for letters that the database's locale knows; the locale C knows only ASCII.
 */

/** @param language the text search configuration that the store's words were made with */
export interface KeywordSearch extends WordQuery {
  storeId: string;
  /** How many chunks the store has. */
  chunkCount: number;
}

/** A row of the result. `score` is in 0…1: near 1 for a chunk that has all words of the query; see `bestOf`. */
type Row = Pick<FoundChunk, "id" | "score" | "content" | "metadata">;

/**
 * For `Database.reading`: the planner would scan a small table sequentially and JIT-compile plans for a large one;
 * neither pays off.
 */
export const keywordSettings = { enable_seqscan: "off", jit: "off" };

/**
 * How many chunks are ranked if none has a rare word. Fewer with a filter, because each candidate costs a lookup in the
 * record.
 */
const rankedWithCommon = { unfiltered: 500, filtered: 300 };

/** Up to this many matches of a filter are looked at one by one. */
const narrow = 5000;

/**
 * The `limit` best chunks with words of the query, or all if there are fewer; best first, ties by id. All are ranked if
 * the words are in at most 1,500 chunks; of common words, chunks with more of them are ranked first.
 */
export async function searchKeywords(db: Db, search: KeywordSearch): Promise<FoundChunk[]> {
  const ranked = search.filter === null ? rankedWithCommon.unfiltered : rankedWithCommon.filtered;
  if (search.limit <= ranked) return rankKeywords(db, search, ranked);
  // A longer list begins with the shorter one: with more candidates for common words, the best would be others.
  const first = await rankKeywords(db, { ...search, limit: ranked }, ranked);
  if (first.length < ranked) return first;
  const before = new Set(first.map((chunk) => chunk.id));
  const lowest = first.at(-1)?.score ?? 0;
  const longer = await rankKeywords(db, { ...search, limit: search.limit + ranked }, search.limit + ranked);
  const rest = longer.filter((chunk) => !before.has(chunk.id));
  return [...first, ...rest]
    .slice(0, search.limit)
    .map((chunk, i) => ({ ...chunk, score: Math.min(chunk.score, i < ranked ? 1 : lowest), keywordRank: i + 1 }));
}

/** @param enough how many chunks are ranked if none has a rare word */
async function rankKeywords(db: Db, search: KeywordSearch, enough: number): Promise<FoundChunk[]> {
  const units = await parseTerms(db, search);
  if (units.length === 0) return [];
  const terms = await countTerms(db, search, units);
  const similar = await similarTo(db, search, terms);
  const { rare, common } = candidateQueries(terms);
  if (common.length > 0 && search.filter !== null) {
    const hits = await searchNarrow(db, search, terms, similar);
    if (hits !== null) return hits;
  }
  const { keywords } = db.layout.derived;
  const alike = similar.length === 0 ? null : sql`(SELECT id FROM (${similarTable(db.layout, similar)}) AS s)`;
  const passes = passing(db.layout, { storeId: search.storeId, id: sql`w.id` }, search.filter);
  const matching = (query: string) => sql`
    SELECT w.id, w.words FROM ${keywords} AS w ${passes}
    WHERE w.words @@ ${having(storeLexeme(search.storeId), query)}::tsquery ${alike === null ? sql`` : sql`AND w.id NOT IN ${alike}`}`;
  const sources = rare === null ? [] : [matching(rare)];
  if (common.length > 0) {
    // Read one after the other, and no further than needed.
    sources.push(sql`(${sql.join(common.map(matching), sql` UNION ALL `)} LIMIT ${enough})`);
  }
  if (alike !== null) {
    sources.push(
      sql`SELECT w.id, w.words FROM ${keywords} AS w WHERE w.vector_store_id = ${search.storeId} AND w.id IN ${alike}`,
    );
  }
  if (sources.length === 0) return [];
  const candidates = sql.join(sources, sql` UNION ALL `);
  const { rows } = await sql<Row>`
    WITH terms AS MATERIALIZED (${termWeights(known(terms), search.chunkCount)})
    SELECT ${rowOf} FROM (${bestOf(db.layout, search, terms, candidates, similar)}) AS h
    ORDER BY h.score DESC, h.id`.execute(db.run);
  return foundOf(search, rows);
}

/**
 * Like `searchKeywords`, for a store whose words are incomplete: makes the words of all its rows, about 80 µs per row
 * of 500 characters. The order is the same, from all matches.
 */
export async function scanKeywords(db: Db, search: KeywordSearch): Promise<FoundChunk[]> {
  const units = await parseTerms(db, search);
  if (units.length === 0) return [];
  const { counts, hits } = await scan(db, search, units, []);
  const similar = await similarTo(db, search, withCounts(units, counts));
  return similar.length === 0 ? hits : (await scan(db, search, units, similar)).hits;
}

function similarTo(db: Db, search: KeywordSearch, terms: readonly Term[]): Promise<Similar[]> {
  const words = terms.filter((each) => each.count === 0 && isMistypable(each.unit)).map((each) => each.unit);
  return findSimilar(db, search, words);
}

/** Searches a filter's matches; null if there are more than `narrow`. */
async function searchNarrow(
  db: Db,
  search: KeywordSearch,
  terms: readonly Term[],
  similar: readonly Similar[],
): Promise<FoundChunk[] | null> {
  const { layout } = db;
  const candidates = sql`
    SELECT w.id, w.words FROM matches AS m CROSS JOIN LATERAL (
      SELECT id, words FROM ${layout.derived.keywords} WHERE vector_store_id = ${search.storeId} AND id = m.id OFFSET 0) AS w
    WHERE (SELECT matches FROM total) <= ${narrow} AND ${relevant(layout, terms, similar)}`;
  const { rows } = await sql<Partial<Row> & { matches: number }>`
    WITH matches AS MATERIALIZED (${matchingIds(layout, search.storeId, search.filter)} LIMIT ${narrow + 1}),
    total AS MATERIALIZED (SELECT count(*)::int AS matches FROM matches),
    terms AS MATERIALIZED (${termWeights(known(terms), search.chunkCount)})
    SELECT t.matches, ${rowOf}
    FROM total AS t LEFT JOIN (${bestOf(layout, search, terms, candidates, similar)}) AS h ON true
    ORDER BY h.score DESC, h.id`.execute(db.run);
  return (rows[0]?.matches ?? 0) > narrow ? null : foundOf(search, rows);
}

async function scan(db: Db, search: KeywordSearch, units: readonly Unit[], similar: readonly Similar[]) {
  const { layout } = db;
  const e = layout.embeddings;
  const passes = search.filter === null ? sql`true` : compileFilter(search.filter, e.metadata);
  const counted = sql`
    SELECT u.query, (SELECT count(*)::int FROM source AS s WHERE s.words @@ u.query) AS count, u.n
    FROM (SELECT query::tsquery AS query, n FROM unnest(${encodeTextArray(units.map((each) => each.query))}::text[]) WITH ORDINALITY AS u(query, n)) AS u`;
  const { rows } = await sql<Partial<Row> & { counts: number[] }>`
    WITH source AS MATERIALIZED (
      SELECT w.id, w.words, w.passes FROM (
        SELECT ${e.id} AS id, ${wordsOf(layout, search.storeId, search.language)} AS words, ${passes} AS passes
        FROM ${e.table} AS e WHERE ${e.vectorStoreId} = ${search.storeId} OFFSET 0) AS w
      WHERE ${relevant(layout, units, similar)}),
    counted AS MATERIALIZED (${counted}),
    terms AS MATERIALIZED (${termWeights(sql`SELECT query, count FROM counted`, search.chunkCount)})
    SELECT (SELECT array_agg(count ORDER BY n) FROM counted) AS counts, ${rowOf}
    FROM (SELECT 1) AS one LEFT JOIN (
      ${bestOf(layout, search, units, sql`SELECT id, words FROM source WHERE passes`, similar)}) AS h ON true
    ORDER BY h.score DESC, h.id`.execute(db.run);
  return { counts: rows[0]?.counts ?? [], hits: foundOf(search, rows) };
}

const known = (terms: readonly Term[]) => sql`
  SELECT query::tsquery AS query, count FROM unnest(${encodeTextArray(terms.map((each) => each.query))}::text[],
    ${terms.map((each) => each.count)}::int[]) AS t(query, count)`;

/** Whether a row w has any of the terms, or a mistyped one. */
function relevant(layout: Layout, terms: readonly Unit[], similar: readonly Similar[]): RawBuilder<unknown> {
  const exact = sql`w.words @@ ${any(terms.map((each) => each.query))}::tsquery`;
  return similar.length === 0
    ? exact
    : sql`(${exact} OR w.id IN (SELECT id FROM (${similarTable(layout, similar)}) AS s))`;
}

const rowOf = sql`h.id::text AS id, h.score, h.content, h.metadata`;

/** Rows as found chunks; a row without an id has only counts. */
const foundOf = ({ storeId }: KeywordSearch, rows: readonly Partial<Row>[]): FoundChunk[] =>
  rows
    .filter((row): row is Row => row.id != null)
    .map(({ id, score, content, metadata }, i) => ({
      id,
      storeId,
      content,
      metadata,
      score,
      vectorRank: null,
      keywordRank: i + 1,
    }));
