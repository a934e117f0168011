import type { ModelTrial } from "../../litellm/contract.js";
import type { Caller } from "../../words/caller.js";
import { ApiError, invalid } from "../../words/errors.js";
import { type AskedPrompts, isNoPrompts, noPrompts } from "../../words/prompts.js";
import type { EmbeddingModel, ModelDeps } from "./model.js";

/** What a request says about a new store's model. Null: it does not say. */
export interface AskedModel {
  model: string | null;
  dimensions: number | null;
  /** What the store's metadata says, where the request itself says nothing. NaN: not a whole number. */
  inMetadata?: { model: string | null; dimensions: number | null };
  prompts?: AskedPrompts | undefined;
}

interface ChosenModel extends EmbeddingModel {
  /** Why the model could not be called with the asked dimensions; null: they fit, or nobody asked. */
  untried: ApiError | null;
  /** Sentences on what could not be learnt, or has no effect. */
  warnings: string[];
}

/**
 * Chooses the model of a new store: the requested one, else the one in its metadata, else the settings'. Metadata is
 * the user's own and may mean something else: what cannot be used of it never refuses a store (`metadataWarnings` names
 * it).
 * @throws ApiError 400 naming `embedding_model` or `embedding_dimensions`; 5xx of the proxy, if the request names a
 * model without dimensions
 */
export async function chooseModel(deps: ModelDeps, caller: Caller, asked: AskedModel): Promise<ChosenModel> {
  const { model, dimensions, inMetadata = { model: null, dimensions: null } } = asked;
  const named = model ?? inMetadata.model;
  const wishes = [
    { model: named, dimensions: dimensions ?? inMetadata.dimensions },
    { model: named, dimensions },
  ];
  for (const wish of wishes) {
    if (wish.model === model && wish.dimensions === dimensions) break;
    try {
      return await chooseFor(deps, caller, wish, asked.prompts);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  return chooseFor(deps, caller, { model, dimensions }, asked.prompts);
}

/**
 * The dimensions of a requested model are found by calling it, and asked dimensions are tried. The built-in embedder
 * with the settings' dimensions is not recorded: an operator who starts without a proxy and adds one later wants the
 * proxy's model.
 */
async function chooseFor(
  deps: ModelDeps,
  caller: Caller,
  asked: { model: string | null; dimensions: number | null },
  askedPrompts: AskedPrompts = {},
): Promise<ChosenModel> {
  checkDimensions(deps, asked.dimensions);
  const { embedding: settings } = deps.config;
  const { embedder } = deps.litellm;
  const own = asked.model !== null && asked.model !== settings.model && asked.model !== embedder.model;
  const name = own && asked.model !== null ? asked.model : embedder.model;
  const known = await deps.litellm.promptsOf(name, { caller });
  const prompts = { ...known.prompts, ...askedPrompts };
  const trial = { model: name, dimensions: asked.dimensions, prompts };
  const measured = await measure(deps, caller, trial, own ? null : settings.dimensions);
  const { dimensions } = measured;
  const only = deps.engine.can.fixedDimensions;
  if (only !== null && dimensions !== only) {
    throw invalid(
      asked.dimensions === null && own ? "embedding_model" : "embedding_dimensions",
      `the engine '${deps.engine.name}' of this server holds vectors of ${only} dimensions only, and these would have ${dimensions}`,
    );
  }
  const unsaid = embedder.builtIn && dimensions === settings.dimensions;
  // Nobody can say yet what the model wants, or that of a later proxy: the first text settles it.
  const open = (unsaid || (!known.learnt && isNoPrompts(known.prompts))) && Object.keys(askedPrompts).length === 0;
  return {
    embeddingModel: own ? asked.model : unsaid ? null : embedder.model,
    embeddingDimensions: dimensions,
    asksDimensions: (!own && settings.dimensionsConfigured) || measured.asks,
    prompts: open ? null : prompts,
    untried: measured.untried,
    warnings: promptWarnings(name, embedder.builtIn, { away: known.away, open }, askedPrompts),
  };
}

function promptWarnings(
  model: string,
  builtIn: boolean,
  { away, open }: { away: boolean; open: boolean },
  asked: AskedPrompts,
): string[] {
  const said = Object.keys(asked).length;
  if (builtIn && said > 0) {
    return ["query_prefix, document_prefix and input_type have no effect: the built-in embedder has no use for them"];
  }
  if (!away || said === Object.keys(noPrompts).length) return [];
  const then = open
    ? "it is asked again with the first text; if that fails too, no query_prefix, document_prefix or input_type is used"
    : "if it needs more of query_prefix, document_prefix and input_type, name them, or create the store again once the " +
      "proxy answers";
  return [`the proxy could not be asked what the model '${model}' wants with its texts: ${then}`];
}

/** `asks`: whether requests must ask for that many dimensions. */
interface Measured extends Pick<ChosenModel, "untried"> {
  dimensions: number;
  asks: boolean;
}

/**
 * Calls the model even if dimensions are given, so that a misspelt name fails now and not at the first insertion.
 * @param usual the dimensions of the settings' model, which nobody has to try; null: of another model
 */
async function measure(deps: ModelDeps, caller: Caller, trial: ModelTrial, usual: number | null): Promise<Measured> {
  const { dimensions } = trial;
  const natively = () =>
    deps.litellm.dimensionsOf({ ...trial, dimensions: null }, { caller, briefly: dimensions !== null });
  if (dimensions === null) return { dimensions: usual ?? (await natively()), asks: false, untried: null };
  return measureAsked(deps, caller, { ...trial, dimensions }, natively);
}

/** @throws ApiError 400 if the model answers vectors of another length even if asked for this one */
async function measureAsked(
  deps: ModelDeps,
  caller: Caller,
  trial: ModelTrial & { dimensions: number },
  natively: () => Promise<number>,
): Promise<Measured> {
  const { model, dimensions } = trial;
  try {
    if ((await natively()) === dimensions) return { dimensions, asks: false, untried: null };
    const answered = await deps.litellm.dimensionsOf(trial, { caller });
    if (answered === dimensions) return { dimensions, asks: true, untried: null };
    throw invalid(
      "embedding_dimensions",
      `the model '${model}' answers vectors of ${answered} dimensions when it is asked for ${dimensions}`,
    );
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 500) throw error;
    return { dimensions, asks: true, untried: error };
  }
}

/** @throws ApiError 400 */
function checkDimensions({ engine }: ModelDeps, dimensions: number | null): void {
  const { maxDimensions: most } = engine.can;
  if (dimensions === null || (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= most)) return;
  throw invalid("embedding_dimensions", dimensions > most ? `must be at most ${most}` : "must be at least 1");
}
