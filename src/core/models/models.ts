import type { EmbeddingsAnswer, EmbeddingsBody, Model } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import { ApiError } from "../../words/errors.js";
import type { Deps } from "../deps.js";

export type ModelKind = "all" | "embedding" | "vision" | "rerank";

/** The models of the proxy that a caller may use; without a proxy, the built-in embedder. */
export function listModels({ litellm }: Deps, caller: Caller, kind: ModelKind): Promise<Model[]> {
  switch (kind) {
    case "all":
      return litellm.models({ caller });
    case "embedding":
      return litellm.embeddingModels({ caller });
    case "vision":
      return litellm.visionModels({ caller });
    case "rerank":
      return litellm.rerankModels({ caller });
  }
}

/** A model that the caller may use. @throws ApiError 404 `model_not_found`, as OpenAI answers */
export async function findModel(deps: Deps, caller: Caller, id: string): Promise<Model> {
  const found = (await listModels(deps, caller, "all")).find((model) => model.id === id);
  if (found !== undefined) return found;
  throw new ApiError(404, `The model '${id.slice(0, 256)}' does not exist, or this key may not use it.`, {
    param: "model",
    code: "model_not_found",
  });
}

/** POST /v1/embeddings, answered by the proxy or by the built-in embedder. */
export function createEmbeddings(
  { litellm }: Deps,
  caller: Caller,
  body: EmbeddingsBody,
  signal: AbortSignal,
): Promise<EmbeddingsAnswer> {
  return litellm.createEmbeddings(body, { caller, signal });
}
