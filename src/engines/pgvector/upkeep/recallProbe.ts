import type { VectorStore } from "../../../words/store.js";
import type { Pgvector } from "../context.js";
import type { NextStep } from "../failures.js";
import { searchChunks } from "../nearest.js";
import { stateOf } from "../state.js";
import { sampleVectors } from "../vectors.js";
import { listIndexed } from "./stores.js";

/**
 * Per store, the ten nearest rows of five rows. An exact search takes 1.5 µs per row, so a million rows take less than
 * 10 s.
 */
const [neighbours, queries] = [10, 5];
const storesOfRound = 5;
/** Below this recall a warning is logged: `high` promises 99 of 100. */
const poor = 0.9;

/** What was measured so far, by store; null: nothing could be measured. Stores without an index are forgotten. */
export type Probed = Map<string, number | null>;

/**
 * Measures what share of the exact nearest rows the index finds, with rows of the store as queries, at the default
 * recall.
 * @returns 0…1; null for a store without an index or vectors
 */
export async function probeRecall(pg: Pgvector, store: VectorStore): Promise<number | null> {
  const { vectorsTable, vectorsIndexed } = stateOf(store);
  if (vectorsTable === null || !vectorsIndexed) return null;
  const { chunkCount } = store;
  let [found, wanted] = [0, 0];
  for (const embedding of await sampleVectors(pg.db, { vectorsTable, chunkCount }, queries)) {
    const query = { embedding, filter: null, limit: neighbours };
    const exact = await searchChunks(pg, store, { ...query, recall: "exact" });
    const farthest = exact.at(-1)?.score ?? 0;
    // By score: of rows that are equally far, either may be the tenth.
    const high = await searchChunks(pg, store, { ...query, recall: "high" });
    found += high.filter((chunk) => chunk.score >= farthest).length;
    wanted += exact.length;
  }
  return wanted === 0 ? null : Math.min(1, found / wanted);
}

/** Probes a few indexed stores per round, those with the oldest probe first, and publishes the results of all. */
export async function probeNext(pg: Pgvector, probed: Probed, next: NextStep = () => undefined): Promise<void> {
  const indexed = await listIndexed(pg.db);
  for (const id of probed.keys()) if (!indexed.some((store) => store.id === id)) probed.delete(id);
  // A Map keeps the order of insertion: never probed stores come first, then the oldest.
  const order = [...probed.keys()];
  const turn = [...indexed].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id)).slice(0, storesOfRound);
  for (const store of turn) {
    next();
    const recall = await probeRecall(pg, store).catch((error: unknown) => {
      // It was deleted or rebuilt meanwhile, or is so large that an exact search takes too long.
      pg.log.debug({ err: error, vectorStore: store.id }, "recall could not be probed");
      return null;
    });
    probed.delete(store.id);
    probed.set(store.id, recall);
    if (recall !== null && recall < poor)
      pg.log.warn({ vectorStore: store.id, recall }, "an index finds too few of the nearest rows; reindex this store");
  }
  publish(
    pg,
    [...probed.values()].filter((recall) => recall !== null),
  );
}

function publish({ metrics, now }: Pgvector, recalls: readonly number[]): void {
  metrics.recallStores.set(recalls.length);
  metrics.recallAt.set(now() / 1000);
  metrics.recall.reset();
  if (recalls.length === 0) return;
  metrics.recall.set({ statistic: "mean" }, recalls.reduce((sum, each) => sum + each, 0) / recalls.length);
  metrics.recall.set({ statistic: "worst" }, Math.min(...recalls));
}
