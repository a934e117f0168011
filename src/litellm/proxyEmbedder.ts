import type { ApiError, TextError } from "../words/errors.js";
import { mapConcurrently } from "../process/abort.js";
import type { AccountOf } from "./account.js";
import type { NamedModel } from "./apiErrors.js";
import { refusesAllError, serviceError } from "./apiErrors.js";
import { bytesPerRequest, splitIntoBatches, tokensPerRequest } from "./batches.js";
import type { Embedder, Ingesting, ModelChoice } from "./contract.js";
import { type Ask, createAsk } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import { isTooLarge, isTooMany, mayFailOnText, mayRefuseText } from "./failures.js";
import type { Gate, GateDeps, Sending } from "./gate.js";
import { textFailed, textRefused, textTooLong } from "./gatewayErrors.js";
import { joinQueries } from "./joinedQueries.js";

/** Concurrent requests per `embed` call. */
const concurrency = 4;
/** A text that every model reads. */
const harmless = "probe";

/** How texts are asked for. `answers`: the model has answered the harmless text, so one of the texts is at fault. */
interface How {
  readonly sending: Sending;
  readonly ingesting: Ingesting | undefined;
  readonly answers: boolean;
}

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
  const askQueries = createAsk(choice, gates.requests, "query");
  let count = batchSize;
  const limits = () => ({ count, tokens: tokensPerRequest, bytes: bytesPerRequest });
  const learnCount = (accepted: number) => {
    count = Math.min(count, accepted);
  };

  /** For queries that cannot be asked for in smaller parts. */
  async function errorOf(failure: Failure, sending: Sending): Promise<ApiError> {
    if (isTooLarge(failure)) return textTooLong(0, model);
    if (!mayRefuseText(failure)) return serviceError(failure, sending.account, choice);
    return (await refusesAll(askQueries, choice, sending)) ?? textRefused(0, model, failure);
  }

  /** @param index of the first text, among those of the call */
  async function request(texts: readonly string[], index: number, how: How): Promise<Float32Array[]> {
    const { sending, ingesting } = how;
    const asking = ingesting === undefined ? ask : askForFiles;
    const outcome = await asking(texts, sending);
    if ("value" in outcome) return outcome.value;
    const { failure } = outcome;
    if (isTooLarge(failure)) {
      if (texts.length > 1) return inHalves(texts, index, how, isTooMany(failure));
      return [refuse(textTooLong(index, model), ingesting)];
    }
    const mayBeOneText = mayRefuseText(failure) || (ingesting !== undefined && mayFailOnText(failure));
    if (!mayBeOneText) throw serviceError(failure, sending.account, choice);
    if (!how.answers) {
      const error = await refusesAll(asking, choice, sending);
      if (error !== null) throw error;
    }
    // The model answers, so a text is at fault. The breaker must not stop the search for it: that text may have
    // opened it.
    const search = { ...how, answers: true, sending: mayRefuseText(failure) ? sending : { ...sending, trial: true } };
    if (failure.kind === "breaker") return request(texts, index, search);
    if (texts.length > 1) return inHalves(texts, index, search, false);
    throw mayRefuseText(failure) ? textRefused(index, model, failure) : textFailed(index, model, failure);
  }

  /** One after the other: if the provider refuses every text, the first single one ends it. */
  async function inHalves(texts: readonly string[], index: number, how: How, learn: boolean): Promise<Float32Array[]> {
    const half = Math.ceil(texts.length / 2);
    const first = await request(texts.slice(0, half), index, how);
    // Learn only from success: one long text, refused with the same message, must not shrink all later requests.
    if (learn && isWhole(first)) learnCount(half);
    return [...first, ...(await request(texts.slice(half), index + half, how))];
  }

  const embed: Embedder["embed"] = async (texts, { caller, signal, ingesting }) => {
    const account = accountOf(caller);
    const batches = numbered(splitIntoBatches(texts, limits()));
    const send = ({ batch, index }: { batch: string[]; index: number }, each: AbortSignal) =>
      request(batch, index, { sending: { account, signal: each }, ingesting, answers: false });
    return (await mapConcurrently(batches, concurrency, send, signal)).flat();
  };

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

/** Why the model does not even answer a text that every model reads; null: it answers. */
async function refusesAll(
  ask: Ask,
  choice: Parameters<typeof refusesAllError>[2],
  sending: Sending,
): Promise<ApiError | null> {
  const probe = await ask([harmless], { ...sending, trial: true });
  return "value" in probe ? null : refusesAllError(probe.failure, sending.account, choice);
}

/** Puts a text's refusal among those of a file's texts. @throws it, if there are too many, or no file */
function refuse(error: TextError, ingesting: Ingesting | undefined): Float32Array {
  if (ingesting === undefined) throw error;
  ingesting.refused.set(error.index, error);
  if (ingesting.refused.size > ingesting.mostRefused) throw error;
  return new Float32Array();
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
