import { visible, isIndexed } from "./filterSql.js";
import type { FoundChunk } from "../../words/chunk.js";
import type { Filter } from "../../words/filter.js";
import type { VectorStore } from "../../words/store.js";
import { normalized } from "../../numbers/float32.js";
import type { VectorQuery } from "../engine.js";
import { encodeVector } from "./binary.js";
import type { Pgvector } from "./context.js";
import { candidatesFor, searchExactly, searchIndex, searchNarrow, searchRecord } from "./nearestSql.js";
import { stateOf } from "./state.js";

/** How many of the nearest rows are checked against a wide filter; the next number is tried when too few pass. */
const breadths = [400, 1000];

/**
 * The `limit` nearest chunks of a store that pass the filter, best first, ties in the order of ids; never fewer than there are.
 *
 * The decision is made here and not by the planner, which does not know how many rows a store or a filter has: through the HNSW index of
 * a store that has one, else exactly. Either way the derived vectors find candidates and the record's own vectors order them, so scores
 * have full precision.
 */
export async function searchChunks(
  { db, wideFilters, now }: Pick<Pgvector, "db" | "wideFilters" | "now">,
  store: VectorStore,
  given: VectorQuery,
): Promise<FoundChunk[]> {
  const state = stateOf(store);
  const { embedding, limit, recall } = given;
  const filter = visible(given.filter, state);
  const unit = encodeVector(normalized(embedding));
  const query = { store, state, filter, limit, unit, vector: encodeVector(embedding), now: now() };
  if (!state.vectorsComplete) return db.reading(exactly, (tx) => searchRecord(tx, query));
  // An effort as large as the store is better spent on all of it.
  const few = store.chunkCount <= candidatesFor(limit) + efAt50k.dense;
  if (!state.vectorsIndexed || recall === "exact" || few) return db.reading(exactly, (tx) => searchExactly(tx, query));
  // Hidden files alone let nearly everything through.
  const key = given.filter === null ? null : JSON.stringify([store.id, given.filter]);
  if (filter !== null && key !== null && !wideFilters.has(key)) {
    const exact = await db.reading(throughAll(filter), (tx) => searchNarrow(tx, { ...query, filter }));
    if (exact !== null) return exact;
    wideFilters.set(key, true);
  }
  for (const breadth of filter === null ? [candidatesFor(limit)] : breadths) {
    const settings = throughIndex(store.chunkCount, given, breadth);
    const { hits, passed } = await db.reading(settings, (tx) => searchIndex(tx, query, breadth));
    // When few of the nearest rows pass, the rows that pass are far from the query, and the index says nothing of the nearest among
    // them. Without a filter, rows far from all others may be missed, and rows without a direction are not in the index.
    if (filter === null ? hits.length >= Math.min(limit, store.chunkCount) : passed >= candidatesFor(limit))
      return hits;
  }
  // Rows may have gone since the filter was found to be wide.
  if (key !== null) wideFilters.delete(key);
  return db.reading(exactly, (tx) => searchExactly(tx, query));
}

/** Compiling a plan takes 50 ms and more: the planner's estimates for vectors seem to justify it, and nothing repays it. */
const exactly = { jit: "off" };

/**
 * A filter that no index answers is tried on every row of the store: the pages of 200,000 rows take one process 90 ms to read. The
 * planner believes that half of the rows pass and that three thousand are soon found, so it takes no parallel workers unless they are
 * made to look free.
 */
const throughAll = (filter: Filter) =>
  isIndexed(filter) ? exactly : { ...exactly, parallel_setup_cost: 0, parallel_tuple_cost: 0 };

/**
 * hnsw.ef_search, the candidates that the index keeps on its way, sets the recall. It has to grow with about the square root of the rows:
 * in tight clusters 100 found 0.995 of the ten nearest of 20,000 rows, and 200 found 0.98 of 200,000 where 300 found all. Sparse vectors
 * have many neighbours at nearly one distance: of 50,000, 160 found 0.984 and 240 found 0.990. A sequential scan is never wanted, and the
 * planner takes one for small tables.
 */
function throughIndex(chunkCount: number, { recall, embedding }: VectorQuery, breadth: number) {
  const at50k = isSparse(embedding) ? efAt50k.sparse : efAt50k.dense;
  const wanted = recall === "fast" ? 40 : at50k * Math.max(1, (chunkCount / 50_000) ** 0.5);
  const ef = Math.min(1000, Math.round(Math.max(wanted, breadth)));
  return { ...exactly, enable_seqscan: "off", "hnsw.ef_search": ef };
}
const efAt50k = { dense: 160, sparse: 240 };

/** Nearly all numbers of the built-in embedder's vectors are 0, and hardly any of a model's. */
const isSparse = (vector: Float32Array) => 2 * vector.filter((each) => each === 0).length > vector.length;
