import type { SearchSettings, VectorStore } from "../../db/tables/stores.js";
import { type Recall, recalls } from "../../engines/pgvector/nearest.js";

export { type Recall, recalls };
export const searchModes = ["vector", "keyword", "hybrid"] as const;
export type SearchMode = (typeof searchModes)[number];

/** How a search is to be done, when all has been said. */
export interface ResolvedSettings {
  mode: SearchMode;
  recall: Recall;
  language: string;
  embeddingWeight: number;
  textWeight: number;
  /** Whether a rerank model puts the results in order; null: when one is named here. */
  rerank: boolean | null;
  rerankModel: string | null;
}

const defaults: ResolvedSettings = {
  mode: "vector",
  recall: "high",
  language: "simple",
  embeddingWeight: 1,
  textWeight: 1,
  rerank: null,
  rerankModel: null,
};

const oneOf = <T extends string | boolean>(values: readonly T[], value: unknown): T | undefined =>
  values.find((each) => each === value);

/**
 * The text search configurations of every PostgreSQL since 14. Metadata may name one of these only: a `language` there is often somebody's
 * own ("en", "Deutsch"), and a search or an insertion with a configuration that the database has not fails.
 */
const languages = (
  "simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish italian " +
  "lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish"
).split(" ");

/**
 * Settings among a store's metadata, the only place where LiteLLM lets a caller put any. What is no setting there is somebody's own
 * key-value and means nothing here.
 */
export function settingsInMetadata(metadata: unknown): SearchSettings {
  if (typeof metadata !== "object" || metadata === null) return {};
  const values = metadata as Record<string, unknown>;
  return {
    mode: oneOf(searchModes, values.search_mode),
    recall: oneOf(recalls, values.recall),
    language: oneOf(languages, values.language),
    // LiteLLM lets only strings through.
    rerank: oneOf([true, false], values.rerank === "true" ? true : values.rerank === "false" ? false : values.rerank),
    rerankModel:
      typeof values.rerank_model === "string" && values.rerank_model !== "" ? values.rerank_model : undefined,
  };
}

/** The request's own word first, then the store's settings, then the store's metadata, then the defaults. */
export function resolveSettings(
  store: Pick<VectorStore, "search" | "metadata">,
  request: Omit<SearchSettings, "language" | "rerank" | "rerankModel"> = {},
): ResolvedSettings {
  const resolved: ResolvedSettings = { ...defaults };
  const sources: object[] = [settingsInMetadata(store.metadata), store.search, request];
  for (const source of sources) {
    Object.assign(resolved, Object.fromEntries(Object.entries(source).filter(([, value]) => value != null)));
  }
  return resolved;
}
