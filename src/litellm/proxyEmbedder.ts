import type { ApiError } from "../words/errors.js";
import { mapConcurrently } from "./abort.js";
import type { Account, AccountOf } from "./account.js";
import type { NamedModel } from "./apiErrors.js";
import { serviceError } from "./apiErrors.js";
import { bytesPerRequest, splitIntoBatches, tokensPerRequest } from "./batches.js";
import type { Embedder, ModelChoice } from "./contract.js";
import { createAsk } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import { isTooLarge, isTooMany } from "./failures.js";
import type { Gate, GateDeps, Sending } from "./gate.js";
import { textTooLong } from "./gatewayErrors.js";
import { joinQueries } from "./joinedQueries.js";

/** Concurrent requests per `embed` call. */
const concurrency = 4;

/**
 * The Embedder through the proxy. From refusals it learns what to leave out of a request and how many texts fit into
 * one; this is a property of the model, so all accounts share it.
 * @param batchSize texts per request, at most
 */
export function createProxyEmbedder(
  choice: ModelChoice & NamedModel,
  batchSize: number,
  gate: Gate,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Embedder {
  const { model, dimensions } = choice;
  const ask = createAsk(choice, gate);
  let count = batchSize;
  const limits = () => ({ count, tokens: tokensPerRequest, bytes: bytesPerRequest });
  const learnCount = (accepted: number) => {
    count = Math.min(count, accepted);
  };

  /** For a refusal that neither leaving parameters out nor splitting could fix. */
  const errorOf = (failure: Failure, account: Account, index = 0): ApiError =>
    isTooLarge(failure) ? textTooLong(index, model) : serviceError(failure, account, choice);

  /** @param index of the first text, among those of the call */
  async function request(texts: readonly string[], index: number, sending: Sending): Promise<Float32Array[]> {
    const outcome = await ask(texts, sending);
    if ("value" in outcome) return outcome.value;
    const { failure } = outcome;
    if (texts.length <= 1 || !isTooLarge(failure)) throw errorOf(failure, sending.account, index);
    const half = Math.ceil(texts.length / 2);
    // One after the other: if the provider refuses every text, the first single one ends it.
    const first = await request(texts.slice(0, half), index, sending);
    // Learn only from success: one long text, refused with the same message, must not shrink all later requests.
    if (isTooMany(failure)) learnCount(half);
    return [...first, ...(await request(texts.slice(half), index + half, sending))];
  }

  const embed: Embedder["embed"] = async (texts, { caller, signal }) => {
    const account = accountOf(caller);
    const vectors = await mapConcurrently(
      numbered(splitIntoBatches(texts, limits())),
      concurrency,
      ({ batch, index }, each) => request(batch, index, { account, signal: each }),
      signal,
    );
    return vectors.flat();
  };

  const embedQuery = joinQueries({ ask, limits, learnCount, errorOf }, deps);
  return {
    model,
    dimensions,
    builtIn: false,
    embed,
    embedQuery: async (text, { caller, signal, usage }) =>
      embedQuery(text, { account: accountOf(caller), signal }, usage),
  };
}

/** Each batch with the index of its first text. */
function numbered(batches: readonly string[][]): { batch: string[]; index: number }[] {
  let index = 0;
  return batches.map((batch) => {
    const one = { batch, index };
    index += batch.length;
    return one;
  });
}
