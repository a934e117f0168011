import type { Db } from "../../../db/database.js";
import { addToCounts, lockStore } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pace } from "../../engine.js";
import { countChunks } from "../chunkReads.js";
import type { Pgvector } from "../context.js";
import { fillKeywords } from "../keywords/keywords.js";
import { recordState, stateOf } from "../state.js";
import { fillVectors, removeOrphans } from "../vectors.js";

/** Rows per transaction: writers of the same store wait about 50 ms for it. */
export const rowsPerStep = 500;

const all = { kind: "all" } as const;

/** Runs steps until one returns "done"; false if the pace says to stop. */
export async function inSteps(pace: Pace, step: () => Promise<"more" | "done">): Promise<boolean> {
  for (;;) {
    const start = performance.now();
    if ((await step()) === "done") return true;
    if (!(await pace(performance.now() - start))) return false;
  }
}

/** Counts the store's rows, removes vectors without a row, and makes all missing vectors. */
export function fillAllVectors({ db }: Pgvector, id: string, pace: Pace): Promise<boolean> {
  let after: string | null = null;
  let begun = false;
  return inSteps(pace, () =>
    db.transaction(async (tx) => {
      const store = await lockStore(tx, all, id);
      if (store === undefined) return "done";
      const { vectorsTable, vectorsComplete } = stateOf(store);
      if (!begun) {
        await recount(tx, store);
        await removeOrphans(tx, { id, vectorsTable });
        begun = true;
      }
      const { embeddingDimensions } = store;
      after = await fillVectors(tx, { id, vectorsTable, embeddingDimensions }, after, rowsPerStep);
      if (after !== null) return "more";
      if (!vectorsComplete) await recordState(tx, id, { vectorsComplete: true });
      return "done";
    }),
  );
}

export function fillAllKeywords({ db }: Pgvector, id: string, language: string, pace: Pace): Promise<boolean> {
  let after: string | null = null;
  return inSteps(pace, () =>
    db.transaction(async (tx) => {
      const store = await lockStore(tx, all, id);
      // Another language was chosen meanwhile; the next round begins with it.
      if (store === undefined || stateOf(store).keywordsLanguage !== language) return "done";
      after = await fillKeywords(tx, id, language, after, rowsPerStep);
      if (after !== null) return "more";
      await recordState(tx, id, { keywordsComplete: true });
      return "done";
    }),
  );
}

/**
 * Counts a store's rows in the transaction that locks it. Our own changes move the counters before they release the
 * lock, so a difference comes from another program.
 * @returns whether there was one
 */
export async function recount(tx: Db, store: VectorStore): Promise<boolean> {
  const { chunks, bytes } = await countChunks(tx, store.id, null);
  if (chunks === store.chunkCount) return false;
  const change = { chunks: chunks - store.chunkCount, bytes: bytes - store.contentBytes, dimensions: null };
  await addToCounts(tx, store.id, change, { as: "correction", now: 0 });
  return true;
}
