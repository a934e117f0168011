import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";
import { instant } from "../../db/expressions.js";
import type { Layout } from "../../db/schema/layout.js";
import type { FoundChunk } from "../../words/chunk.js";
import type { Filter } from "../../words/filter.js";
import type { VectorStore } from "../../words/store.js";
import { compileFilter } from "../../db/filterSql.js";
import { matchingIds, passing } from "./passing.js";
import type { PgvectorState } from "./state.js";
import { StoreChanged } from "./storeChanged.js";
import { vectorsOf } from "./vectors.js";

/** The statements of a search by vector; nearest.ts decides which of them runs. */

export interface Query {
  store: Pick<VectorStore, "id">;
  state: PgvectorState;
  /** Already excludes hidden files. */
  filter: Filter | null;
  limit: number;
  /** The embedding, encoded once for all its uses in a statement. */
  vector: Buffer;
  /** The same at length 1. */
  unit: Buffer;
  /** Unix milliseconds: a store that has expired by then is not searched. */
  now: number;
}

/**
 * Up to this many matches of a filter are compared one by one, at 9 µs each. With more, the index's nearest rows are
 * checked against the filter; a filter that passes only 1 % would reach a recall of 0.88 there, whatever the effort.
 */
const narrow = 3000;

/**
 * More candidates than asked for, because half precision may order close neighbours differently from the record's
 * vectors.
 */
export const candidatesFor = (limit: number): number => limit + Math.max(limit, 10);

/**
 * Searches the index of the store's own table, and exactly the fresh rows beside it.
 * @param breadth how many of the index's nearest rows are checked; `passed` is how many of these pass the filter.
 */
export async function searchIndex(
  tx: Db,
  query: Query,
  breadth: number,
): Promise<{ hits: FoundChunk[]; passed: number }> {
  const { layout } = tx;
  const e = layout.embeddings;
  const { store, state, filter, limit, vector } = query;
  if (state.vectorsTable === null) throw new Error("an indexed store must have its own table");
  const count = candidatesFor(limit);
  const distance = distanceTo(layout, query.unit);
  const own = layout.derived.ownVectors(state.vectorsTable).reference;
  const passes = passing(layout, { storeId: store.id, id: sql`v.id` }, filter);
  const ctes = sql`
    indexed AS MATERIALIZED (
      SELECT v.id, v.d FROM (SELECT id, ${distance} AS d FROM ${own} ORDER BY ${distance} LIMIT ${breadth}) AS v ${passes}
    ), fresh AS MATERIALIZED (
      SELECT v.id, v.d FROM (SELECT id, ${distance} AS d FROM ${layout.derived.vectors} WHERE vector_store_id = ${store.id}) AS v ${passes}
      WHERE v.d IS NOT NULL ORDER BY v.d, v.id LIMIT ${count}
    ), nearest AS MATERIALIZED (
      SELECT id FROM (SELECT id, d FROM indexed UNION ALL SELECT id, d FROM fresh) AS c
      GROUP BY id ORDER BY min(d), id LIMIT ${count}
    )`;
  const hits = sql`
    SELECT r.*, (SELECT count(*) FROM indexed) AS passed, row_number() OVER (ORDER BY r.distance, r.key) AS place
    FROM (
      SELECT ${e.id}::text AS id, ${e.id} AS key, ${e.content} AS content, ${e.metadata} AS metadata,
             ${e.embedding} <=> ${vector}::vector AS distance
      FROM nearest AS c JOIN ${e.table} AS e ON ${e.id} = c.id WHERE ${e.vectorStoreId} = ${store.id}) AS r
    ORDER BY place LIMIT ${limit}`;
  const rows = await findIn<{ passed: number }>(tx, query, ctes, hits);
  return { hits: foundOf(query, rows), passed: rows[0]?.passed ?? 0 };
}

/** Searches a filter's matches exactly; null if there are more than `narrow`. */
export async function searchNarrow(tx: Db, query: Query & { filter: Filter }): Promise<FoundChunk[] | null> {
  const { layout } = tx;
  const { store, state, filter } = query;
  const matches = sql`${matchingIds(layout, store.id, filter)} LIMIT ${narrow + 1}`;
  const ctes = sql`
    matches AS MATERIALIZED (${matches}), total AS MATERIALIZED (SELECT count(*) AS matches FROM matches),
    scored AS MATERIALIZED (
      SELECT v.id, COALESCE(${distanceTo(layout, query.unit)}, 'Infinity') AS d FROM ${vectorsOf(layout, store.id, state)} AS v
      WHERE v.id = ANY(ARRAY(SELECT id FROM matches WHERE (SELECT matches FROM total) <= ${narrow})))`;
  const hits = sql`SELECT t.matches, n.* FROM total AS t LEFT JOIN LATERAL (${nearest(layout, query)}) AS n ON true`;
  const rows = await findIn<{ matches: number }>(tx, query, ctes, hits);
  return (rows[0]?.matches ?? 0) > narrow ? null : foundOf(query, rows);
}

/** Compares all vectors of the store, or all that pass the filter. */
export async function searchExactly(tx: Db, query: Query): Promise<FoundChunk[]> {
  const { layout } = tx;
  const { store, state, filter } = query;
  const scored =
    filter === null
      ? sql`scored AS MATERIALIZED (
          SELECT v.id, COALESCE(${distanceTo(layout, query.unit)}, 'Infinity') AS d FROM ${vectorsOf(layout, store.id, state)} AS v)`
      : sql`matches AS MATERIALIZED (${matchingIds(layout, store.id, filter)}),
        scored AS MATERIALIZED (${scoredMatches(layout, query)})`;
  return foundOf(query, await findIn(tx, query, scored, nearest(layout, query)));
}

