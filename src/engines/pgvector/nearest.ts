import { type RawBuilder, sql } from "kysely";
import type { Layout } from "../../db/schema/layout.js";
import type { Database, Db } from "../../db/connection/database.js";
import { instant } from "../../db/tables/stores.js";
import type { Filter } from "../../words/filter.js";
import { normalized } from "../../numbers/float32.js";
import { encodeVector } from "./binary.js";
import { type Hiding, compileFilter, isIndexed, matchingIds, passing, visible } from "./filterSql.js";
import { StoreChanged } from "./storeChanged.js";
import { type VectorsState, vectorsOf } from "./vectors.js";

export interface Hit {
  id: string;
  content: string;
  metadata: unknown;
  /** 1 − cosine distance / 2, in 0…1 (litellm-pgvector's formula); 0 where no cosine exists. */
  score: number;
}

/** `exact`: the true nearest, always. `high`: 99 of 100 of them. `fast`: the quickest that an index can do. */
export const recalls = ["exact", "high", "fast"] as const;
export type Recall = (typeof recalls)[number];

export interface VectorSearch {
  store: VectorsState & Hiding & { id: string; chunkCount: number };
  embedding: Float32Array;
  filter: Filter | null;
  limit: number;
  recall: Recall;
  /** Filters that were found to be wide a moment ago: whether one is costs a look at thousands of its matches. */
  wideFilters: WideFilters;
  /** Unix milliseconds: a store that has expired by then is not searched. */
  now: number;
}

export interface WideFilters {
  has(key: string): boolean;
  set(key: string, wide: true): unknown;
  delete(key: string): unknown;
}

/**
 * Up to this many matches of a filter are compared one by one, 9 µs each; more are looked for among the nearest of the index. There a
 * filter that lets 1 % through ends at a recall of 0.88, whatever the effort.
 */
const narrow = 3000;

/** How many of the nearest are looked through for rows that pass a wide filter, one after the other until enough do. */
const breadths = [400, 1000];

/**
 * The `limit` nearest chunks of a store that pass the filter, best first, ties in the order of ids; never fewer than there are.
 *
 * How is decided here and not by the planner, which does not know how many rows a store or a filter has: through the HNSW index of
 * a store that has one, else exact. Either way candidates are found by the derived vectors and put in order by the record's own, so
 * scores are those of full precision.
 */
export async function searchChunks(db: Database, given: VectorSearch): Promise<Hit[]> {
  const search = { ...given, filter: visible(given.filter, given.store) };
  const { store, filter, limit } = search;
  const unit = encodeVector(normalized(search.embedding));
  const query = { ...search, unit, vector: encodeVector(search.embedding) };
  if (!store.vectorsComplete) return db.reading(exactly, (tx) => searchRecord(tx, query));
  // An effort as large as the store is better spent on all of it.
  const few = store.chunkCount <= candidatesFor(limit) + efAt50k.dense;
  if (!store.vectorsIndexed || search.recall === "exact" || few)
    return db.reading(exactly, (tx) => searchExactly(tx, query));
  // Hidden files alone let nearly everything through.
  const key = given.filter === null ? null : JSON.stringify([store.id, given.filter]);
  if (filter !== null && key !== null && !search.wideFilters.has(key)) {
    const exact = await db.reading(throughAll(filter), (tx) => searchNarrow(tx, { ...query, filter }));
    if (exact !== null) return exact;
    search.wideFilters.set(key, true);
  }
  for (const breadth of filter === null ? [candidatesFor(limit)] : breadths) {
    const { hits, passed } = await db.reading(throughIndex(search, breadth), (tx) => searchIndex(tx, query, breadth));
    // What passes lies apart from the query when so few of its nearest do: then the index tells nothing of the true nearest. Without
    // a filter, rows that lie apart from all others may be missed, and rows without a direction are not in the index.
    if (filter === null ? hits.length >= Math.min(limit, store.chunkCount) : passed >= candidatesFor(limit))
      return hits;
  }
  // Rows may have gone since it was wide.
  if (key !== null) search.wideFilters.delete(key);
  return db.reading(exactly, (tx) => searchExactly(tx, query));
}

interface Query extends VectorSearch {
  /** The embedding as a parameter, encoded once for all places of a statement… */
  vector: Buffer;
  /** …and at length 1. */
  unit: Buffer;
}

