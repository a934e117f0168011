import { listIndexed } from "../../db/tables/storeIndexing.js";
import type { VectorStore } from "../../db/tables/stores.js";
import { searchChunks } from "../../engines/pgvector/nearest.js";
import { sampleVectors } from "../../engines/pgvector/vectors.js";
import type { Deps } from "../deps.js";

/** Ten nearest rows of five rows: an exact search takes 1.5 µs a row, so a round stays below ten seconds for a million. */
const [neighbours, queries] = [10, 5];
const storesOfRound = 5;
/** Below this an index is worth a look: `high` promises 99 of 100. */
const poor = 0.9;

/** What was found so far, by store; null: nothing could be. Of stores that have no index any more nothing is kept. */
export type Probed = Map<string, number | null>;

/**
 * Measures what share of the exact nearest rows the index finds, with rows of the store as queries, at the recall that is the default.
 * @returns 0…1; null for a store with nothing to ask for
 */
export async function probeRecall(deps: Deps, store: VectorStore): Promise<number | null> {
  const { vectorsTable } = store;
  if (vectorsTable === null || !store.vectorsIndexed) return null;
  const sample = await sampleVectors(deps.db, { ...store, vectorsTable }, queries);
  let [found, wanted] = [0, 0];
  for (const embedding of sample) {
    const search = (recall: "exact" | "high") =>
      searchChunks(deps.db, {
        store,
        embedding,
        filter: null,
        limit: neighbours,
        recall,
        wideFilters: deps.wideFilters,
        now: deps.now(),
      });
    const exact = await search("exact");
    const farthest = exact.at(-1)?.score ?? 0;
    // By score: of rows that are equally far, either may be the tenth.
    found += (await search("high")).filter((hit) => hit.score >= farthest).length;
    wanted += exact.length;
  }
  return wanted === 0 ? null : Math.min(1, found / wanted);
}

/** Probes the indexed stores that were not probed for the longest, a few at a time, and publishes what is known of all. */
export async function probeNext(deps: Deps, probed: Probed): Promise<void> {
  const indexed = await listIndexed(deps.db);
  for (const id of probed.keys()) if (!indexed.some((store) => store.id === id)) probed.delete(id);
  // A Map's order is that of insertion: what was never probed comes first, then the oldest.
  const order = [...probed.keys()];
  const turn = [...indexed].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id)).slice(0, storesOfRound);
  for (const store of turn) {
    const recall = await probeRecall(deps, store).catch((error: unknown) => {
      // It was deleted or rebuilt meanwhile, or is so large that an exact search takes too long.
      deps.log.debug({ err: error, vectorStore: store.id }, "recall could not be probed");
      return null;
    });
    probed.delete(store.id);
    probed.set(store.id, recall);
    if (recall !== null && recall < poor) {
      deps.log.warn(
        { vectorStore: store.id, recall },
        "an index finds too few of the nearest rows; reindex this store",
      );
    }
  }
  publish(
    deps,
    [...probed.values()].filter((recall) => recall !== null),
  );
}

function publish({ metrics, now }: Deps, recalls: readonly number[]): void {
  metrics.recallStores.set(recalls.length);
  metrics.recallAt.set(now() / 1000);
  metrics.recall.reset();
  if (recalls.length === 0) return;
  metrics.recall.set({ statistic: "mean" }, recalls.reduce((sum, each) => sum + each, 0) / recalls.length);
  metrics.recall.set({ statistic: "worst" }, Math.min(...recalls));
}
