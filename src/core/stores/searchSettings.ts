import {
  type Recall,
  type SearchMode,
  type SearchSettings,
  type VectorStore,
  recalls,
  searchModes,
} from "../../words/store.js";
import type { Engine } from "../../engines/engine.js";
import type { Deps } from "../deps.js";

/** Search settings after merging request, store and defaults. */
export interface ResolvedSettings {
  mode: SearchMode;
  recall: Recall;
  /** Of keyword search; null: nobody names one, and the engine has no keyword search. */
  language: string | null;
  embeddingWeight: number;
  textWeight: number;
  /** Whether a rerank model orders the results; null: only if `rerankModel` names one. */
  rerank: boolean | null;
  rerankModel: string | null;
  /** Results of a search that does not say how many it wants; null: the store does not say either. */
  limit: number | null;
}

/** The settings that a request may override. */
export type RequestSettings = Omit<SearchSettings, "language" | "rerank" | "rerankModel" | "limit">;

const defaults: Omit<ResolvedSettings, "language"> = {
  mode: "vector",
  recall: "high",
  embeddingWeight: 1,
  textWeight: 1,
  rerank: null,
  rerankModel: null,
  limit: null,
};

const oneOf = <T extends string | boolean>(values: readonly T[], value: unknown): T | undefined =>
  values.find((each) => each === value);

/** Modes of search that the engine has. */
const modesOf = ({ words }: Engine): readonly SearchMode[] => (words === null ? ["vector"] : searchModes);
const languagesOf = ({ words }: Engine): readonly string[] => words?.languages ?? [];

/** The keys of a store's metadata; none if an adopted table has something else there. */
export const valuesIn = (metadata: unknown): Record<string, unknown> =>
  typeof metadata === "object" && metadata !== null ? (metadata as Record<string, unknown>) : {};

/**
 * Settings in a store's metadata, the only place where LiteLLM lets callers put them. Other keys and invalid values
 * may belong to other software: they are not used, and never refuse a store or a search.
 */
function settingsInMetadata(metadata: unknown, engine: Engine): SearchSettings {
  const values = valuesIn(metadata);
  return {
    mode: oneOf(modesOf(engine), values.search_mode),
    recall: oneOf(recalls, values.recall),
    language: oneOf(languagesOf(engine), values.language),
    // LiteLLM lets only strings through.
    rerank: oneOf([true, false], values.rerank === "true" ? true : values.rerank === "false" ? false : values.rerank),
    rerankModel:
      typeof values.rerank_model === "string" && values.rerank_model !== "" ? values.rerank_model : undefined,
    limit: resultCount(values.max_num_results),
  };
}

/** A store's usual number of results is at most what OpenAI's dialect lets a search ask for. */
export const mostUsualResults = 50;

function resultCount(value: unknown): number | undefined {
  const count = typeof value === "string" && /^\d{1,2}$/.test(value) ? Number(value) : value;
  return typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= mostUsualResults
    ? count
    : undefined;
}

/** The settings in a store's metadata that cannot be used and that no field of the store replaces, and why. */
export function unusableSettings(
  { engine }: Pick<Deps, "engine">,
  { search, metadata }: Pick<VectorStore, "search" | "metadata">,
): { key: string; expected: string }[] {
  const values = valuesIn(metadata);
  const used = settingsInMetadata(metadata, engine);
  const languages = languagesOf(engine);
  const some = languages.length === 0 ? "" : `, such as ${languages.slice(0, 3).join(", ")}`;
  const all = [
    { key: "search_mode", name: "mode", expected: `one of ${modesOf(engine).join(", ")}` },
    { key: "recall", name: "recall", expected: `one of ${recalls.join(", ")}` },
    { key: "language", name: "language", expected: `a language of the engine '${engine.name}'${some}` },
    { key: "rerank", name: "rerank", expected: "true or false" },
    { key: "rerank_model", name: "rerankModel", expected: "the name of a model" },
    { key: "max_num_results", name: "limit", expected: `a whole number from 1 to ${mostUsualResults}` },
  ] as const;
  return all.filter(
    ({ key, name }) => values[key] !== undefined && used[name] === undefined && search[name] === undefined,
  );
}

/** Merges settings; earlier ones win: the request's, the store's, those in its metadata, the defaults. */
export function resolveSettings(
  { engine }: Pick<Deps, "engine">,
  store: Pick<VectorStore, "search" | "metadata">,
  request: RequestSettings = {},
): ResolvedSettings {
  const resolved: ResolvedSettings = { ...defaults, language: engine.words?.usualLanguage ?? null };
  const inMetadata = settingsInMetadata(store.metadata, engine);
  for (const source of [inMetadata, store.search, request]) {
    Object.assign(
      resolved,
      Object.fromEntries(Object.entries(source).filter(([, value]: [string, unknown]) => value != null)),
    );
  }
  return resolved;
}

/**
 * The language in which a store's keywords are built; null if it is searched by vectors only, or the engine does not
 * know the language.
 */
export async function wantedLanguage(
  deps: Pick<Deps, "engine">,
  store: Pick<VectorStore, "search" | "metadata">,
): Promise<string | null> {
  const { words } = deps.engine;
  const { mode, language } = resolveSettings(deps, store);
  if (words === null || language === null || mode === "vector") return null;
  return (await words.problemWith(language)) === null ? language : null;
}
