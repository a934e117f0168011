import { LRUCache } from "lru-cache";
import type { EmbeddingConfig } from "../process/config.js";
import { untilAborted } from "./abort.js";
import { choiceError } from "./apiErrors.js";
import type { BreakerState, Embedder, Litellm, ModelChoice } from "./contract.js";
import { createAsk } from "./embeddingRequest.js";
import { type GateDeps, createGate } from "./gate.js";
import { createGates } from "./gates.js";
import { builtInModel, hashingEmbedder } from "./hashingEmbedder.js";
import { createProxyEmbedder } from "./proxyEmbedder.js";

/** Each may hold 6 MB of cached queries at 1,536 dimensions. One that is let go loses that and what it learned, no more. */
const keptModels = 100;
const keptDimensions = 1_000;

/** The proxy's models as embedders, each with a gate of its own. */
export function createEmbedders(
  config: EmbeddingConfig,
  baseUrl: string,
  deps: GateDeps,
): Pick<Litellm, "embedder" | "embedderFor" | "dimensionsOf"> & { readonly breaker: () => BreakerState } {
  const ownGate = createGate(config, baseUrl, deps);
  const own = { model: config.model, dimensions: config.dimensions, sendDimensions: config.dimensionsConfigured };
  const embedder = createProxyEmbedder({ ...own, namedBy: "settings" }, config.batchSize, ownGate, deps);
  const ownKey = keyOf(own);

  /** Stores made before a proxy was configured go on as they began. */
  const isBuiltIn = (model: string) => model === builtInModel && model !== config.model;

  const gates = createGates(config, baseUrl, deps);
  const gateOf = (model: string) => (model === config.model ? ownGate : gates(model));

  const embedders = new LRUCache<string, Embedder, ModelChoice>({
    max: keptModels,
    memoMethod: (_key, _stale, { context: choice }) =>
      isBuiltIn(choice.model)
        ? hashingEmbedder(choice.dimensions)
        : createProxyEmbedder({ ...choice, namedBy: "store" }, config.batchSize, gateOf(choice.model), deps),
  });

  const known = new LRUCache<string, Promise<number>>({ max: keptDimensions });
  async function measure(model: string): Promise<number> {
    const target = { model, namedBy: "store", dimensions: null, sendDimensions: false } as const;
    const outcome = await createAsk(target, gateOf(model))(["dimensions"]);
    if ("failure" in outcome) throw choiceError(outcome.failure, model);
    return outcome.value[0]?.length ?? 0;
  }

  return {
    embedder,
    embedderFor(choice) {
      const key = keyOf(choice);
      return key === ownKey ? embedder : embedders.memo(key, { context: choice });
    },
    async dimensionsOf(model, { signal } = {}) {
      signal?.throwIfAborted();
      if (isBuiltIn(model)) return config.dimensions;
      let dimensions = known.get(model);
      if (dimensions === undefined) {
        // Shared by all who ask at the same time, so no caller's leaving ends it.
        dimensions = measure(model);
        known.set(model, dimensions);
        dimensions.catch(() => known.delete(model));
      }
      return untilAborted(dimensions, signal);
    },
    breaker: () => ownGate.breaker(),
  };
}

/** Unambiguous, for the name comes last. */
const keyOf = ({ model, dimensions, sendDimensions }: ModelChoice) => `${dimensions} ${sendDimensions} ${model}`;
