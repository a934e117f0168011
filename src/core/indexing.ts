import { maxIndexDimensions } from "../db/columns.js";
import type { Db } from "../db/database.js";
import {
  type VectorStore,
  addToCounts,
  countStores,
  listIndexed,
  listToIndex,
  lockStore,
  outgrown,
  recordIndexing,
} from "../db/vectorStores.js";
import {
  buildIndex,
  buildProgress,
  createOwnTable,
  ensureMetadataIndex,
  dropOwnTable,
  indexState,
} from "../engines/pgvector/indexes.js";
import { countChunks, listMiscounted } from "../engines/pgvector/chunks.js";
import { analyzeKeywords, deleteKeywords, fillKeywords } from "../engines/pgvector/keywords.js";
import {
  copyVectors,
  countShared,
  dropCopied,
  fillVectors,
  moveVectors,
  removeDeleted,
  removeOrphans,
} from "../engines/pgvector/vectors.js";
import type { Deps } from "./deps.js";
import { dimensionsOf } from "./embeddingModel.js";

/** Rows of one transaction: some 50 ms in which writers of the same store wait. */
const rowsPerStep = 500;

/** Fresh rows cost a search 1.5 µs each; moving one into a graph of 200,000 costs 2–5 ms. So they wait until a few have come together. */
const freshToMove = 200;
/** Rows that enter the graph in one transaction. */
const movedPerStep = 50;

const all = { kind: "all" } as const;

/** Between portions: the pause that keeps maintenance to half of one core; false ends the work, which is taken up at the next start. */
export type Pace = (workedMs: number) => Promise<boolean>;

/**
 * Brings what is derived from the record up to date, store by store: missing vectors and keywords are filled in, a store that is large
 * enough gets a table of its own with an HNSW index, fresh rows move into it, and one that has outgrown its graph gets another. Reads and writes go on meanwhile. Many replicas may do this at once: a step is
 * a transaction that holds its store's row, and an index has one builder.
 * @returns how many stores were worked on.
 */
export async function bringUpToDate(deps: Deps, pace: Pace): Promise<number> {
  let worked = 0;
  const { minRows } = deps.config.indexing;
  for (const store of await listToIndex(deps.db, minRows, maxIndexDimensions(deps.db.layout.derived.vectorType))) {
    if (!(await attempt(deps, store, () => repair(deps, store, pace)))) continue;
    worked += 1;
  }
  for (const store of await listIndexed(deps.db)) {
    if (await attempt(deps, store, () => moveFresh(deps, store, pace))) worked += 1;
  }
  return worked;
}

/** One store's trouble (a full disk, a role that may not create tables) must not keep the others waiting. */
async function attempt(deps: Deps, store: VectorStore, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    deps.log.warn(
      { err: error, vectorStore: store.id },
      "bringing a vector store's index up to date failed; it is tried again",
    );
    return false;
  }
}

async function repair(deps: Deps, store: VectorStore, pace: Pace): Promise<boolean> {
  if (!store.vectorsComplete || store.reindexRequested) {
    if (!(await fillAll(deps, store, pace))) return true;
  }
  if (store.keywordsLanguage !== null && !store.keywordsComplete) {
    if (!(await fillAllKeywords(deps, store, store.keywordsLanguage, pace))) return true;
    // Plans of keyword searches depend on how often which word is there, and autovacuum may come a minute later.
    await deps.db.maintenance(analyzeKeywords);
  }
  const current = await giveNextTable(deps, store.id);
  if (current?.vectorsNext == null) {
    if (store.reindexRequested) await recordIndexing(deps.db, store.id, { reindexRequested: false });
    return true;
  }
  return renew(deps, current, current.vectorsNext, pace);
}

/**
 * Fills a table for all of a store's vectors in mixed order, builds the index on it, and puts it in the place of what the store had
 * before, which is searched until then. Rows that come meanwhile stay in the shared table.
 * @returns false when another process is at it.
 */
