import type { Filter } from "../../../words/filter.js";
import type { VectorStore } from "../../../words/store.js";
import type { Pgvector } from "../context.js";
import { rangesOf } from "../../../db/filterSql.js";
import { stateOf } from "../state.js";
import { ensureRangeIndex } from "./indexes.js";

/**
 * Asks the next round of upkeep to index each metadata key that a filter on an indexed store compares, once per key.
 */
export function requestRangeIndexes({ ranges, wake }: Pgvector, store: VectorStore, filter: Filter | null): void {
  if (filter === null || !stateOf(store).vectorsIndexed) return;
  for (const range of rangesOf(filter)) {
    const key = JSON.stringify(range);
    if (ranges.has(key)) continue;
    ranges.set(key, { range, settled: false });
    wake();
  }
}

/**
 * Builds the indexes that were requested. Each is tried once: without it a filter is slow, not wrong.
 * @returns how many were tried
 */
export async function makeRangeIndexes({ db, log, ranges }: Pgvector): Promise<number> {
  const open = [...ranges.values()].filter((each) => !each.settled);
  for (const each of open) {
    each.settled = true;
    const { key, type } = each.range;
    try {
      const made = await db.maintenance((connection) => ensureRangeIndex(connection, each.range));
      if (made) log.info({ key, type }, "an index answers ranges of this metadata key");
      else log.warn({ key, type }, "no index for ranges of this metadata key: the limit of such indexes is reached");
    } catch (error) {
      log.warn({ err: error, key, type }, "the index for ranges of this metadata key could not be built");
    }
  }
  return open.length;
}
