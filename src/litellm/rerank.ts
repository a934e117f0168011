import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { ApiError } from "../words/errors.js";
import { badGateway, passedOnError, refusedError } from "./apiErrors.js";
import type { Litellm, Rerank, RerankRequest } from "./contract.js";
import type { Failure } from "./failures.js";
import type { GateDeps } from "./gate.js";
import { createGates } from "./gates.js";

const answer = z.object({
  results: z.array(z.object({ index: z.int().min(0), relevance_score: z.number() })),
});

export function createRerank(
  config: EmbeddingConfig,
  baseUrl: string,
  deps: GateDeps,
): Pick<Litellm, "rerank" | "passRerank"> {
  const gateOf = createGates({ ...config, timeoutMs: config.rerankTimeoutMs, retryBudgetMs: 0 }, baseUrl, deps);

  const rerank: Rerank = async (request, { signal }) => {
    const { model, query, documents, topN } = request;
    const body = { model, query, documents, top_n: topN ?? documents.length };
    const outcome = await gateOf(model).ask(
      "rerank",
      (client, each) => client.post("/rerank", { body, signal: each }),
      signal,
    );
    if ("failure" in outcome) throw rerankError(outcome.failure, request);
    const parsed = answer.safeParse(outcome.value);
    if (!parsed.success) throw badGateway(`The answer of the rerank model '${model}' is not a list of results.`);
    const seen = new Set<number>();
    for (const { index } of parsed.data.results) {
      if (index >= documents.length || seen.has(index))
        throw badGateway(`The rerank model '${model}' named a document twice, or one that it was not given.`);
      seen.add(index);
    }
    // sort() keeps the order of equal scores.
    return parsed.data.results
      .map(({ index, relevance_score: relevance }) => ({ index, relevance }))
      .sort((a, b) => b.relevance - a.relevance);
  };

  /** Only looked at, never rebuilt: what the proxy added reaches the caller. */
  const passRerank: Litellm["passRerank"] = async (body, { signal }) => {
    const outcome = await gateOf(body.model).ask(
      "rerank",
      (client, each) => client.post("/rerank", { body, signal: each }),
      signal,
    );
    if ("failure" in outcome) throw passedOnError(outcome.failure, asked);
    if (!answer.safeParse(outcome.value).success)
      throw badGateway(`The answer of the rerank model '${body.model}' is not a list of results.`);
    return outcome.value as object;
  };

  return { rerank, passRerank };
}

const asked = { provider: "The rerank model's provider", purpose: "reranking", timeLimit: "RERANK_TIMEOUT_SECONDS" };

function rerankError(failure: Failure, { model, namedBy }: RerankRequest): ApiError {
  if (namedBy === "settings") return refusedError(failure, asked, model, "RERANK_MODEL or the store's rerank_model");
  return passedOnError(failure, asked);
}
