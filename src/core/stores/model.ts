import type { Embedder } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import { ApiError, invalid } from "../../words/errors.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";

/** The model of a store's embeddings, as recorded. */
export interface EmbeddingModel {
  /** Null: the model of the settings, whatever it is. */
  embeddingModel: string | null;
  embeddingDimensions: number;
  asksDimensions: boolean;
}

/** What a request says about a new store's model. Null: it does not say. */
export interface AskedModel {
  model: string | null;
  dimensions: number | null;
  /** What the store's metadata says, where the request itself says nothing. NaN: not a whole number. */
  inMetadata?: { model: string | null; dimensions: number | null };
}

export type ModelDeps = Pick<Deps, "config" | "engine" | "litellm">;

/**
 * Chooses the model of a new store: the requested one, else the one in its metadata, else the settings'. Metadata is
 * the user's own and may mean something else: what cannot be used of it never refuses a store (`metadataWarnings` names
 * it).
 * @throws ApiError 400 naming `embedding_model` or `embedding_dimensions`; 5xx of the proxy.
 */
export async function chooseModel(deps: ModelDeps, caller: Caller, asked: AskedModel): Promise<EmbeddingModel> {
  const { model, dimensions, inMetadata = { model: null, dimensions: null } } = asked;
  const named = model ?? inMetadata.model;
  const wishes = [
    { model: named, dimensions: dimensions ?? inMetadata.dimensions },
    { model: named, dimensions },
  ];
  for (const wish of wishes) {
    if (wish.model === model && wish.dimensions === dimensions) break;
    try {
      return await chooseFor(deps, caller, wish);
    } catch (error) {
      if (!(error instanceof ApiError) || !callersFault.includes(error.status)) throw error;
    }
  }
  return chooseFor(deps, caller, { model, dimensions });
}

/** The model is unknown or not allowed, or has other dimensions. */
const callersFault = [400, 403, 404];

/**
 * The dimensions of a requested model are found by calling it. The built-in embedder with the settings' dimensions is
 * not recorded: an operator who starts without a proxy and adds one later wants the proxy's model.
 */
async function chooseFor(
  deps: ModelDeps,
  caller: Caller,
  asked: { model: string | null; dimensions: number | null },
): Promise<EmbeddingModel> {
  checkDimensions(deps, asked.dimensions);
  const { embedding: settings } = deps.config;
  const { embedder } = deps.litellm;
  const own = asked.model !== null && asked.model !== settings.model && asked.model !== embedder.model;
  // Call the model even if the dimensions are given, so that a misspelt name fails now and not at the first insertion.
  const native =
    own && asked.model !== null ? await deps.litellm.dimensionsOf(asked.model, { caller }) : settings.dimensions;
  const dimensions = asked.dimensions ?? native;
  const only = deps.engine.can.fixedDimensions;
  if (only !== null && dimensions !== only) {
    throw invalid(
      asked.dimensions === null && own ? "embedding_model" : "embedding_dimensions",
      `the engine '${deps.engine.name}' of this server holds vectors of ${only} dimensions only, and these would have ${dimensions}`,
    );
  }
  const unsaid = embedder.builtIn && dimensions === settings.dimensions;
  const model = own ? asked.model : unsaid ? null : embedder.model;
  const asks = (!own && settings.dimensionsConfigured) || dimensions !== native;
  return { embeddingModel: model, embeddingDimensions: dimensions, asksDimensions: asks };
}

/** @throws ApiError 400 */
function checkDimensions({ engine }: ModelDeps, dimensions: number | null): void {
  const { maxDimensions: most } = engine.can;
  if (dimensions === null || (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= most)) return;
  throw invalid("embedding_dimensions", dimensions > most ? `must be at most ${most}` : "must be at least 1");
}

type Made = Pick<VectorStore, "embeddingModel" | "embeddingDimensions" | "asksDimensions">;

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
  if (store.embeddingModel === null && dimensions === embedder.dimensions) return embedder;
  const sendDimensions =
    store.embeddingModel === null ? deps.config.embedding.dimensionsConfigured : store.asksDimensions;
  return deps.litellm.embedderFor({ model: chosenModel(deps, store), dimensions, sendDimensions });
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
