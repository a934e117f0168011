import type { ChatMessage, EmbeddingsAnswer, EmbeddingsBody, Model } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";

export type { ChatMessage, EmbeddingsBody, Model };

/** Which models the proxy has; without a proxy, the built-in embedder. */
export type ModelKind = "all" | "embedding" | "vision" | "rerank";

export function listModels(deps: Deps, caller: Caller, kind: ModelKind): Promise<Model[]> {
  switch (kind) {
    case "all":
      return deps.litellm.models({ caller });
    case "embedding":
      return deps.litellm.embeddingModels({ caller });
    case "vision":
      return deps.litellm.visionModels({ caller });
    case "rerank":
      return deps.litellm.rerankModels({ caller });
  }
}

/** POST /v1/embeddings, answered by the proxy or by the built-in embedder. */
export function createEmbeddings(
  deps: Deps,
  caller: Caller,
  body: EmbeddingsBody,
  signal: AbortSignal,
): Promise<EmbeddingsAnswer> {
  return deps.litellm.createEmbeddings(body, { caller, signal });
}