/** Compiling a plan costs 50 ms and more, which the planner's estimates for vectors seem to justify and nothing repays. */
const exactly = { jit: "off" };

/**
 * A filter that the index on metadata does not answer is tried on every row of the store, unless there is an index for its ranges: of
 * 200,000, their pages take 90 ms to read by one process. Left to itself the planner, who thinks that half of the rows pass and three
 * thousand are soon found, has no help from others.
 */
const throughAll = (filter: Filter) =>
  isIndexed(filter) ? exactly : { ...exactly, parallel_setup_cost: 0, parallel_tuple_cost: 0 };

/** More candidates than asked for, because half precision may put close neighbours in another order than the record's vectors. */
const candidatesFor = (limit: number) => limit + Math.max(limit, 10);

/**
 * hnsw.ef_search: the candidates that the index keeps on its way, so its recall. It has to grow with the graph, by about the square root
 * of its rows; in tight clusters 100 found 0.995 of the ten nearest of 20,000 rows, and 200 0.98 of 200,000 where 300 found all. Sparse
 * vectors have many neighbours at nearly one distance: of 50,000, 160 found 0.984 and 240 0.990.
 * A sequential scan is never what is wanted, and the planner takes one for small tables.
 */
function throughIndex({ store, recall, embedding }: VectorSearch, breadth: number) {
  const at50k = isSparse(embedding) ? efAt50k.sparse : efAt50k.dense;
  const wanted = recall === "fast" ? 40 : at50k * Math.max(1, (store.chunkCount / 50_000) ** 0.5);
  const ef = Math.min(1000, Math.round(Math.max(wanted, breadth)));
  return { ...exactly, enable_seqscan: "off", "hnsw.ef_search": ef };
}
const efAt50k = { dense: 160, sparse: 240 };

/** Nearly all numbers of a query are 0 when the built-in embedder made it, and none when a model did. */
const isSparse = (vector: Float32Array) => 2 * vector.filter((each) => each === 0).length > vector.length;

/**
 * Through the index of the store's own table, and exactly through the fresh rows beside it.
 * @param breadth how many of the nearest in the index are looked at; `passed` says how many of these pass the filter.
 */
async function searchIndex(tx: Db, query: Query, breadth: number): Promise<{ hits: Hit[]; passed: number }> {
  const { layout } = tx;
  const e = layout.embeddings;
  const { store, filter, limit, vector } = query;
  if (store.vectorsTable === null) throw new Error("a store with an index has a table of its own");
  const count = candidatesFor(limit);
  const distance = distanceTo(layout, query.unit);
  const own = layout.derived.ownVectors(store.vectorsTable).reference;
  const passes = passing(layout, sql`v.id`, filter);
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
  return { hits: hitsOf(rows), passed: rows[0]?.passed ?? 0 };
}

/** Exactly among the matches of a filter; null when there are more than `narrow`. */
async function searchNarrow(tx: Db, query: Query & { filter: Filter }): Promise<Hit[] | null> {
  const { layout } = tx;
  const { store, filter } = query;
  const matches = sql`${matchingIds(layout, store.id, filter)} LIMIT ${narrow + 1}`;
  const ctes = sql`
    matches AS MATERIALIZED (${matches}), total AS MATERIALIZED (SELECT count(*) AS matches FROM matches),
    scored AS MATERIALIZED (
      SELECT v.id, COALESCE(${distanceTo(layout, query.unit)}, 'Infinity') AS d FROM ${vectorsOf(layout, store.id, store)} AS v
      WHERE v.id = ANY(ARRAY(SELECT id FROM matches WHERE (SELECT matches FROM total) <= ${narrow})))`;
  const hits = sql`SELECT t.matches, n.* FROM total AS t LEFT JOIN LATERAL (${nearest(layout, query)}) AS n ON true`;
  const rows = await findIn<{ matches: number }>(tx, query, ctes, hits);
  return (rows[0]?.matches ?? 0) > narrow ? null : hitsOf(rows);
}

