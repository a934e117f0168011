import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { ApiError } from "../words/errors.js";
import type { Account, AccountOf } from "./account.js";
import { passedOnError, refusedError } from "./apiErrors.js";
import type { Litellm, Rerank, RerankRequest } from "./contract.js";
import type { Failure } from "./failures.js";
import type { GateDeps, Sending } from "./gate.js";
import { badGateway } from "./gatewayErrors.js";
import { createGates } from "./gates.js";

const answer = z.object({
  results: z.array(z.object({ index: z.int().min(0), relevance_score: z.number() })),
});

/** Reranking through the proxy, each in one attempt of at most RERANK_TIMEOUT_SECONDS. */
export function createRerank(
  config: EmbeddingConfig,
  baseUrl: string,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Pick<Litellm, "rerank" | "passRerank"> {
  const gateOf = createGates({ ...config, timeoutMs: config.rerankTimeoutMs, retryBudgetMs: 0 }, baseUrl, deps);
  const post = (model: string, body: object, sending: Sending) =>
    gateOf(model).ask("rerank", (client, options) => client.post("/rerank", { ...options, body }), sending);

  const rerank: Rerank = async (request, { caller, signal }) => {
    const { model, query, documents, topN } = request;
    const account = accountOf(caller);
    const body = { model, query, documents, top_n: topN ?? documents.length };
    const outcome = await post(model, body, { account, signal, about: [query] });
    if ("failure" in outcome) throw rerankError(outcome.failure, account, request);
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

  /** Checks the answer without rebuilding it, so what the proxy added reaches the caller. */
  const passRerank: Litellm["passRerank"] = async (body, { caller, signal }) => {
    const account = accountOf(caller);
    const outcome = await post(body.model, body, { account, signal });
    if ("failure" in outcome) throw passedOnError(outcome.failure, account, asked);
    if (!answer.safeParse(outcome.value).success)
      throw badGateway(`The answer of the rerank model '${body.model}' is not a list of results.`);
    return outcome.value as object;
  };

  return { rerank, passRerank };
}

const asked = {
  provider: "The rerank model's provider",
  purpose: "reranking",
  timeLimit: "RERANK_TIMEOUT_SECONDS",
  texts: "documents",
};

function rerankError(failure: Failure, account: Account, { model, namedBy }: RerankRequest): ApiError {
  if (namedBy === "caller") return passedOnError(failure, account, asked);
  return refusedError(failure, account, { asked, model, where: "RERANK_MODEL or the store's rerank_model" });
}
