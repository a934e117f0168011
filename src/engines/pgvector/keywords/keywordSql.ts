import { type RawBuilder, sql } from "kysely";
import type { Layout } from "../../../db/schema/layout.js";
import { encodeTextArray } from "../binary.js";
import { any, postgresClasses, sampleLexeme, samples, storeLexeme } from "./keywordQuery.js";

/**
 * How many characters of a chunk keyword search covers. A tsvector holds at most 1 MB, inserting a larger one fails,
 * and no character takes more than 8 bytes in it.
 */
const wordCharacters = 120_000;

/**
 * The text that the parser sees, the same for chunks and queries: compatibility forms made plain (full-width letters),
 * no punctuation (the parser would make URLs, file names, signed numbers and compounds of it), CJK characters apart. 40
 * µs for 500 characters; testing whether a text is normalised costs a third of normalising it.
 */
export function parserText(text: RawBuilder<unknown>): RawBuilder<string> {
  const start = sql`left(${text}, ${sql.lit(wordCharacters)})`;
  const plain = sql`CASE WHEN getdatabaseencoding() <> 'UTF8' THEN ${start} WHEN ${start} IS NFKC NORMALIZED THEN ${start}
    ELSE left(normalize(${start}, NFKC), ${sql.lit(wordCharacters)}) END`;
  return sql`regexp_replace(regexp_replace(${plain}, ${sql.lit(`${postgresClasses.separators}+`)}, ' ', 'g'),
    ${sql.lit(`(${postgresClasses.ideographs})`)}, ' \\1 ', 'g')`;
}

/** The words of the record's row e, with the lexemes of its store and of its sample. */
export function wordsOf(layout: Layout, storeId: string, language: string): RawBuilder<unknown> {
  const { id, content } = layout.embeddings;
  const names = Array.from({ length: samples }, (_, sample) => sampleLexeme(storeId, sample));
  const sample = sql`(${encodeTextArray(names)}::text[])[1 + (hashtext(${id}::text) & ${samples - 1}::int)]`;
  return sql`array_to_tsvector(ARRAY[${storeLexeme(storeId)}::text, ${sample}]) || to_tsvector(${language}::regconfig, ${parserText(content)})`;
}

/**
 * The CTE `terms` (query, found, weight) from a query for the columns query and count.
 *
 * A weight is the square of the inverse document frequency ln(1 + N / n), as in the cosine of two tf-idf vectors:
 * squared, one rare word outweighs many common ones.
 */
export function termWeights(terms: RawBuilder<unknown>, chunkCount: number): RawBuilder<unknown> {
  return sql`
    SELECT query, count > 0 AS found, power(ln(1 + greatest(${chunkCount}::float8, count, 1) / greatest(count, 1)), 2) AS weight
    FROM (${terms}) AS t`;
}

/** A chunk in which a mistyped word was found, and how similar, 0…1. */
export interface Similar {
  id: string;
  similarity: number;
}

/** The same as a query for the columns id and similarity. */
export function similarTable(layout: Layout, similar: readonly Similar[]): RawBuilder<unknown> {
  const ids = encodeTextArray(similar.map((each) => each.id));
  return sql`SELECT id, similarity FROM unnest(${ids}::text[]::${sql.raw(layout.embeddings.idType)}[],
    ${similar.map((each) => each.similarity)}::float8[]) AS s(id, similarity)`;
}

/**
 * The best of some chunks: id, score, content, metadata. Needs the CTE `terms`.
 *
 * Score: 0.9 × the chunk's share of the terms' total weight + 0.1 × ts_rank (more and denser occurrences). A mistyped
 * word adds less than half of what the lightest term adds, so it helps but never beats a term that is there.
 * @param candidates a query for the columns id and words, each chunk once
 */
export function bestOf(
  layout: Layout,
  search: { storeId: string; limit: number },
  terms: readonly { query: string }[],
  candidates: RawBuilder<unknown>,
  similar: readonly Similar[],
): RawBuilder<unknown> {
  const e = layout.embeddings;
  // A new value in a separate subquery, so that words in TOAST are fetched once, not once per term.
  const flat = sql`SELECT id, words || ''::tsvector AS words FROM (${candidates}) AS c OFFSET 0`;
  const occurrences = sql`least(1, ts_rank('{1,1,1,1}', c.words, ${any(terms.map((each) => each.query))}::tsquery, 1))`;
  const mistyped =
    similar.length === 0
      ? sql`0`
      : sql`COALESCE((SELECT s.similarity FROM (${similarTable(layout, similar)}) AS s WHERE s.id = c.id), 0)
          * COALESCE(0.4 * (SELECT min(weight) FROM terms WHERE found) / (SELECT sum(weight) FROM terms), 0.45)`;
  const ranked = sql`
    SELECT c.id, 0.9 * COALESCE((SELECT sum(t.weight) FROM terms AS t WHERE c.words @@ t.query), 0) / (SELECT sum(weight) FROM terms)
      + 0.1 * ${occurrences} + ${mistyped} AS score
    FROM (${flat}) AS c ORDER BY score DESC, id`;
  // Read the record last, for as many rows as wanted: another program may have deleted a chunk from it.
  return sql`
    SELECT r.id, least(1, r.score)::float8 AS score, present.content, present.metadata
    FROM (${ranked}) AS r CROSS JOIN LATERAL (
      SELECT ${e.content} AS content, ${e.metadata} AS metadata
      FROM ${e.table} AS e WHERE ${e.id} = r.id AND ${e.vectorStoreId} = ${search.storeId} OFFSET 0) AS present
    LIMIT ${search.limit}`;
}