/** Through all vectors of the store, or all that the filter lets through. */
async function searchExactly(tx: Db, query: Query): Promise<Hit[]> {
  const { layout } = tx;
  const { store, filter } = query;
  const scored =
    filter === null
      ? sql`scored AS MATERIALIZED (
          SELECT v.id, COALESCE(${distanceTo(layout, query.unit)}, 'Infinity') AS d FROM ${vectorsOf(layout, store.id, store)} AS v)`
      : sql`matches AS MATERIALIZED (${matchingIds(layout, store.id, filter)}),
        scored AS MATERIALIZED (${scoredMatches(layout, query)})`;
  return hitsOf(await findIn(tx, query, scored, nearest(layout, query)));
}

/**
 * Runs a search on the derived vectors, in one statement with the question whether the store still is as its row said when it was read,
 * perhaps a model call ago. @throws StoreChanged
 */
async function findIn<More = unknown>(
  tx: Db,
  { store, now }: Query,
  ctes: RawBuilder<unknown>,
  hits: RawBuilder<unknown>,
): Promise<(Partial<Row> & Partial<More>)[]> {
  const { table, zoned } = tx.layout.vectorStores;
  const { rows } = await sql<Partial<Row> & Partial<More> & { unchanged: boolean }>`
    WITH ${ctes}
    SELECT s.unchanged, h.*
    FROM (SELECT vectors_complete AND vectors_table IS NOT DISTINCT FROM ${store.vectorsTable}::bigint
                 AND hidden_files = ${[...store.hiddenFiles]}::text[]
                 AND (expires_at IS NULL OR expires_at > ${instant(now, zoned)}) AS unchanged
          FROM ${table} WHERE id = ${store.id}) AS s
    LEFT JOIN (${hits}) AS h ON true
    ORDER BY h.place`.execute(tx.run);
  if (rows.some((row) => !row.unchanged)) throw new StoreChanged("the store has changed");
  return rows;
}

/**
 * Through the record's own vectors, of a store whose derived ones are not complete yet. The `+ 0` keeps the planner from an approximate
 * index that an adopted table may have: it would be read first and filtered by store afterwards (seen: 17 rows of 50).
 */
async function searchRecord(tx: Db, { store, filter, limit, vector }: Query): Promise<Hit[]> {
  const e = tx.layout.embeddings;
  const { rows } = await sql<Row>`
    SELECT ${e.id}::text AS id, ${e.content} AS content, ${e.metadata} AS metadata,
           (${e.embedding} <=> ${vector}::vector) + 0 AS distance
    FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${store.id} AND ${filter === null ? sql`true` : compileFilter(filter, e.metadata)}
    ORDER BY distance, ${e.id}
    LIMIT ${limit}`.execute(tx.run);
  return rows.map(hitOf);
}

/**
 * How much nearer than it is a vector may seem, in inner products of unit vectors: rounding to half precision moves each by 2^-11 at
 * most, and sums in single precision add less than as much again.
 */
const slack = { halfvec: 0.0025, vector: 0.00001 };

/**
 * The nearest of the CTE `scored` by the record's vectors. All rows are candidates that could be among them for all that rounding may
 * have done, so the answer is exact.
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

/** The CTE `matches` with the distance of each. One lookup a match: the planner, who thinks of 0.1 % of the rows, must not choose. */
function scoredMatches(layout: Layout, { store, unit }: Query): RawBuilder<unknown> {
  return sql`
    SELECT m.id, COALESCE(${distanceTo(layout, unit)}, 'Infinity') AS d
    FROM matches AS m CROSS JOIN LATERAL (
      SELECT embedding FROM ${vectorsOf(layout, store.id, store)} AS all_vectors WHERE id = m.id OFFSET 0) AS v`;
}

/** Negative inner product with the bare column `embedding`: the order of cosine for unit vectors, in a third of its arithmetic. */
const distanceTo = (layout: Layout, unit: Buffer) =>
  sql`(embedding <#> ${unit}::vector::${sql.raw(layout.derived.vectorType)})`;

interface Row {
  id: string;
  content: string;
  metadata: unknown;
  distance: number;
}

const isRow = (row: Partial<Row>): row is Row => row.id != null;
const hitsOf = (rows: readonly Partial<Row>[]): Hit[] => rows.filter(isRow).map(hitOf);

const hitOf = ({ id, content, metadata, distance }: Row): Hit => ({ id, content, metadata, score: scoreOf(distance) });

function scoreOf(distance: number): number {
  return Number.isNaN(distance) ? 0 : Math.min(1, Math.max(0, 1 - distance / 2));
}
