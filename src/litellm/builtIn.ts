import { setImmediate } from "node:timers/promises";
import type { EmbeddingConfig } from "../config.js";
import { ApiError, invalid } from "../errors.js";
import { encodeBase64Floats } from "../float32.js";
import type { Embedder } from "./embedder.js";
import { hashText, wordsOf } from "./hashing.js";
import type { EmbeddingsAnswer, EmbeddingsBody, Litellm, Model } from "./litellm.js";

const model = "built-in-hashing";
/** Texts hashed before other work gets its turn: some 10 ms for chunks of ordinary size. */
const textsPerTurn = 32;

/** The variant without a proxy: everything is answered from here, by the hashing embedder. */
export function createBuiltIn(config: EmbeddingConfig): Litellm {
  const embed = (texts: readonly string[], signal?: AbortSignal) => hashTexts(texts, config.dimensions, signal);
  const embedder: Embedder = {
    model,
    dimensions: config.dimensions,
    builtIn: true,
    embed: (texts, options) => embed(texts, options?.signal),
    embedQuery: async (text, options) => {
      options?.signal?.throwIfAborted();
      return Promise.resolve(hashText(text, config.dimensions));
    },
  };
  const models: Model[] = [
    {
      id: model,
      object: "model",
      created: 0,
      owned_by: "built-in",
      mode: "embedding",
      dimensions: config.dimensions,
    },
  ];
  return {
    embedder,
    createEmbeddings: (body, options) => createEmbeddings(body, config, options?.signal),
    models: () => Promise.resolve(models),
    embeddingModels: () => Promise.resolve(models),
    visionModels: () => Promise.resolve([]),
    state: () => ({ configured: false, breaker: "closed" }),
  };
}

/** Of one answer: 60 MB as JSON, half a second of work. OpenAI's own limit of 2,048 inputs × 1,536 is within it. */
const mostNumbers = 4_000_000;

async function hashTexts(texts: readonly string[], dimensions: number, signal?: AbortSignal): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const text of texts) {
    if (vectors.length % textsPerTurn === 0) await setImmediate();
    signal?.throwIfAborted();
    vectors.push(hashText(text, dimensions));
  }
  return vectors;
}

/** OpenAI's answer to POST /v1/embeddings. @throws ApiError 400 for tokens in place of text, 404 for another model */
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
      `at most ${mostNumbers} numbers in one answer, and ${texts.length} × ${dimensions} are more`,
    );
  }
  const vectors = await hashTexts(texts, dimensions, signal);
  const tokens = texts.reduce((total, text) => total + wordsOf(text).length, 0);
  return {
    object: "list",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: body.encoding_format === "base64" ? encodeBase64Floats(vector) : Array.from(vector),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
