import type { Embedder } from "../../litellm/contract.js";
import { invalid } from "../../words/errors.js";
import { type Prompts, isNoPrompts } from "../../words/prompts.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";

/** The model of a store's embeddings, as recorded. */
export interface EmbeddingModel {
  /** Null: the model of the settings, whatever it is. */
  embeddingModel: string | null;
  embeddingDimensions: number;
  asksDimensions: boolean;
  prompts: Prompts | null;
}

export type ModelDeps = Pick<Deps, "config" | "engine" | "litellm">;

type Made = Pick<VectorStore, "embeddingModel" | "embeddingDimensions" | "asksDimensions" | "prompts">;

/** The model's name as shown and compared: the one that embedded the store's rows, or else will embed its texts. */
export const modelName = (deps: ModelDeps, store: Made & Pick<VectorStore, "embeddedBy" | "chunkCount">): string =>
  store.chunkCount > 0 && store.embeddedBy !== null ? store.embeddedBy : chosenModel(deps, store);

/** The model that embeds new texts and queries. */
export const modelInUse = (deps: ModelDeps, store: Made): string => embedderOf(deps, store).model;

const chosenModel = (deps: ModelDeps, store: Made): string => store.embeddingModel ?? deps.litellm.embedder.model;

/** Numbers per vector of a store; the settings' for an adopted store that has no vectors yet. */
export const dimensionsOf = (deps: ModelDeps, store: Made): number =>
  store.embeddingDimensions ?? deps.config.embedding.dimensions;

/** The embedder for a store's texts and queries. */
export function embedderOf(deps: ModelDeps, store: Made): Embedder {
  const { embedder } = deps.litellm;
  const dimensions = dimensionsOf(deps, store);
  const prompts = store.prompts === null || isNoPrompts(store.prompts) ? undefined : store.prompts;
  if (store.embeddingModel === null && dimensions === embedder.dimensions && prompts === undefined) return embedder;
  const sendDimensions =
    store.embeddingModel === null ? deps.config.embedding.dimensionsConfigured : store.asksDimensions;
  return deps.litellm.embedderFor({ model: chosenModel(deps, store), dimensions, sendDimensions, prompts });
}

/** Refuses embeddings that, according to their sender, another model made. @throws ApiError 400 `model_mismatch` */
export function requireModel(
  deps: ModelDeps,
  store: Parameters<typeof modelName>[1],
  claimed: string | null,
  path: string,
): void {
  if (claimed === null || claimed === modelName(deps, store)) return;
  throw invalid(
    path,
    `these embeddings are of the model '${claimed}', and the vector store's are of '${modelName(deps, store)}' with ` +
      `${dimensionsOf(deps, store)} dimensions; vectors of two models cannot be compared`,
    "model_mismatch",
  );
}

/** Refuses files whose sender takes the store for one with another model. @throws ApiError 400 `model_mismatch` */
export function requireSameModel(deps: ModelDeps, store: Parameters<typeof modelName>[1], named: string | null): void {
  if (named === null || named === modelName(deps, store)) return;
  throw invalid(
    "embedding_model",
    `the vector store's model is '${modelName(deps, store)}'; a store's files cannot have another`,
    "model_mismatch",
  );
}
