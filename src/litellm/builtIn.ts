import { LRUCache } from "lru-cache";
import type { EmbeddingConfig } from "../process/config.js";
import { DocumentError } from "../words/document.js";
import { ApiError, invalid } from "../words/errors.js";
import { noPrompts } from "../words/prompts.js";
import { encodeBase64Floats } from "../numbers/float32.js";
import type { AccountOf } from "./account.js";
import type { Embedder, EmbeddingsAnswer, EmbeddingsBody, Litellm, Model, ModelChoice } from "./contract.js";
import { builtInModel as model, hashAll, hashingEmbedder } from "./hashingEmbedder.js";

/**
 * The variant without a proxy: the hashing embedder answers everything. `accountOf` still refuses calls of `nobody`.
 */
export function createBuiltIn(config: EmbeddingConfig, accountOf: AccountOf): Litellm {
  const embedder = hashingEmbedder(config.dimensions, accountOf);
  // Cached only so that the same choice gives the same object; a hashing embedder has no state.
  const others = new LRUCache<number, Embedder>({
    max: 100,
    memoMethod: (dimensions) => hashingEmbedder(dimensions, accountOf),
  });
  /** Stores may name the settings' model, which means the built-in embedder while there is no proxy. */
  const check = (name: string) => {
    if (name === model || name === config.model) return;
    throw invalid(
      "embedding_model",
      `'${name}' needs a proxy, and none is configured (LITELLM_PROXY_URL); without one only '${model}' exists`,
    );
  };
  const known: Model[] = [
    {
      id: model,
      object: "model",
      created: 0,
      owned_by: "built-in",
      mode: "embedding",
      dimensions: config.dimensions,
    },
  ];
  const list =
    (models: Model[]): Litellm["models"] =>
    async ({ caller }) => {
      accountOf(caller);
      return Promise.resolve(models);
    };
  return {
    embedder,
    embedderFor: ({ model: name, dimensions }: ModelChoice) => {
      check(name);
      return dimensions === config.dimensions ? embedder : others.memo(dimensions);
    },
    dimensionsOf: async ({ model: name, dimensions }, { caller, signal }) => {
      accountOf(caller);
      signal?.throwIfAborted();
      check(name);
      return Promise.resolve(dimensions ?? config.dimensions);
    },
    promptsOf: () => Promise.resolve({ prompts: noPrompts, learnt: true, away: false }),
    createEmbeddings: async (body, { caller, signal }) => {
      accountOf(caller);
      return createEmbeddings(body, config, signal);
    },
    models: list(known),
    embeddingModels: list(known),
    visionModels: list([]),
    chatModels: list([]),
    rerankModels: list([]),
    maxInputTokens: () => Promise.resolve(null),
    chat: { complete: noProxy(null), stream: noProxy(null) },
    rerank: noProxy("rerank_model"),
    passRerank: noProxy("model"),
    describePicture: () =>
      Promise.reject(
        new DocumentError(
          "unsupported_file",
          "Reading pictures needs a vision model, and there is no proxy to call one. Set LITELLM_PROXY_URL.",
        ),
      ),
    state: () => ({ configured: false, breaker: "closed" }),
  };
}

const noProxy = (param: string | null) => () =>
  Promise.reject(invalid(param, "there is no LiteLLM proxy to ask for a model; set LITELLM_PROXY_URL"));

/** Numbers in one answer: 60 MB as JSON, half a second of work. OpenAI's limit of 2,048 inputs × 1,536 is below it. */
const mostNumbers = 4_000_000;

/** OpenAI's answer to POST /v1/embeddings. @throws ApiError 400 for tokens instead of text, 404 for another model */
async function createEmbeddings(
  body: EmbeddingsBody,
  config: EmbeddingConfig,
  signal?: AbortSignal,
): Promise<EmbeddingsAnswer> {
  if (body.model !== undefined && body.model !== model && body.model !== config.model) {
    throw new ApiError(404, `The model '${body.model}' does not exist; the built-in one is '${model}'.`, {
      param: "model",
      code: "model_not_found",
    });
  }
  const texts = (typeof body.input === "string" ? [body.input] : body.input).map((each) => {
    if (typeof each !== "string") throw invalid("input", "the built-in embedder reads text only, not tokens");
    return each;
  });
  const dimensions = body.dimensions ?? config.dimensions;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 16_000) {
    throw invalid("dimensions", "must be a whole number from 1 to 16000");
  }
  if (texts.length * dimensions > mostNumbers) {
    throw invalid(
      "input",
      `one answer may hold ${mostNumbers} numbers, and ${texts.length} texts × ${dimensions} dimensions are more`,
    );
  }
  const hashed = await hashAll(texts, dimensions, signal);
  const tokens = hashed.reduce((total, { words }) => total + words, 0);
  return {
    object: "list",
    data: hashed.map(({ vector }, index) => ({
      object: "embedding",
      index,
      embedding: body.encoding_format === "base64" ? encodeBase64Floats(vector) : Array.from(vector),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
