import { lockStore } from "../../../db/tables/stores.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pgvector } from "../context.js";
import { deleteKeywords } from "../keywords/keywords.js";
import { recordState, stateOf, withState } from "../state.js";

/** Asks the next round of upkeep to make a store's words in a language. Does nothing for a store that has them. */
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

/**
 * Has a store's words made from its first chunk on, if it will be searched by words.
 * @returns the store as it is now
 */
export async function prepare(pg: Pgvector, store: VectorStore, language: string | null): Promise<VectorStore> {
  if (language === null || stateOf(store).keywordsLanguage === language) return store;
  await requestKeywords(pg, store.id, language);
  return withState(store, { keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 });
}

/**
 * Asks the next round of upkeep to check everything derived from a store's chunks: it adds what is missing, removes
 * what is left over, and rebuilds the index (or builds one, even below INDEX_MIN_ROWS). Searches continue.
 */
export async function requestReindex({ db, wake }: Pgvector, store: VectorStore): Promise<VectorStore> {
  await recordState(db, store.id, { reindexRequested: true });
  wake();
  return withState(store, { reindexRequested: true });
}