async function renew(deps: Deps, store: VectorStore, next: number, pace: Pace): Promise<boolean> {
  const { id, embeddingDimensions } = store;
  if (embeddingDimensions === null || (await indexState(deps.db, next)) === "building") return false;
  await deps.db.maintenance((db) => copyVectors(db, { ...store, embeddingDimensions }, next));
  await deps.db.transaction(async (tx) => {
    // From here on deletions see what was copied; those that came before are made up for.
    if ((await lockStore(tx, all, id)) !== undefined) await removeDeleted(tx, id, next);
  });
  const built = await deps.db.maintenance(async (db) => {
    await ensureMetadataIndex(db);
    return buildIndex(db, next, deps.config.indexing);
  });
  if (!built) return false;
  await deps.db.transaction(async (tx) => {
    const current = await lockStore(tx, all, id);
    if (current?.vectorsNext !== next) return;
    const state = { vectorsTable: next, vectorsNext: null, vectorsIndexed: true, vectorsBuilt: current.chunkCount };
    await recordIndexing(tx, id, { ...state, reindexRequested: false });
    if (current.vectorsTable !== null) await dropOwnTable(tx, current.vectorsTable);
  });
  deps.log.info({ vectorStore: id, rows: store.chunkCount }, "the index of a vector store is ready");
  await inSteps(pace, () =>
    deps.db.transaction(async (tx) => {
      const current = await lockStore(tx, all, id);
      if (current?.vectorsTable !== next) return "done";
      return (await dropCopied(tx, { id, vectorsTable: next }, rowsPerStep)) < rowsPerStep ? "done" : "more";
    }),
  );
  return true;
}

/** Runs steps until one says that it was the last; false when the pace says to stop. */
async function inSteps(pace: Pace, step: () => Promise<"more" | "done">): Promise<boolean> {
  for (;;) {
    const start = performance.now();
    if ((await step()) === "done") return true;
    if (!(await pace(performance.now() - start))) return false;
  }
}

function fillAll(deps: Deps, { id }: VectorStore, pace: Pace): Promise<boolean> {
  let after: string | null = null;
  let begun = false;
  return inSteps(pace, () =>
    deps.db.transaction(async (tx) => {
      const store = await lockStore(tx, all, id);
      if (store === undefined) return "done";
      if (!begun) {
        await recount(tx, store);
        await removeOrphans(tx, store);
        begun = true;
      }
      after = await fillVectors(tx, store, after, rowsPerStep);
      if (after !== null) return "more";
      if (!store.vectorsComplete) await recordIndexing(tx, id, { vectorsComplete: true });
      return "done";
    }),
  );
}

function fillAllKeywords(deps: Deps, { id }: VectorStore, language: string, pace: Pace): Promise<boolean> {
  let after: string | null = null;
  return inSteps(pace, () =>
    deps.db.transaction(async (tx) => {
      const store = await lockStore(tx, all, id);
      // Another language was chosen meanwhile: the next round begins with that one.
      if (store?.keywordsLanguage !== language) return "done";
      after = await fillKeywords(tx, id, language, after, rowsPerStep);
      if (after !== null) return "more";
      await recordIndexing(tx, id, { keywordsComplete: true });
      return "done";
    }),
  );
}

/** Makes the table that is to become the own one of a store that wants an index, or another one. @returns the store as it is now. */
function giveNextTable(deps: Deps, id: string): Promise<VectorStore | undefined> {
  return deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store?.vectorsNext !== null || !wantsIndex(deps, store)) return store;
    const vectorsNext = await createOwnTable(tx, dimensionsOf(deps, store));
    await recordIndexing(tx, id, { vectorsNext });
    return { ...store, vectorsNext };
  });
}

/** Whether a store's index is to be built, for the first time or anew. */
function wantsIndex(deps: Deps, store: VectorStore): boolean {
  const { minRows } = deps.config.indexing;
  const { embeddingDimensions: dimensions, chunkCount } = store;
  if (dimensions === null || dimensions > maxIndexDimensions(deps.db.layout.derived.vectorType)) return false;
  if (store.vectorsIndexed) return store.reindexRequested || chunkCount >= outgrown * store.vectorsBuilt;
  return store.reindexRequested || store.vectorsTable !== null || (minRows !== null && chunkCount >= minRows);
}

function move(deps: Deps, id: string, vectorsTable: number, limit: number): Promise<"more" | "done"> {
  return deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    // What enters a table after it was copied would be lost with it.
    if (store?.vectorsTable !== vectorsTable || store.vectorsNext !== null) return "done";
    if (store.embeddingDimensions === null) return "done";
    const { embeddingDimensions } = store;
    return (await moveVectors(tx, { id, vectorsTable, embeddingDimensions }, limit)) < limit ? "done" : "more";
  });
}

/** Fresh rows of an indexed store enter its index, a few at a time. */
async function moveFresh(deps: Deps, store: VectorStore, pace: Pace): Promise<boolean> {
  const { id, vectorsTable } = store;
  if (
    vectorsTable === null ||
    store.vectorsNext !== null ||
    (await countShared(deps.db, id, freshToMove)) < freshToMove
  )
    return false;
  await inSteps(pace, () => move(deps, id, vectorsTable, movedPerStep));
  return true;
}

