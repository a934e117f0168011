import { isDeepStrictEqual } from "node:util";
import { recordEmbeddedBy } from "../../db/tables/stores.js";
import type { Db } from "../../db/database.js";
import type { EmbedOptions, QueryOptions } from "../../litellm/contract.js";
import { directionProblem } from "../../numbers/float32.js";
import type { Caller } from "../../words/caller.js";
import { ApiError, TextError, unavailable } from "../../words/errors.js";
import { type Prompts, type Purpose, noPrompts, prefixOf } from "../../words/prompts.js";
import type { VectorStore } from "../../words/store.js";
import { type ModelDeps, embedderOf, modelInUse } from "./model.js";

/** What of a store decides how its texts are embedded. */
type Embedding = Pick<
  VectorStore,
  "embeddingModel" | "embeddingDimensions" | "asksDimensions" | "prompts" | "embeddedBy" | "chunkCount"
>;

/**
 * We count in OpenAI's tokens; the tokenizers of small models make up to a third more of the same text. So this share
 * of what a model reads is sent to it.
 */
const share = 0.75;

/**
 * How many tokens, by our count, a text for a store's model may have beside its prefix, and how many the model itself
 * says it reads.
 * @param counter loaded only if there is a limit and a prefix: the encoding is large
 * @returns null if LiteLLM does not know the model
 */
export async function tokenLimit(
  deps: ModelDeps,
  store: Embedding,
  purpose: Purpose,
  asking: { caller: Caller; signal: AbortSignal },
  counter: () => Promise<{ count: (text: string) => number }>,
): Promise<{ most: number; reads: number } | null> {
  const reads = await deps.litellm.maxInputTokens(modelInUse(deps, store), asking);
  if (reads === null) return null;
  const all = Math.floor(share * reads);
  const prefix = prefixOf(store.prompts ?? noPrompts, purpose);
  const taken = prefix === "" ? 0 : (await counter()).count(prefix);
  // Behind a prefix that leaves no room, the model itself refuses the text.
  return { most: Math.max(Math.ceil(all / 2), all - taken), reads };
}

/**
 * The vectors of texts that will be stored in a store.
 * @throws ApiError 409 `model_mismatch` if another model embedded the store's rows; TextError naming a text that the
 * model cannot read, or 502 for a vector that no search could find; as the model does
 */
export async function embedTexts(
  deps: ModelDeps,
  store: Embedding,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  requireComparable(deps, store);
  const embedder = embedderOf(deps, store);
  const vectors = await embedder.embed(texts, options);
  vectors.forEach((vector, i) => {
    if (options.ingesting?.refused.has(i) !== true) requireDirection(deps, vector, i, embedder.model);
  });
  return vectors;
}

/** The vector of a query for a search of a store. @throws as `embedTexts` */
export async function embedQuery(
  deps: ModelDeps,
  store: Embedding,
  text: string,
  options: QueryOptions,
): Promise<Float32Array> {
  requireComparable(deps, store);
  const embedder = embedderOf(deps, store);
  const vector = await embedder.embedQuery(text, options);
  requireDirection(deps, vector, 0, embedder.model);
  return vector;
}

function requireDirection({ engine }: ModelDeps, vector: Float32Array, index: number, model: string): void {
  const problem = directionProblem(vector, engine.can.lengths);
  if (problem === null) return;
  const message = `The embedding model '${model}' answered an unusable vector for this text: ${problem}.`;
  throw new TextError(index, 502, message, { code: "bad_gateway" });
}

/**
 * Refuses to compare vectors of two models, for a store whose rows were embedded here by another model than the one
 * that would be called now: the settings changed, or the proxy was added or taken away. Rows with the sender's own
 * vectors are not concerned.
 * @throws ApiError 409 `model_mismatch`
 */
export function requireComparable(deps: ModelDeps, store: Embedding): void {
  const { model } = embedderOf(deps, store);
  if (store.embeddedBy === null || store.embeddedBy === model || store.chunkCount === 0) return;
  throw mismatch(store.embeddedBy, model);
}

const mismatch = (before: string, now: string) =>
  new ApiError(
    409,
    `The texts of this vector store were embedded by the model '${before}', and new texts and queries would be embedded ` +
      `by '${now}'. Vectors of two models cannot be compared: create another vector store and add the documents and ` +
      `texts to it again, or set the service back to '${before}'. (Keyword search works without a model.)`,
    { code: "model_mismatch" },
  );

/**
 * Records the model with the first text that is embedded here, in the transaction that stores its vector.
 * @param store as the text was embedded
 * @throws ApiError 409 `model_mismatch` if another process recorded another model meanwhile; 503 if it learnt what the
 * model wants with its texts
 */
export async function bookModel(deps: ModelDeps, tx: Db, store: Embedding & { id: string }): Promise<void> {
  const { model } = embedderOf(deps, store);
  if (store.embeddedBy === model) return;
  const recorded = await recordEmbeddedBy(tx, store.id, model, store.embeddedBy);
  if (recorded.model !== model) throw mismatch(recorded.model, model);
  // The prefix of queries may change at any time: it concerns no stored vector.
  const ofDocuments = ({ documentPrefix, inputType }: Prompts) => ({ documentPrefix, inputType });
  const [now, then] = [recorded.prompts, store.prompts].map((prompts) => ofDocuments(prompts ?? noPrompts));
  if (isDeepStrictEqual(now, then)) return;
  throw unavailable("The proxy said meanwhile what the model wants with its texts. Try again.", {
    retryAfterSeconds: 1,
  });
}
