import type { ChatMessage, EmbeddingsAnswer, EmbeddingsBody, Model } from "../../litellm/contract.js";
import type { Deps } from "../deps.js";

export type { ChatMessage, EmbeddingsBody, Model };

/** Which models the proxy has; without a proxy, the built-in embedder. */
export type ModelKind = "all" | "embedding" | "vision" | "rerank";

export function listModels(deps: Deps, kind: ModelKind): Promise<Model[]> {
  switch (kind) {
    case "all":
      return deps.litellm.models();
    case "embedding":
      return deps.litellm.embeddingModels();
    case "vision":
      return deps.litellm.visionModels();
    case "rerank":
      return deps.litellm.rerankModels();
  }
}

/** POST /v1/embeddings, answered by the proxy or by the built-in embedder. */
export function createEmbeddings(deps: Deps, body: EmbeddingsBody, signal: AbortSignal): Promise<EmbeddingsAnswer> {
  return deps.litellm.createEmbeddings(body, { signal });
}
