import type { VectorStore } from "../../db/tables/stores.js";
import { rangesOf } from "../../engines/pgvector/filterSql.js";
import { ensureRangeIndex } from "../../engines/pgvector/upkeep/indexes.js";
import type { Filter } from "../../words/filter.js";
import type { Deps } from "../deps.js";

/** Has an index made for what a filter of a large store compares, where there is none, by the next round of maintenance. */
export function requestRangeIndexes(deps: Deps, store: VectorStore, filter: Filter | null): void {
  if (filter === null || !store.vectorsIndexed) return;
  for (const range of rangesOf(filter)) {
    const key = JSON.stringify(range);
    if (deps.ranges.has(key)) continue;
    deps.ranges.set(key, { range, settled: false });
    deps.wakeIndexing();
  }
}

/** Makes the indexes that were asked for. Each is tried once: without it a filter is slow, not wrong. @returns how many were seen to */
export async function makeRangeIndexes(deps: Deps): Promise<number> {
  const open = [...deps.ranges.values()].filter((each) => !each.settled);
  for (const each of open) {
    each.settled = true;
    const { key, type } = each.range;
    try {
      const made = await deps.db.maintenance((db) => ensureRangeIndex(db, each.range));
      if (made) deps.log.info({ key, type }, "ranges of this metadata key are answered by an index");
      else deps.log.warn({ key, type }, "ranges of this metadata key get no index: there are as many as may be");
    } catch (error) {
      deps.log.warn({ err: error, key, type }, "the index for ranges of this metadata key could not be made");
    }
  }
  return open.length;
}
