import { lockStore } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pace } from "../../engine.js";
import { forgetReplaced, removeReplaced } from "../chunkUpdates.js";
import type { Pgvector } from "../context.js";
import { recordState, stateOf, withState } from "../state.js";
import { copyVectors, dropCopied, moveVectors, removeOwnOrphans } from "../vectors.js";
import { inSteps, rowsPerStep } from "./fill.js";
import { buildIndex, createOwnTable, dropOwnTable, ensureMetadataIndex, hnswState } from "./indexes.js";
import { wantsIndex } from "./indexState.js";

const all = { kind: "all" } as const;

/**
 * Creates the table that will replace a store's vectors, if the store needs an index, or a new one.
 * @param options.surely create it whatever the store's size
 * @returns the store as it is now
 */
export function giveNextTable(
  pg: Pgvector,
  id: string,
  { surely }: { surely: boolean } = { surely: false },
): Promise<VectorStore | undefined> {
  return pg.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store === undefined || stateOf(store).vectorsNext !== null) return store;
    if (!surely && !wantsIndex(pg, store)) return store;
    const vectorsNext = await createOwnTable(tx, store.embeddingDimensions ?? pg.config.embedding.dimensions);
    await recordState(tx, id, { vectorsNext });
    return withState(store, { vectorsNext });
  });
}

/**
 * Fills a table with all of a store's vectors in mixed order, builds its index, and replaces the store's previous
 * table, which is searched until then. Rows that arrive in between stay in the shared table.
 * @returns false if another process is doing it.
 */
export async function renew(pg: Pgvector, store: VectorStore, next: number, pace: Pace): Promise<boolean> {
  const { db, log, config } = pg;
  const { id, embeddingDimensions } = store;
  if (embeddingDimensions === null || (await hnswState(db, next)) === "building") return false;
  const { vectorsTable } = stateOf(store);
  await db.maintenance((connection) => copyVectors(connection, { id, vectorsTable, embeddingDimensions }, next));
  await db.transaction(async (tx) => {
    // From here on deletions and replacements reach the copies too; this removes what earlier ones left.
    if ((await lockStore(tx, all, id)) === undefined) return;
    await removeOwnOrphans(tx, id, next);
    await removeReplaced(tx, id, next);
  });
  const built = await db.maintenance(async (connection) => {
    await ensureMetadataIndex(connection);
    return buildIndex(connection, next, config.indexing);
  });
  if (!built) return false;
  await db.transaction(async (tx) => {
    const current = await lockStore(tx, all, id);
    if (current === undefined || stateOf(current).vectorsNext !== next) return;
    const changes = { vectorsTable: next, vectorsNext: null, vectorsIndexed: true, vectorsBuilt: current.chunkCount };
    await recordState(tx, id, { ...changes, reindexRequested: false });
    await forgetReplaced(tx, id);
    const before = stateOf(current).vectorsTable;
    if (before !== null) await dropOwnTable(tx, before);
  });
  log.info({ vectorStore: id, rows: store.chunkCount }, "the index of a vector store is ready");
  let after: string | null = null;
  await inSteps(pace, () =>
    db.transaction(async (tx) => {
      const current = await lockStore(tx, all, id);
      if (current === undefined || stateOf(current).vectorsTable !== next) return "done";
      after = await dropCopied(tx, { id, vectorsTable: next }, after, rowsPerStep);
      return after === null ? "done" : "more";
    }),
  );
  return true;
}

/** Moves some fresh rows of a store into its index. */
export function moveSome({ db }: Pgvector, id: string, vectorsTable: number, limit: number): Promise<"more" | "done"> {
  return db.transaction(async (tx) => {
    const store = await lockStore(tx, all, id);
    if (store === undefined) return "done";
    const state = stateOf(store);
    // Rows moved into a table after it was copied would be lost with it.
    if (state.vectorsTable !== vectorsTable || state.vectorsNext !== null) return "done";
    const { embeddingDimensions } = store;
    if (embeddingDimensions === null) return "done";
    return (await moveVectors(tx, { id, vectorsTable, embeddingDimensions }, limit)) < limit ? "done" : "more";
  });
}
