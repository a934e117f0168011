import { LRUCache } from "lru-cache";
import type { EmbeddingConfig } from "../process/config.js";
import { type Gate, type GateDeps, createGate } from "./gate.js";

const keptModels = 100;

/** One gate per model, for the 100 used last: a model that is down must not open the other models' breakers. */
export function createGates(config: EmbeddingConfig, baseUrl: string, deps: GateDeps): (model: string) => Gate {
  const gates = new LRUCache<string, Gate>({
    max: keptModels,
    memoMethod: (model) => createGate(config, baseUrl, { ...deps, log: deps.log.child({ model }) }),
  });
  return (model) => gates.memo(model);
}
