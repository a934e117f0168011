import { maxIndexDimensions } from "../../db/schema/layout.js";
import type { Db } from "../../db/connection/database.js";
import { listIndexed, listToIndex, recordIndexing } from "../../db/tables/storeIndexing.js";
import { type VectorStore, addToCounts, findStore, lockStore } from "../../db/tables/stores.js";
import {
  buildIndex,
  createOwnTable,
  ensureMetadataIndex,
  dropOwnTable,
  indexState,
} from "../../engines/pgvector/upkeep/indexes.js";
import { countChunks, listMiscounted } from "../../engines/pgvector/chunks.js";
import { analyzeKeywords, fillKeywords } from "../../engines/pgvector/keywords/keywords.js";
import {
  copyVectors,
  countShared,
  dropCopied,
  fillVectors,
  moveVectors,
  removeOrphans,
  removeOwnOrphans,
} from "../../engines/pgvector/vectors.js";
import type { Deps } from "../deps.js";
import { dimensionsOf } from "../stores/model.js";
import { wantsIndex } from "./indexState.js";
import { makeRangeIndexes } from "./rangeIndexes.js";

/** Rows of one transaction: some 50 ms in which writers of the same store wait. */
const rowsPerStep = 500;

/** Fresh rows cost a search 1.5 µs each; moving one into a graph of 50,000 costs 5–10 ms. So they wait until a few have come together. */
const freshToMove = 200;
/** A row costs 0.5 ms where a graph is built as a whole: with this share of fresh rows that is the cheaper way. */
const freshToRebuild = 0.1;
/** Rows a second that mean a load under way, four times what a graph takes in one by one. To build in its midst is to build twice. */
const loadingRate = 500;
/** A load that goes on for ever is not waited for: an index is built when there are so many times the rows that it is to have or has. */
const mostWaited = 10;
/** Rows that enter the graph in one transaction. */
const movedPerStep = 50;
/** Then it is looked again whether a rebuild has become the cheaper way. */
const stepsPerRound = 20;

const all = { kind: "all" } as const;

/** Between portions: the pause that keeps maintenance to half of one core; false ends the work, which is taken up at the next start. */
export type Pace = (workedMs: number) => Promise<boolean>;

/**
 * Brings what is derived from the record up to date, store by store: missing vectors and keywords are filled in, a store that is large
 * enough gets a table of its own with an HNSW index, fresh rows move into it, and one that has outgrown its graph gets another. Reads and
 * writes go on meanwhile. Many replicas may do this at once: a step is a transaction that holds its store's row, and an index has one
 * builder.
 * @returns how many stores and range indexes were worked on.
 */
export async function bringUpToDate(deps: Deps, pace: Pace): Promise<number> {
  let worked = await makeRangeIndexes(deps);
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
  const early = !store.vectorsIndexed && store.chunkCount < mostWaited * (deps.config.indexing.minRows ?? 0);
  if (early && !store.reindexRequested && (await isLoading(deps, store.id, pace))) return false;
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
    if ((await lockStore(tx, all, id)) !== undefined) await removeOwnOrphans(tx, id, next);
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
  let after: string | null = null;
  await inSteps(pace, () =>
    deps.db.transaction(async (tx) => {
      const current = await lockStore(tx, all, id);
      if (current?.vectorsTable !== next) return "done";
      after = await dropCopied(tx, { id, vectorsTable: next }, after, rowsPerStep);
      return after === null ? "done" : "more";
    }),
  );
  return true;
}

async function isLoading(deps: Deps, id: string, pace: Pace): Promise<boolean> {
  const before = await findStore(deps.db, all, id);
  if (!(await pace(1000))) return true;
  const after = await findStore(deps.db, all, id);
  return (after?.chunkCount ?? 0) - (before?.chunkCount ?? 0) > loadingRate;
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
function giveNextTable(deps: Deps, id: string, surely = false): Promise<VectorStore | undefined> {
  return deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store?.vectorsNext !== null || !(surely || wantsIndex(deps, store))) return store;
    const vectorsNext = await createOwnTable(tx, dimensionsOf(deps, store));
    await recordIndexing(tx, id, { vectorsNext });
    return { ...store, vectorsNext };
  });
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

/** Fresh rows of an indexed store enter its index, a few at a time or, after a large load, with all others in a new one. */
async function moveFresh(deps: Deps, store: VectorStore, pace: Pace): Promise<boolean> {
  const { id, vectorsTable } = store;
  const many = Math.ceil(freshToRebuild * store.vectorsBuilt);
  const fresh = await countShared(deps.db, id, Math.max(many, freshToMove));
  // In a small graph a few single insertions cost less than all the others again.
  if (many > freshToMove && fresh >= many) {
    if (await isLoading(deps, id, pace)) return false;
    const current = await giveNextTable(deps, id, true);
    return current?.vectorsNext != null && renew(deps, current, current.vectorsNext, pace);
  }
  if (vectorsTable === null || store.vectorsNext !== null || fresh < freshToMove) return false;
  let left = stepsPerRound;
  await inSteps(pace, async () => {
    const state = await move(deps, id, vectorsTable, movedPerStep);
    left -= 1;
    return left > 0 ? state : "done";
  });
  return true;
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
