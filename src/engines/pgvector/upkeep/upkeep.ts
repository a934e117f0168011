import { findStore } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pace } from "../../engine.js";
import type { Pgvector } from "../context.js";
import type { NextStep } from "../failures.js";
import { analyzeKeywords } from "../keywords/keywords.js";
import { recordState, stateOf } from "../state.js";
import { countShared } from "../vectors.js";
import { fillAllKeywords, fillAllVectors, inSteps } from "./fill.js";
import { mostIndexed } from "./indexState.js";
import { giveNextTable, moveSome, renew } from "./ownTable.js";
import { makeRangeIndexes } from "./rangeIndexes.js";
import { listIndexed, listToIndex } from "./stores.js";

/**
 * A fresh row costs a search 1.5 µs; moving one into a graph of 50,000 costs 5–10 ms. So they wait until there are this
 * many.
 */
const freshToMove = 200;
/** Building a whole graph costs 0.5 ms per row: from this share of fresh rows on, a rebuild is cheaper. */
const freshToRebuild = 0.1;
/**
 * More rows per second than this are a bulk load: four times what a graph takes in one by one. Building during a load
 * means building twice.
 */
const loadingRate = 500;
/** Never wait forever: build once a loading store has ten times the rows that its index needs. */
const mostWaited = 10;
/** Rows that enter the graph in one transaction. */
const movedPerStep = 50;
/** After this many steps, check again whether a rebuild has become cheaper. */
const stepsPerRound = 20;

/**
 * Brings everything derived from the record up to date, store by store: missing vectors and keywords are filled in, a
 * store that is large enough gets its own table with an HNSW index, fresh rows move into it, and an outgrown graph is
 * rebuilt. Reads and writes continue. Several replicas may do this at once: a step is a transaction that locks its
 * store's row, and each index has one builder.
 * @returns how many stores and range indexes were worked on.
 */
export async function bringUpToDate(pg: Pgvector, pace: Pace, next: NextStep): Promise<number> {
  let worked = await makeRangeIndexes(pg);
  for (const store of await listToIndex(pg.db, pg.config.indexing.minRows, mostIndexed(pg))) {
    next();
    if (await attempt(pg, store, () => repair(pg, store, pace))) worked += 1;
  }
  for (const store of await listIndexed(pg.db)) {
    next();
    if (await attempt(pg, store, () => moveFresh(pg, store, pace))) worked += 1;
  }
  return worked;
}

/** One store's trouble (a full disk, a role that may not create tables) must not keep the others waiting. */
async function attempt({ log }: Pgvector, store: VectorStore, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    log.warn(
      { err: error, vectorStore: store.id },
      "the upkeep of a vector store's index failed; it will be tried again",
    );
    return false;
  }
}

async function repair(pg: Pgvector, store: VectorStore, pace: Pace): Promise<boolean> {
  const state = stateOf(store);
  if (!state.vectorsComplete || state.reindexRequested) {
    if (!(await fillAllVectors(pg, store.id, pace))) return true;
  }
  if (state.keywordsLanguage !== null && !state.keywordsComplete) {
    if (!(await fillAllKeywords(pg, store.id, state.keywordsLanguage, pace))) return true;
    // The plans of keyword searches depend on how frequent each word is, and autovacuum may take a minute to find out.
    await pg.db.maintenance(analyzeKeywords);
  }
  const early = !state.vectorsIndexed && store.chunkCount < mostWaited * (pg.config.indexing.minRows ?? 0);
  if (early && !state.reindexRequested && (await isLoading(pg, store.id, pace))) return false;
  const current = await giveNextTable(pg, store.id);
  const next = current === undefined ? null : stateOf(current).vectorsNext;
  if (current === undefined || next === null) {
    if (state.reindexRequested) await recordState(pg.db, store.id, { reindexRequested: false });
    return true;
  }
  return renew(pg, current, next, pace);
}

async function isLoading({ db }: Pgvector, id: string, pace: Pace): Promise<boolean> {
  const before = await findStore(db, { kind: "all" }, id);
  if (!(await pace(1000))) return true;
  const after = await findStore(db, { kind: "all" }, id);
  return (after?.chunkCount ?? 0) - (before?.chunkCount ?? 0) > loadingRate;
}

/**
 * Moves the fresh rows of an indexed store into its index, a few at a time; after a large load the index is rebuilt
 * with them.
 */
async function moveFresh(pg: Pgvector, store: VectorStore, pace: Pace): Promise<boolean> {
  const { vectorsTable, vectorsBuilt, vectorsNext } = stateOf(store);
  const many = Math.ceil(freshToRebuild * vectorsBuilt);
  const fresh = await countShared(pg.db, store.id, Math.max(many, freshToMove));
  // In a small graph a few single insertions cost less than building it again.
  if (many > freshToMove && fresh >= many) {
    if (await isLoading(pg, store.id, pace)) return false;
    const current = await giveNextTable(pg, store.id, { surely: true });
    const next = current === undefined ? null : stateOf(current).vectorsNext;
    return current !== undefined && next !== null && renew(pg, current, next, pace);
  }
  if (vectorsTable === null || vectorsNext !== null || fresh < freshToMove) return false;
  let left = stepsPerRound;
  await inSteps(pace, async () => {
    const step = await moveSome(pg, store.id, vectorsTable, movedPerStep);
    left -= 1;
    return left > 0 ? step : "done";
  });
  return true;
}
