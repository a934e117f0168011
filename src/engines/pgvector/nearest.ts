import { isIndexed } from "../../db/filterSql.js";
import { visible } from "./passing.js";
import type { FoundChunk } from "../../words/chunk.js";
import { exactJson } from "../../words/exactJson.js";
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
 * The `limit` nearest chunks of a store that pass the filter, or all if there are fewer; best first, ties by id.
 *
 * This function chooses between the HNSW index and an exact search, because the planner does not know how many rows a
 * store or a filter has. Either way the derived vectors find candidates and the record's own vectors order them, so
 * scores have full precision.
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
  // If the index would look at about as many rows as the store has, compare them all.
  const few = store.chunkCount <= candidatesFor(limit) + efAt50k.dense;
  if (!state.vectorsIndexed || recall === "exact" || few) return db.reading(exactly, (tx) => searchExactly(tx, query));
  // A filter that only excludes hidden files passes nearly everything.
  const key = given.filter === null ? null : exactJson([store.id, given.filter]);
  if (filter !== null && key !== null && !wideFilters.has(key)) {
    const exact = await db.reading(throughAll(filter), (tx) => searchNarrow(tx, { ...query, filter }));
    if (exact !== null) return exact;
    wideFilters.set(key, true);
  }
  for (const breadth of filter === null ? [candidatesFor(limit)] : breadths) {
    const settings = throughIndex(store.chunkCount, given, breadth);
    const { hits, passed } = await db.reading(settings, (tx) => searchIndex(tx, query, breadth));
    // If few of the nearest rows pass, the matching rows are far from the query, and the index cannot tell which of
    // them are nearest. Without a filter, it may miss rows far from all others, and it lacks rows without a direction.
    if (filter === null ? hits.length >= Math.min(limit, store.chunkCount) : passed >= candidatesFor(limit))
      return hits;
  }
  // Rows may have been deleted since the filter was found to be wide.
  if (key !== null) wideFilters.delete(key);
  return db.reading(exactly, (tx) => searchExactly(tx, query));
}

/**
 * JIT compilation takes 50 ms or more. The planner's estimates for vectors seem to justify it, but it never pays off.
 */
const exactly = { jit: "off" };

/**
 * A filter that no index answers is tested on every row of the store: one process takes 90 ms to read 200,000 rows. The
 * planner expects half of the rows to pass and 3,000 to be found soon, so it uses parallel workers only if they look
 * free.
 */
const throughAll = (filter: Filter) =>
  isIndexed(filter) ? exactly : { ...exactly, parallel_setup_cost: 0, parallel_tuple_cost: 0 };

/**
 * hnsw.ef_search, the number of candidates that the index keeps, sets the recall. It must grow with about the square
 * root of the rows: in tight clusters 100 found 0.995 of the ten nearest of 20,000 rows; of 200,000 rows, 200 found
 * 0.98 and 300 all. Sparse vectors have many neighbours at nearly the same distance: of 50,000, 160 found 0.984 and 240
 * found 0.990. Sequential scans are off because the planner prefers them for small tables, where they are never wanted.
 */
function throughIndex(chunkCount: number, { recall, embedding }: VectorQuery, breadth: number) {
  const at50k = isSparse(embedding) ? efAt50k.sparse : efAt50k.dense;
  const wanted = recall === "fast" ? 40 : at50k * Math.max(1, (chunkCount / 50_000) ** 0.5);
  const ef = Math.min(1000, Math.round(Math.max(wanted, breadth)));
  return { ...exactly, enable_seqscan: "off", "hnsw.ef_search": ef };
}
const efAt50k = { dense: 160, sparse: 240 };

/** Nearly all numbers of the built-in embedder's vectors are 0, but hardly any of a model's. */
const isSparse = (vector: Float32Array) => 2 * vector.filter((each) => each === 0).length > vector.length;
