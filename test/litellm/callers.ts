import type { IncomingHttpHeaders } from "node:http";
import type { Embedder, Litellm, ModelTrial } from "../../src/litellm/contract.js";
import type { Caller } from "../../src/words/caller.js";
import { noPrompts } from "../../src/words/prompts.js";

/** The key of a request. */
export const keyOf = ({ headers }: { headers: IncomingHttpHeaders }) => headers.authorization?.replace("Bearer ", "");

interface Options {
  signal?: AbortSignal;
}
export interface BoundEmbedder extends Pick<Embedder, "model" | "dimensions" | "builtIn"> {
  embed(texts: readonly string[], options?: Options): Promise<Float32Array[]>;
  embedQuery(text: string, options?: Options): Promise<Float32Array>;
}

/**
 * The functions for embeddings and models, bound to this caller. Equal embedders are the same object here, too.
 */
export function onBehalfOf(caller: Caller, litellm: Litellm) {
  const bound = new Map<Embedder, BoundEmbedder>();
  const bind = (embedder: Embedder): BoundEmbedder => {
    const found = bound.get(embedder) ?? {
      ...embedder,
      embed: (texts, options) => embedder.embed(texts, { caller, ...options }),
      embedQuery: (text, options) => embedder.embedQuery(text, { caller, ...options }),
    };
    bound.set(embedder, found);
    return found;
  };
  return {
    embedder: bind(litellm.embedder),
    embedderFor: (choice: Parameters<Litellm["embedderFor"]>[0]) => bind(litellm.embedderFor(choice)),
    measure: (trial: ModelTrial, options?: Options) => litellm.dimensionsOf(trial, { caller, ...options }),
    promptsOf: (model: string, options?: Options & { insist?: boolean }) =>
      litellm.promptsOf(model, { caller, ...options }),
    dimensionsOf: (model: string, options?: Options) =>
      litellm.dimensionsOf({ model, dimensions: null, prompts: noPrompts }, { caller, ...options }),
    createEmbeddings: (body: Parameters<Litellm["createEmbeddings"]>[0]) => litellm.createEmbeddings(body, { caller }),
    models: () => litellm.models({ caller }),
    embeddingModels: () => litellm.embeddingModels({ caller }),
    visionModels: () => litellm.visionModels({ caller }),
    state: litellm.state,
  };
}