/** Has the words of a store made in a language, by the next round of `bringUpToDate`. Of one that has them already nothing changes. */
export async function requestKeywords(deps: Deps, id: string, language: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store === undefined || store.keywordsLanguage === language) return;
    if (store.keywordsLanguage !== null) await deleteKeywords(tx, id, null);
    await recordIndexing(tx, id, { keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 });
  });
  deps.wakeIndexing();
}

/**
 * Has all that is derived from a store's rows checked against them, what is missing made and what is left over removed, and its index built anew
 * (or, for a store below INDEX_MIN_ROWS, at all), by the next round of `bringUpToDate`. Searches go on with what there is.
 */
export async function requestReindex(deps: Deps, store: VectorStore): Promise<VectorStore> {
  await recordIndexing(deps.db, store.id, { reindexRequested: true });
  deps.wakeIndexing();
  return { ...store, reindexRequested: true };
}

/** How far the indexes of all stores are. */
export interface IndexingSummary {
  /** Stores by the state of their index. */
  stores: Record<IndexingState, number>;
  /** Stores whose keywords are being made. */
  keywordsBuilding: number;
  /** Index builds under way now, by any process. `done` of `total` rows or blocks; total is 0 while it is not known. */
  builds: { phase: string; done: number; total: number }[];
}

export async function summarize(deps: Deps): Promise<IndexingSummary> {
  const { minRows } = deps.config.indexing;
  const unfinished = await listToIndex(deps.db, minRows, maxIndexDimensions(deps.db.layout.derived.vectorType));
  const { stores: total, indexed } = await countStores(deps.db);
  const stores = { none: 0, waiting: 0, building: 0, ready: 0 };
  for (const store of unfinished) stores[indexingState(deps, store)] += 1;
  const unfinishedIndexed = unfinished.filter((store) => store.vectorsIndexed).length;
  stores.ready += indexed - unfinishedIndexed;
  stores.none += total - unfinished.length - (indexed - unfinishedIndexed);
  return {
    stores,
    keywordsBuilding: unfinished.filter((each) => each.keywordsLanguage !== null && !each.keywordsComplete).length,
    builds: await buildProgress(deps.db),
  };
}

/** What a store's index is doing. `waiting`: it is to have one; `none`: it is searched exactly, which is as quick for so few rows. */
export type IndexingState = "none" | "waiting" | "building" | "ready";

export function indexingState(deps: Deps, store: VectorStore): IndexingState {
  if (!store.vectorsComplete) return "waiting";
  if (store.vectorsIndexed) return store.reindexRequested ? "building" : "ready";
  if (store.vectorsNext !== null || store.vectorsTable !== null) return "building";
  return store.reindexRequested || wantsIndex(deps, store) ? "waiting" : "none";
}

/**
 * For startup: what the stores say of themselves is made to agree with what the database has. Indexes may have been dropped or left
 * half-built, and another program, such as litellm-pgvector after a roll back, may have written rows without counting them.
 */
export async function checkIndexes(deps: Deps): Promise<void> {
  for (const store of await listIndexed(deps.db)) {
    if (store.vectorsTable === null || (await indexState(deps.db, store.vectorsTable)) !== "valid") {
      await recordIndexing(deps.db, store.id, { vectorsIndexed: false });
    }
  }
  for (const id of await listMiscounted(deps.db)) {
    await deps.db.transaction(async (tx) => {
      const store = await lockStore(tx, all, id);
      if (store === undefined || !(await recount(tx, store))) return;
      await recordIndexing(tx, id, { vectorsComplete: false, keywordsComplete: false });
      deps.log.info({ vectorStore: id }, "another program changed this vector store's rows; they are counted now");
    });
  }
}

/**
 * Counts a store's rows, in the transaction that holds it: our own insertions count theirs before they let go of it, so a difference
 * is no passing one. @returns whether there was a difference.
 */
async function recount(tx: Db, store: VectorStore): Promise<boolean> {
  const { chunks, bytes } = await countChunks(tx, store.id);
  if (chunks === store.chunkCount) return false;
  const change = { chunks: chunks - store.chunkCount, bytes: bytes - store.contentBytes, dimensions: null };
  await addToCounts(tx, store.id, change, store.lastActiveAt ?? store.createdAt);
  return true;
}
