import { z } from "zod";
import { type RerankWish, mostCandidates } from "../../core/search/rerank.js";
import type { SearchRequest } from "../../core/search/searchStores.js";
import { optional, modelName } from "./common.js";
import { hybridWeights } from "./vectorStore.js";
import { recalls, searchModes } from "../../words/store.js";

/** The number of results wanted. */
export const resultCount = (max: number) => z.int().min(1, "must be at least 1").max(max, `must be at most ${max}`);

/**
 * Clients that pass only OpenAI's fields on can put mode, recall and rerank model into `ranker`. Any value that does
 * not match is the name of a rerank model.
 */
const fusions = ["weighted", "rrf"];
const knownRanker = new RegExp(
  `^(none|auto|${fusions.join("|")}|default[\\w-]*|(?:${searchModes.join("|")})(?:-(?:${recalls.join("|")}))?|${recalls.join("|")})$`,
);
const rankers = `"auto" or "default-…" (the order of the search), "none" (the same, even if the store has reranking on), a search mode (${searchModes.join(", ")}), a recall (${recalls.join(", ")}), both as in "hybrid-exact", or "rrf" and "weighted" (OGX's names for hybrid search)`;
const unusableRanker = `expected ${rankers}, or the name of a rerank model of at most 256 characters`;
const share = z.number().min(0, "must be at least 0").max(1, "must be at most 1");
const mostNeighbours = 5;

const rerankField = optional(
  z.union([z.boolean(), z.literal("required")], { error: 'expected true, false or "required"' }),
).describe('true: a rerank model orders the results; "required": if it fails, 502 instead of the order of the search');
const candidatesField = optional(resultCount(mostCandidates)).describe(
  "how many of the best results are reranked; default: four times the number of results",
);

/** What says in which order, of a search as of a question. */
export const rankingFields = {
  ranking_options: optional(
    z.object({
      ranker: optional(z.string().min(1, unusableRanker).max(256, unusableRanker)).describe(
        `${rankers}; anything else is the name of a rerank model`,
      ),
      rerank: rerankField,
      rerank_model: optional(modelName),
      rerank_candidates: candidatesField,
      score_threshold: optional(share),
      search_mode: optional(z.enum(searchModes)),
      recall: optional(z.enum(recalls)),
      hybrid_search: optional(hybridWeights),
      diversity: optional(share).describe(
        "0: order of scores; towards 1: results that differ from each other (maximal marginal relevance)",
      ),
      expand: optional(
        z.int().min(0, "must be at least 0").max(mostNeighbours, `must be at most ${mostNeighbours}`),
      ).describe("number of chunks before and after each result to join to it"),
    }),
  ),
  search_mode: optional(z.enum(searchModes)).describe("OGX's place for `ranking_options.search_mode`"),
  rerank: rerankField,
  rerank_model: optional(modelName).describe('a model of the proxy; "auto": its first model with mode "rerank"'),
  rerank_candidates: candidatesField,
};

type Ranking = { [field in keyof typeof rankingFields]?: z.output<(typeof rankingFields)[field]> };

/** What says in which order, of a search as of a question. */
export function readRanking(
  body: Ranking,
): Pick<SearchRequest, "scoreThreshold" | "settings" | "diversity" | "expand" | "rerank"> {
  const { ranking_options: options } = body;
  return {
    scoreThreshold: options?.score_threshold ?? 0,
    settings: readSettings(body),
    diversity: options?.diversity ?? 0,
    expand: options?.expand ?? 0,
    rerank: readRerank(body),
  };
}

function readRerank({ ranking_options: options, ...body }: Ranking): RerankWish {
  const ranker = options?.ranker;
  const byRanker = ranker === undefined || knownRanker.test(ranker) ? undefined : ranker;
  const named = [
    ["rerank_model", body.rerank_model],
    ["ranking_options.rerank_model", options?.rerank_model],
    ["ranking_options.ranker", byRanker],
  ] as const;
  const [param, model] = named.find(([, name]) => name !== undefined) ?? ["rerank", undefined];
  return {
    wanted: body.rerank ?? options?.rerank ?? (ranker === "none" ? false : model === undefined ? undefined : true),
    model: model === undefined || model === "auto" ? null : model,
    param,
    hint: param === "ranking_options.ranker" ? `Other values are ${rankers}.` : null,
    candidates: body.rerank_candidates ?? options?.rerank_candidates ?? null,
  };
}

function readSettings({ ranking_options: options, search_mode: mode }: Ranking): SearchRequest["settings"] {
  const ranker = options?.ranker ?? "";
  const said = knownRanker.test(ranker) ? ranker.split("-") : [];
  return {
    mode:
      mode ??
      options?.search_mode ??
      (fusions.includes(ranker) ? "hybrid" : searchModes.find((each) => said.includes(each))),
    recall: options?.recall ?? recalls.find((each) => said.includes(each)),
    embeddingWeight: options?.hybrid_search?.embedding_weight,
    textWeight: options?.hybrid_search?.text_weight,
  };
}
