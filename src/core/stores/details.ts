import { countFiles } from "../../db/tables/storeFiles.js";
import type { IndexState } from "../../words/indexing.js";
import { type FileCounts, noFiles } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { dimensionsOf, modelName } from "./model.js";

/** What the API says about a store in addition to its recorded fields. */
interface StoreDetails {
  model: string;
  dimensions: number;
  state: IndexState;
  /** Rows in the index, and fresh rows that are not in it and are compared one by one. Null: not counted. */
  counts: { indexed: number; fresh: number } | null;
  files: FileCounts;
}

export type DetailedStore = VectorStore & { details: StoreDetails };

/** Adds all details except the counts of indexed rows. */
export async function withDetails(deps: Deps, stores: readonly VectorStore[]): Promise<DetailedStore[]> {
  const counts = await countFiles(
    deps.db,
    stores.map((store) => store.id),
  );
  return stores.map((store) => detailed(deps, store, counts.get(store.id) ?? noFiles));
}

function detailed(deps: Deps, store: VectorStore, files: FileCounts): DetailedStore {
  const model = modelName(deps, store);
  const dimensions = dimensionsOf(deps, store);
  return { ...store, details: { model, dimensions, state: deps.engine.state(store), counts: null, files } };
}

/** Adds all details to one store. Counting takes a millisecond per 10,000 rows outside the index. */
export async function withCounts(deps: Deps, store: VectorStore): Promise<DetailedStore> {
  const files = (await countFiles(deps.db, [store.id])).get(store.id) ?? noFiles;
  const known = detailed(deps, store, files);
  return { ...known, details: { ...known.details, counts: await deps.engine.indexed(store) } };
}
