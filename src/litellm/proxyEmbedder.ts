import type { ApiError } from "../words/errors.js";
import { TextError } from "../words/errors.js";
import { mapConcurrently } from "../process/abort.js";
import type { Account, AccountOf } from "./account.js";
import type { NamedModel } from "./apiErrors.js";
import { serviceError } from "./apiErrors.js";
import { bytesPerRequest, splitIntoBatches, tokensPerRequest } from "./batches.js";
import type { Embedder, Ingesting, ModelChoice } from "./contract.js";
import { createAsk } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import { concernsKey, isOutage, isTooLarge, isTooMany } from "./failures.js";
import { findGuilty } from "./guiltyText.js";
import type { Gate, GateDeps, Sending } from "./gate.js";
import { textFailed, textTooLong } from "./gatewayErrors.js";
import { joinQueries } from "./joinedQueries.js";

/** Concurrent requests per `embed` call. */
const concurrency = 4;

/**
 * The Embedder through the proxy. From refusals it learns what to leave out of a request and how many texts fit into
 * one; this is a property of the model, so all accounts share it.
 * @param batchSize texts per request, at most
 * @param gates `ingestion`: for texts of files
 */
export function createProxyEmbedder(
  choice: ModelChoice & NamedModel,
  batchSize: number,
  gates: { readonly requests: Gate; readonly ingestion: Gate },
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Embedder {
  const { model, dimensions } = choice;
  const ask = createAsk(choice, gates.requests, "document");
  const askForFiles = createAsk(choice, gates.ingestion, "document");
  let count = batchSize;
  const limits = () => ({ count, tokens: tokensPerRequest, bytes: bytesPerRequest });
  const learnCount = (accepted: number) => {
    count = Math.min(count, accepted);
  };

  /** For a refusal that neither leaving parameters out nor splitting could fix. */
  const errorOf = (failure: Failure, account: Account, index = 0): ApiError =>
    isTooLarge(failure) ? textTooLong(index, model) : serviceError(failure, account, choice);

  /** @param index of the first text, among those of the call */
  async function request(
    texts: readonly string[],
    index: number,
    sending: Sending,
    ingesting?: Ingesting,
  ): Promise<Float32Array[]> {
    const outcome = await (ingesting === undefined ? ask : askForFiles)(texts, sending);
    if ("value" in outcome) return outcome.value;
    const { failure } = outcome;
    if (texts.length <= 1 || !isTooLarge(failure)) {
      const error = errorOf(failure, sending.account, index);
      if (ingesting === undefined) throw error;
      return forFiles(texts, { index, failure, error }, sending, ingesting);
    }
    const half = Math.ceil(texts.length / 2);
    // One after the other: if the provider refuses every text, the first single one ends it.
    const first = await request(texts.slice(0, half), index, sending, ingesting);
    // Learn only from success: one long text, refused with the same message, must not shrink all later requests.
    if (isTooMany(failure) && isWhole(first)) learnCount(half);
    return [...first, ...(await request(texts.slice(half), index + half, sending, ingesting))];
  }

  /** What a failure means for texts of files: one is too long, the model fails on one alone, or it is an outage. */
  async function forFiles(
    texts: readonly string[],
    { index, failure, error }: { index: number; failure: Failure; error: ApiError },
    sending: Sending,
    { refused, mostRefused }: Ingesting,
  ): Promise<Float32Array[]> {
    if (isTooLarge(failure) && error instanceof TextError) {
      refused.set(index, error);
      if (refused.size > mostRefused) throw error;
      return [new Float32Array()];
    }
    if (!isOutage(failure) || concernsKey(failure)) throw error;
    const guilty = await findGuilty(texts, (some) => askForFiles(some, { ...sending, trial: true }));
    throw guilty === null ? error : textFailed(index + guilty, model, failure);
  }

  const embed: Embedder["embed"] = async (texts, { caller, signal, ingesting }) => {
    const account = accountOf(caller);
    const batches = numbered(splitIntoBatches(texts, limits()));
    const send = ({ batch, index }: { batch: string[]; index: number }, each: AbortSignal) =>
      request(batch, index, { account, signal: each }, ingesting);
    return (await mapConcurrently(batches, concurrency, send, signal)).flat();
  };

  const askQueries = createAsk(choice, gates.requests, "query");
  const embedQuery = joinQueries({ ask: askQueries, limits, learnCount, errorOf }, deps);
  return {
    model,
    dimensions,
    builtIn: false,
    embed,
    embedQuery: async (text, { caller, signal, usage }) =>
      embedQuery(text, { account: accountOf(caller), signal }, usage),
  };
}

/** No text was refused. */
const isWhole = (vectors: readonly Float32Array[]) => vectors.every((vector) => vector.length > 0);

/** Each batch with the index of its first text. */
function numbered(batches: readonly string[][]): { batch: string[]; index: number }[] {
  let index = 0;
  return batches.map((batch) => {
    const one = { batch, index };
    index += batch.length;
    return one;
  });
}
