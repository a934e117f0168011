import type { SearchBody } from "../../api/search.js";
import { isUrlNumber, numberInUrl, numberText, urlNumber } from "../../parts/formFields.js";
import { filterProblem, filtersOf } from "./filter.js";

/** A search as the address has it; empty: as the vector store has it. */
export const usualSearch = {
  q: "",
  mode: "",
  k: "10",
  recall: "",
  rerank: "",
  model: "",
  filters: "",
  expand: "",
  diversity: "",
  threshold: "",
  rewrite: "",
};
export type SearchUrl = typeof usualSearch;

export const modes = ["vector", "keyword", "hybrid"] as const;
export const recalls = ["exact", "high", "fast"] as const;

/** What of a search an address may say; else it is as the vector store has it. */
export const knownSearch = {
  mode: modes,
  recall: recalls,
  rerank: ["true", "false"],
  rewrite: ["true"],
  k: isUrlNumber,
  expand: isUrlNumber,
  diversity: isUrlNumber,
  threshold: isUrlNumber,
};

const oneOf = <T extends string>(value: string, of: readonly T[]): T | undefined => of.find((each) => each === value);
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

export const numbers = ["k", "expand", "diversity", "threshold"] as const;

const eachNumber = (url: SearchUrl, write: (text: string) => string): SearchUrl => ({
  ...url,
  ...Object.fromEntries(numbers.map((name) => [name, write(url[name])])),
});

/** In an address numbers are the same for all; in the form they are as people of the language write them. */
export const asTyped = (url: SearchUrl): SearchUrl => eachNumber(url, (text) => numberText(numberInUrl(text)));
export const asInUrl = (typed: SearchUrl): SearchUrl => eachNumber(typed, urlNumber);

/** Whether all of it can be sent: the search would do without the rest, and find something else. */
export const isAskable = (url: SearchUrl): boolean => url.q.trim() !== "" && filterProblem(url.filters) === null;

/** What is asked of the service. Everything but the query goes into `ranking_options`, which OpenAI's SDKs pass on. */
export function searchBody(url: SearchUrl): SearchBody {
  const ranking = given({
    search_mode: oneOf(url.mode, modes),
    recall: oneOf(url.recall, recalls),
    rerank: url.rerank === "" ? undefined : url.rerank === "true",
    rerank_model: url.rerank === "true" && url.model !== "" ? url.model : undefined,
    expand: numberInUrl(url.expand),
    diversity: numberInUrl(url.diversity),
    score_threshold: numberInUrl(url.threshold),
  });
  return {
    query: url.q,
    ...given({ max_num_results: numberInUrl(url.k), filters: filtersOf(url.filters) }),
    ...(url.rewrite === "true" && { rewrite_query: true }),
    ...(Object.keys(ranking).length > 0 && { ranking_options: ranking }),
  };
}
