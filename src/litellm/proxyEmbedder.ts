import type { EmbeddingConfig } from "../config.js";
import { invalid } from "../errors.js";
import { mapConcurrently } from "./abort.js";
import { serviceError } from "./apiErrors.js";
import { bytesPerRequest, splitIntoBatches, tokensPerRequest } from "./batches.js";
import type { Clock } from "./clock.js";
import type { Embedder } from "./embedder.js";
import type { Failure } from "./failures.js";
import { isTooLarge, isTooMany, refusesDimensions, refusesEncoding } from "./failures.js";
import type { Gate } from "./gate.js";
import { joinQueries } from "./joinedQueries.js";
import { readVectors } from "./vectors.js";

/** Requests of one `embed` call under way at the same time. */
const concurrency = 4;

/**
 * The Embedder that asks the proxy. It learns from refusals, for as long as the process lives: not to send `dimensions` or
 * `encoding_format`, and how many texts at most.
 */
export function createProxyEmbedder(config: EmbeddingConfig, gate: Gate, clock: Clock): Embedder {
  const { model, dimensions } = config;
  let sendDimensions = config.dimensionsConfigured;
  let encoding: "base64" | "float" | undefined = "base64";
  let count = config.batchSize;

  async function request(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const body = {
      model,
      // Providers refuse an empty text, and with it the whole batch; a space is the nearest text to nothing.
      input: texts.map((text) => (text === "" ? " " : text)),
      // Always explicit: left out, the client's own method asks for base64 and decodes it to an array of numbers.
      ...(encoding && { encoding_format: encoding }),
      ...(sendDimensions && { dimensions }),
    };
    const outcome = await gate.ask((client, each) => client.post("/embeddings", { body, signal: each }), signal);
    if ("value" in outcome) return readVectors(outcome.value, texts.length, model, dimensions);
    const { failure } = outcome;
    if (learn(failure, body)) return request(texts, signal);
    if (!isTooLarge(failure)) throw serviceError(failure, model);
    if (texts.length <= 1) {
      throw invalid(
        "input",
        `A text is longer than the embedding model '${model}' accepts.`,
        "context_length_exceeded",
      );
    }
    const half = Math.ceil(texts.length / 2);
    // One after the other: where every text is refused, the first single one ends it.
    const first = await request(texts.slice(0, half), signal);
    // Learned from success alone: one text too long, refused in the same words, must not shrink every later request.
    if (isTooMany(failure)) count = Math.min(count, half);
    return [...first, ...(await request(texts.slice(half), signal))];
  }

  /** Whether the refusal is about a parameter that can be left out from now on. */
  function learn(failure: Failure, sent: { encoding_format?: "base64" | "float"; dimensions?: number }): boolean {
    if (sent.encoding_format !== undefined && refusesEncoding(failure)) {
      encoding = sent.encoding_format === "base64" ? "float" : undefined;
      return true;
    }
    if (sent.dimensions !== undefined && refusesDimensions(failure)) {
      sendDimensions = false;
      return true;
    }
    return false;
  }

  const embed: Embedder["embed"] = async (texts, { signal } = {}) => {
    const batches = splitIntoBatches(texts, { count, tokens: tokensPerRequest, bytes: bytesPerRequest });
    const vectors = await mapConcurrently(batches, concurrency, request, signal);
    return vectors.flat();
  };

  return {
    model,
    dimensions,
    builtIn: false,
    embed,
    embedQuery: joinQueries(async (text, signal) => {
      const [vector] = await request([text], signal);
      if (vector === undefined) throw new Error("readVectors returns one vector per text");
      return vector;
    }, clock),
  };
}
