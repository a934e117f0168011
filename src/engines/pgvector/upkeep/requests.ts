import { lockStore } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pgvector } from "../context.js";
import { deleteKeywords } from "../keywords/keywords.js";
import { recordState, stateOf, withState } from "../state.js";

/** Has the words of a store made in a language by the next round of upkeep. Does nothing for a store that has them. */
export async function requestKeywords({ db, wake }: Pgvector, storeId: string, language: string): Promise<void> {
  await db.transaction(async (tx) => {
    const store = await lockStore(tx, { kind: "all" }, storeId);
    if (store === undefined) return;
    const { keywordsLanguage } = stateOf(store);
    if (keywordsLanguage === language) return;
    if (keywordsLanguage !== null) await deleteKeywords(tx, storeId, null);
    await recordState(tx, storeId, { keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 });
  });
  wake();
}

/** A store that will be searched by words has them made from its first chunk on. @returns the store as it is now */
export async function prepare(pg: Pgvector, store: VectorStore, language: string | null): Promise<VectorStore> {
  if (language === null || stateOf(store).keywordsLanguage === language) return store;
  await requestKeywords(pg, store.id, language);
  return withState(store, { keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 });
}

/**
 * Has everything derived from a store's chunks checked against them by the next round of upkeep: what is missing is made, what is left
 * over is removed, and the index is rebuilt (or, below INDEX_MIN_ROWS, built at all). Searches continue with what there is.
 */
export async function requestReindex({ db, wake }: Pgvector, store: VectorStore): Promise<VectorStore> {
  await recordState(db, store.id, { reindexRequested: true });
  wake();
  return withState(store, { reindexRequested: true });
}
