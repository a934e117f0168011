import type { VectorStore } from "../../db/tables/stores.js";
import { invalid } from "../../words/errors.js";
import type { Embedder } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";

/** What a store's embeddings are made with. */
export interface EmbeddingModel {
  /** Null: the model of the settings, whatever it is. */
  embeddingModel: string | null;
  embeddingDimensions: number;
  asksDimensions: boolean;
}

export const maxDimensions = 16_000;

/** What these functions need of a use case's. */
export type ModelDeps = Pick<Deps, "config" | "db" | "litellm">;

/**
 * The model of a new store: as asked for, else that of the settings. How many dimensions a model gives is found out from the model.
 * The built-in embedder as the settings have it is not recorded: whoever tries the service without a proxy and gives it one later means
 * the proxy's model.
 * @throws ApiError 400 naming `embedding_model` or `embedding_dimensions`; 5xx of the proxy.
 */
export async function chooseModel(
  deps: ModelDeps,
  caller: Caller,
  asked: { model: string | null; dimensions: number | null },
): Promise<EmbeddingModel> {
  const { embedding: settings } = deps.config;
  const { embedder } = deps.litellm;
  const own = asked.model !== null && asked.model !== settings.model && asked.model !== embedder.model;
  // Also where the dimensions are given: a misspelt name is to be told now, not by the first insertion.
  const native =
    own && asked.model !== null ? await deps.litellm.dimensionsOf(asked.model, { caller }) : settings.dimensions;
  const dimensions = asked.dimensions ?? native;
  const column = deps.db.layout.embeddings.dimensions;
  if (column !== null && dimensions !== column) {
    throw invalid(
      asked.dimensions === null && own ? "embedding_model" : "embedding_dimensions",
      `the embedding column of this database holds vectors of ${column} dimensions only, and these would have ${dimensions}`,
    );
  }
  const unsaid = embedder.builtIn && dimensions === settings.dimensions;
  const model = own ? asked.model : unsaid ? null : embedder.model;
  const asks = (!own && settings.dimensionsConfigured) || dimensions !== native;
  return { embeddingModel: model, embeddingDimensions: dimensions, asksDimensions: asks };
}

type Made = Pick<VectorStore, "embeddingModel" | "embeddingDimensions" | "asksDimensions">;

/** The model as it is shown and compared. */
export const modelName = (deps: ModelDeps, store: Made): string => store.embeddingModel ?? deps.litellm.embedder.model;

export const dimensionsOf = (deps: ModelDeps, store: Made): number =>
  store.embeddingDimensions ?? deps.config.embedding.dimensions;

/** What makes the vectors of a store's texts and queries. */
export function embedderOf(deps: ModelDeps, store: Made): Embedder {
  const { embedder } = deps.litellm;
  const dimensions = dimensionsOf(deps, store);
  if (store.embeddingModel === null && dimensions === embedder.dimensions) return embedder;
  const sendDimensions =
    store.embeddingModel === null ? deps.config.embedding.dimensionsConfigured : store.asksDimensions;
  return deps.litellm.embedderFor({ model: modelName(deps, store), dimensions, sendDimensions });
}

/** A writer who says which model made its vectors is told when it is another one than the store's. @throws ApiError 400 */
export function requireModel(deps: ModelDeps, store: Made, claimed: string | null, path: string): void {
  if (claimed === null || claimed === modelName(deps, store)) return;
  throw invalid(
    path,
    `these embeddings are of the model '${claimed}', and the vector store's are of '${modelName(deps, store)}' with ` +
      `${dimensionsOf(deps, store)} dimensions; vectors of two models cannot be compared`,
    "model_mismatch",
  );
}
