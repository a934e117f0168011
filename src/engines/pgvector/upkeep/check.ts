import { lockStore } from "../../../db/tables/stores.js";
import type { Pgvector } from "../context.js";
import type { NextStep } from "../failures.js";
import { recordState, stateOf } from "../state.js";
import { recount } from "./fill.js";
import { hnswState } from "./indexes.js";
import { listIndexed, listMiscounted } from "./stores.js";

/**
 * At start, corrects stores whose recorded state does not match the database: indexes may have been dropped or left
 * half-built, and another program, such as litellm-pgvector after a roll back, may have written rows without counting
 * them.
 */
export async function checkIndexes({ db, log }: Pgvector, next: NextStep): Promise<void> {
  for (const store of await listIndexed(db)) {
    next();
    const { vectorsTable } = stateOf(store);
    if (vectorsTable === null || (await hnswState(db, vectorsTable)) !== "valid")
      await recordState(db, store.id, { vectorsIndexed: false });
  }
  next();
  for (const id of await listMiscounted(db)) {
    next();
    await db.transaction(async (tx) => {
      const store = await lockStore(tx, { kind: "all" }, id);
      if (store === undefined || !(await recount(tx, store))) return;
      await recordState(tx, id, { vectorsComplete: false, keywordsComplete: false });
      log.info({ vectorStore: id }, "another program changed this vector store's rows; they are counted now");
    });
  }
}
