import { lockStore } from "../../db/tables/stores.js";
import { listExpiredBefore } from "../../db/tables/storeList.js";
import type { Deps } from "../deps.js";
import { dropStore } from "./removal.js";
import { forget } from "./stores.js";

const all = { kind: "all" } as const;

/** The store was updated between being listed and being locked, and is no longer expired. */
class Revived extends Error {}

/**
 * Removes the stores that expired more than EXPIRED_STORE_RETENTION_DAYS ago, each on its own.
 * @returns how many
 */
export async function sweepExpired(deps: Deps): Promise<number> {
  const moment = deps.now() - deps.config.expiredStoreRetentionDays * 86_400_000;
  let swept = 0;
  for (;;) {
    const ids = await listExpiredBefore(deps.db, moment, 100);
    for (const id of ids) if (await sweep(deps, id, moment)) swept += 1;
    if (ids.length < 100) return swept;
  }
}

async function sweep(deps: Deps, id: string, moment: number): Promise<boolean> {
  try {
    await dropStore(deps, async (tx) => {
      const store = await lockStore(tx, all, id);
      if (store?.expiresAt == null || store.expiresAt >= moment) throw new Revived();
      return store;
    });
  } catch (error) {
    if (error instanceof Revived) return false;
    throw error;
  }
  forget(deps, id);
  return true;
}
