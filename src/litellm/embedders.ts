import { LRUCache } from "lru-cache";
import type { EmbeddingConfig } from "../process/config.js";
import { untilAborted } from "../process/abort.js";
import type { Account, AccountOf } from "./account.js";
import { choiceError } from "./apiErrors.js";
import type { BreakerState, Embedder, Litellm, ModelChoice, ModelTrial } from "./contract.js";
import { createAsk } from "./embeddingRequest.js";
import { type GateDeps, createGate } from "./gate.js";
import { createGates } from "./gates.js";
import { builtInModel, hashingEmbedder } from "./hashingEmbedder.js";
import { createProxyEmbedder } from "./proxyEmbedder.js";

/** Each may cache 6 MB of queries at 1,536 dimensions. Dropping one loses only this cache and what it learned. */
const keptModels = 100;
const keptDimensions = 1_000;
/**
 * For the attempts to measure a model, while whoever creates a store waits. Where the store cannot be created without
 * the answer, the first may take the usual time: the model may just be loading.
 */
const trialMs = 10_000;

/** The proxy's models as embedders, with a gate per model. */
export function createEmbedders(
  config: EmbeddingConfig,
  baseUrl: string,
  deps: GateDeps & { accountOf: AccountOf },
): Pick<Litellm, "embedder" | "embedderFor" | "dimensionsOf"> & { readonly breaker: () => BreakerState } {
  const { accountOf } = deps;
  const ownGate = createGate(config, baseUrl, deps);
  const own = { model: config.model, dimensions: config.dimensions, sendDimensions: config.dimensionsConfigured };
  const ownKey = keyOf(own);

  /** A store created without a proxy keeps its embedder once there is one. */
  const isBuiltIn = (model: string) => model === builtInModel && model !== config.model;

  const gates = createGates(config, baseUrl, deps);
  const gateOf = (model: string) => (model === config.model ? ownGate : gates(model));
  // A file on whose texts a model fails must not open the breaker for searches.
  const ingestionGateOf = createGates(config, baseUrl, deps);
  const gatesOf = (model: string) => ({ requests: gateOf(model), ingestion: ingestionGateOf(model) });
  const embedder = createProxyEmbedder({ ...own, namedBy: "settings" }, config.batchSize, gatesOf(own.model), deps);

  const namedBy = ({ model, dimensions }: ModelChoice) =>
    model === config.model && dimensions === config.dimensions ? "settings" : "store";
  const embedders = new LRUCache<string, Embedder, ModelChoice>({
    max: keptModels,
    memoMethod: (_key, _stale, { context: choice }) =>
      isBuiltIn(choice.model)
        ? hashingEmbedder(choice.dimensions, accountOf)
        : createProxyEmbedder({ ...choice, namedBy: namedBy(choice) }, config.batchSize, gatesOf(choice.model), deps),
  });

  // Per account: a key may not be allowed to use a model, and LiteLLM's aliases can give a name another meaning for it.
  const known = new LRUCache<string, Promise<number>>({ max: keptDimensions });
  async function measure(trial: ModelTrial, account: Account, briefly: boolean): Promise<number> {
    const { model, dimensions, prompts } = trial;
    const sendDimensions = dimensions ?? false;
    const target = { model, namedBy: "store", dimensions: null, sendDimensions, prompts } as const;
    const timeoutMs = briefly ? trialMs : config.timeoutMs;
    const sending = { account, atMost: { timeoutMs, retryBudgetMs: trialMs } };
    const outcome = await createAsk(target, gateOf(model), "document")(["dimensions"], sending);
    if ("failure" in outcome) throw choiceError(outcome.failure, account, model);
    return outcome.value[0]?.length ?? 0;
  }

  return {
    embedder,
    embedderFor(choice) {
      const key = keyOf(choice);
      return key === ownKey ? embedder : embedders.memo(key, { context: choice });
    },
    async dimensionsOf(trial, { caller, signal, briefly = trial.dimensions !== null }) {
      const account = accountOf(caller);
      signal?.throwIfAborted();
      if (isBuiltIn(trial.model)) return trial.dimensions ?? config.dimensions;
      const key = JSON.stringify([account.id, trial]);
      let dimensions = known.get(key);
      if (dimensions === undefined) {
        // Concurrent calls share it, so it does not end when one caller leaves.
        dimensions = measure(trial, account, briefly);
        known.set(key, dimensions);
        dimensions.catch(() => known.delete(key));
      }
      return untilAborted(dimensions, signal);
    },
    breaker: () => ownGate.breaker(),
  };
}

const keyOf = ({ model, dimensions, sendDimensions, prompts }: ModelChoice) =>
  JSON.stringify([model, dimensions, sendDimensions, ...(prompts === undefined ? [] : [prompts])]);