/**
 * Searches the derived vectors. The same statement checks that the store's row, perhaps read before a model call, is
 * still current.
 * @throws StoreChanged
 */
async function findIn<More = unknown>(
  tx: Db,
  { store, state, now }: Query,
  ctes: RawBuilder<unknown>,
  hits: RawBuilder<unknown>,
): Promise<(Partial<Row> & Partial<More>)[]> {
  const { table, zoned } = tx.layout.vectorStores;
  const { rows } = await sql<Partial<Row> & Partial<More> & { unchanged: boolean }>`
    WITH ${ctes}
    SELECT s.unchanged, h.*
    FROM (SELECT vectors_complete AND vectors_table IS NOT DISTINCT FROM ${state.vectorsTable}::bigint
                 AND hidden_files = ${state.hiddenFiles}::text[]
                 AND (expires_at IS NULL OR expires_at > ${instant(now, zoned)}) AS unchanged
          FROM ${table} WHERE id = ${store.id}) AS s
    LEFT JOIN (${hits}) AS h ON true
    ORDER BY h.place`.execute(tx.run);
  if (rows.some((row) => !row.unchanged)) throw new StoreChanged("the store has changed");
  return rows;
}

/**
 * Searches the record's own vectors, for a store whose derived ones are incomplete. The `+ 0` keeps the planner from
 * using an adopted table's approximate index, which would be read first and filtered by store afterwards (seen: 17 rows
 * of 50).
 */
export async function searchRecord(tx: Db, query: Query): Promise<FoundChunk[]> {
  const e = tx.layout.embeddings;
  const { store, filter, limit, vector } = query;
  const { rows } = await sql<Row>`
    SELECT ${e.id}::text AS id, ${e.content} AS content, ${e.metadata} AS metadata,
           (${e.embedding} <=> ${vector}::vector) + 0 AS distance
    FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${store.id} AND ${filter === null ? sql`true` : compileFilter(filter, e.metadata)}
    ORDER BY distance, ${e.id}
    LIMIT ${limit}`.execute(tx.run);
  return foundOf(query, rows);
}

/**
 * How much too near rounding can make a vector seem, as an inner product of unit vectors: half precision moves each by
 * at most 2^-11, and sums in single precision add less than that again.
 */
const slack = { halfvec: 0.0025, vector: 0.00001 };

/**
 * The nearest rows of the CTE `scored`, by the record's vectors. Every row that rounding could have kept out is a
 * candidate, so the answer is exact.
 */
function nearest(layout: Layout, { store, limit, vector }: Query): RawBuilder<unknown> {
  const e = layout.embeddings;
  return sql`
    SELECT r.id::text AS id, r.content, r.metadata, r.distance, row_number() OVER (ORDER BY r.distance, r.id) AS place
    FROM scored AS c CROSS JOIN LATERAL (
      SELECT ${e.id} AS id, ${e.content} AS content, ${e.metadata} AS metadata,
             ${e.embedding} <=> ${vector}::vector AS distance
      FROM ${e.table} AS e WHERE ${e.id} = c.id AND ${e.vectorStoreId} = ${store.id} OFFSET 0) AS r
    WHERE c.d <= (SELECT max(d) FROM (SELECT d FROM scored ORDER BY d LIMIT ${limit}) AS edge) + ${slack[layout.derived.vectorType]}::float8
    ORDER BY place LIMIT ${limit}`;
}

/**
 * The CTE `matches` with each distance. Forces one lookup per match, because the planner expects only 0.1 % of the rows
 * to match.
 */
function scoredMatches(layout: Layout, { store, state, unit }: Query): RawBuilder<unknown> {
  return sql`
    SELECT m.id, COALESCE(${distanceTo(layout, unit)}, 'Infinity') AS d
    FROM matches AS m CROSS JOIN LATERAL (
      SELECT embedding FROM ${vectorsOf(layout, store.id, state)} AS all_vectors WHERE id = m.id OFFSET 0) AS v`;
}

/**
 * Negative inner product with the bare column `embedding`: orders unit vectors like cosine, with a third of the
 * arithmetic.
 */
const distanceTo = (layout: Layout, unit: Buffer) =>
  sql`(embedding <#> ${unit}::vector::${sql.raw(layout.derived.vectorType)})`;

interface Row {
  id: string;
  content: string;
  metadata: unknown;
  distance: number;
}

const isRow = (row: Partial<Row>): row is Row => row.id != null;

const foundOf = ({ store }: Query, rows: readonly Partial<Row>[]): FoundChunk[] =>
  rows.filter(isRow).map(({ id, content, metadata, distance }, i) => ({
    id,
    storeId: store.id,
    content,
    metadata,
    score: scoreOf(distance),
    vectorRank: i + 1,
    keywordRank: null,
  }));

/** 1 − cosine distance / 2, in 0…1 (litellm-pgvector's formula); 0 where no cosine exists. */
function scoreOf(distance: number): number {
  return Number.isNaN(distance) ? 0 : Math.min(1, Math.max(0, 1 - distance / 2));
}
