import type { EmbeddingsAnswer, EmbeddingsBody, Model } from "../litellm/litellm.js";
import type { Deps } from "./deps.js";

export type { EmbeddingsBody, Model };

/** Which models the proxy has; without a proxy, the built-in embedder. */
export type ModelKind = "all" | "embedding" | "vision";

export function listModels(deps: Deps, kind: ModelKind): Promise<Model[]> {
  if (kind === "embedding") return deps.litellm.embeddingModels();
  return kind === "vision" ? deps.litellm.visionModels() : deps.litellm.models();
}

/** POST /v1/embeddings, answered by the proxy or by the built-in embedder. */
export function createEmbeddings(deps: Deps, body: EmbeddingsBody, signal: AbortSignal): Promise<EmbeddingsAnswer> {
  return deps.litellm.createEmbeddings(body, { signal });
}
