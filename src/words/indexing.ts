/** The state of stores' indexes, as engines report it and the API shows it. */

/** `none`: so few rows that comparing them one by one is as fast. `waiting`: an index will be built. */
export type IndexingState = "none" | "waiting" | "building" | "ready";

export interface IndexState {
  index: IndexingState;
  keywords: "off" | "building" | "ready";
}

export interface IndexSummary {
  /** How many stores have an index in each state. */
  stores: Record<IndexingState, number>;
  /** How many stores' keywords are being made. */
  keywordsBuilding: number;
  /** Running builds of any process: `done` of `total` rows or blocks; `total` is 0 if not known yet. */
  builds: { phase: string; done: number; total: number }[];
}
