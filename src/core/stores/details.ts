import { countFiles } from "../../db/tables/fileCounts.js";
import type { IndexState } from "../../words/indexing.js";
import { type FileCounts, type StoreCounts, noFiles } from "../../words/file.js";
import { noPrompts } from "../../words/prompts.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { dimensionsOf, modelName } from "./model.js";
import { unusableSettings, valuesIn } from "./searchSettings.js";

/** What the API says about a store in addition to its recorded fields. */
interface StoreDetails {
  model: string;
  dimensions: number;
  state: IndexState;
  /** Rows in the index, and fresh rows that are not in it and are compared one by one. Null: not counted. */
  counts: { indexed: number; fresh: number } | null;
  files: FileCounts;
  /** Sentences on settings in the store's metadata that are not used. */
  warnings: string[];
}

export type DetailedStore = VectorStore & { details: StoreDetails };

const noCounts = ({ chunkCount, contentBytes }: VectorStore): StoreCounts => ({
  ...noFiles,
  storeChunks: chunkCount,
  storeBytes: contentBytes,
});

/** Adds all details except the counts of indexed rows. */
export async function withDetails(deps: Deps, stores: readonly VectorStore[]): Promise<DetailedStore[]> {
  const counts = await countFiles(
    deps.db,
    stores.map((store) => store.id),
  );
  return stores.map((store) => detailed(deps, store, counts.get(store.id)));
}

/** @param counts undefined: the store was deleted after it was read */
function detailed(deps: Deps, read: VectorStore, counts: StoreCounts | undefined): DetailedStore {
  const { storeChunks: chunkCount, storeBytes: contentBytes, ...files } = counts ?? noCounts(read);
  // The counters of the same moment as the counts of files.
  const store = { ...read, chunkCount, contentBytes };
  const model = modelName(deps, store);
  const dimensions = dimensionsOf(deps, store);
  const warnings = metadataWarnings(deps, store, { model, dimensions });
  return { ...store, details: { model, dimensions, state: deps.engine.state(store), counts: null, files, warnings } };
}

/**
 * Names the settings in a store's metadata that are not used. Clients that can send only metadata, such as LiteLLM's,
 * would not learn it otherwise.
 */
function metadataWarnings(
  deps: Deps,
  store: VectorStore,
  { model, dimensions }: { model: string; dimensions: number },
): string[] {
  const values = valuesIn(store.metadata);
  const said = (key: string) => `metadata.${key} ${shown(values[key])} is not used`;
  const unusable = unusableSettings(deps, store).map(({ key, expected }) => `${said(key)}: expected ${expected}`);
  const isOther = (key: string, used: string) =>
    values[key] !== undefined && values[key] !== "" && !(isText(values[key]) && String(values[key]) === used);
  const { queryPrefix, documentPrefix, inputType } = store.prompts ?? noPrompts;
  const prompts = { query_prefix: queryPrefix, document_prefix: documentPrefix, input_type: inputType?.document ?? "" };
  return [
    ...(isOther("embedding_model", model) ? [`${said("embedding_model")}: the store's model is '${model}'`] : []),
    ...(isOther("embedding_dimensions", String(dimensions))
      ? [`${said("embedding_dimensions")}: the store's vectors have ${dimensions} dimensions`]
      : []),
    ...Object.entries(prompts)
      .filter(([key, used]) => isOther(key, used === "" ? "none" : used))
      .map(([key, used]) => `${said(key)}: the store's ${key} is '${used}'`),
    ...unusable,
  ];
}

const isText = (value: unknown) => typeof value === "string" || typeof value === "number";

/** A value of the user's as it may stand in a sentence. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Adds all details to one store. Counting takes a millisecond per 10,000 rows outside the index. */
export async function withCounts(deps: Deps, store: VectorStore): Promise<DetailedStore> {
  const known = detailed(deps, store, (await countFiles(deps.db, [store.id])).get(store.id));
  return { ...known, details: { ...known.details, counts: await deps.engine.indexed(store) } };
}
