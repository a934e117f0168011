import { sql } from "kysely";
import type { Filter } from "../../../words/filter.js";
import { encodeTextArray } from "../binary.js";
import { compileFilter } from "../../../db/filterSql.js";
import type { Similar } from "./keywordSql.js";
import type { Db } from "../../../db/database.js";

/**
 * Limits of what is compared with mistyped words, at about 0.1 ms per word and chunk of 500 characters. Only for words
 * that no chunk has.
 */
const compared = { chunks: 5000, characters: 10_000, words: 3, similarity: 0.6, found: 200 };

/** Whether a word may be a typo: letters only, since another digit makes another code. */
export const isMistypable = (unit: string) => /^\p{L}{4,}$/u.test(unit);

/**
 * Chunks that have words similar to these, the most similar first; none without the extension pg_trgm. The similarity
 * is the mean over the words.
 */
export async function findSimilar(
  db: Db,
  search: { storeId: string; filter: Filter | null },
  words: readonly string[],
): Promise<Similar[]> {
  if (words.length === 0) return [];
  const schema = await schemaOfTrigrams(db);
  if (schema === null) return [];
  const e = db.layout.embeddings;
  const { rows } = await sql<Similar>`
    SELECT r.id::text AS id, r.similarity FROM (
      SELECT c.id, (
        SELECT sum(CASE WHEN s.similarity >= ${compared.similarity}::real THEN s.similarity ELSE 0 END) / count(*)
        FROM (SELECT ${sql.id(schema, "word_similarity")}(w.word, c.content) AS similarity
              FROM unnest(${encodeTextArray(words.slice(0, compared.words))}::text[]) AS w(word)) AS s) AS similarity
      FROM (SELECT ${e.id} AS id, left(${e.content}, ${compared.characters}::int) AS content FROM ${e.table} AS e
            WHERE ${e.vectorStoreId} = ${search.storeId}
              AND ${search.filter === null ? sql`true` : compileFilter(search.filter, e.metadata)}
            ORDER BY ${e.id} LIMIT ${compared.chunks}) AS c) AS r
    WHERE r.similarity > 0 ORDER BY r.similarity DESC, r.id LIMIT ${compared.found}`.execute(db.run);
  return rows;
}

async function schemaOfTrigrams(db: Db): Promise<string | null> {
  const { rows } = await sql<{ schema: string }>`
    SELECT n.nspname::text AS schema FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace
    WHERE x.extname = 'pg_trgm'`.execute(db.run);
  return rows[0]?.schema ?? null;
}
