import type { ApiError } from "../words/errors.js";
import { invalid } from "../words/errors.js";
import { mapConcurrently } from "./abort.js";
import type { NamedModel } from "./apiErrors.js";
import { serviceError } from "./apiErrors.js";
import { bytesPerRequest, splitIntoBatches, tokensPerRequest } from "./batches.js";
import type { Embedder, ModelChoice } from "./contract.js";
import { createAsk } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import { isTooLarge, isTooMany } from "./failures.js";
import type { Gate, GateDeps } from "./gate.js";
import { joinQueries } from "./joinedQueries.js";

/** Requests of one `embed` call under way at the same time. */
const concurrency = 4;

/**
 * The Embedder that asks the proxy. It learns from refusals, for as long as it lives, what to leave out of a request
 * and how many texts one may hold.
 * @param batchSize texts per request, at most
 */
export function createProxyEmbedder(
  choice: ModelChoice & NamedModel,
  batchSize: number,
  gate: Gate,
  deps: GateDeps,
): Embedder {
  const { model, dimensions } = choice;
  const ask = createAsk(choice, gate);
  let count = batchSize;
  const limits = () => ({ count, tokens: tokensPerRequest, bytes: bytesPerRequest });
  const learnCount = (accepted: number) => {
    count = Math.min(count, accepted);
  };

  /** What a caller sees of a refusal that leaving out or splitting did not mend. */
  const errorOf = (failure: Failure): ApiError =>
    isTooLarge(failure)
      ? invalid("input", `A text is longer than the embedding model '${model}' accepts.`, "context_length_exceeded")
      : serviceError(failure, choice);

  async function request(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const outcome = await ask(texts, signal);
    if ("value" in outcome) return outcome.value;
    const { failure } = outcome;
    if (texts.length <= 1 || !isTooLarge(failure)) throw errorOf(failure);
    const half = Math.ceil(texts.length / 2);
    // One after the other: where every text is refused, the first single one ends it.
    const first = await request(texts.slice(0, half), signal);
    // Learned from success alone: one text too long, refused in the same words, must not shrink every later request.
    if (isTooMany(failure)) learnCount(half);
    return [...first, ...(await request(texts.slice(half), signal))];
  }

  const embed: Embedder["embed"] = async (texts, { signal } = {}) => {
    const vectors = await mapConcurrently(splitIntoBatches(texts, limits()), concurrency, request, signal);
    return vectors.flat();
  };

  return {
    model,
    dimensions,
    builtIn: false,
    embed,
    embedQuery: joinQueries({ ask, limits, learnCount, errorOf }, deps),
  };
}
