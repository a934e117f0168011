import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics } from "../process/metrics.js";
import { badGateway, passedOnError } from "./apiErrors.js";
import type { BreakerState } from "./breaker.js";
import { createBuiltIn } from "./builtIn.js";
import type { Clock } from "./clock.js";
import { systemClock } from "./clock.js";
import type { Embedder, ModelChoice } from "./embedder.js";
import { createEmbedders } from "./embedders.js";
import type { Gate } from "./gate.js";
import { createGate } from "./gate.js";
import { type Chat, createChat } from "./chat.js";
import { createModels } from "./models.js";
import { type Rerank, createRerank } from "./rerankRequest.js";
import { type DescribePicture, createVision } from "./vision.js";

/** The body of POST /v1/embeddings, already validated. Without `model` the configured one is meant. */
export interface EmbeddingsBody {
  readonly model?: string | undefined;
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  readonly encoding_format?: "float" | "base64" | undefined;
  readonly dimensions?: number | undefined;
  readonly user?: string | undefined;
}

/** OpenAI's list of embeddings; through the proxy it may carry more than is named here. */
export interface EmbeddingsAnswer {
  readonly object: "list";
  readonly data: readonly {
    readonly object: "embedding";
    readonly index: number;
    readonly embedding: readonly number[] | string;
  }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** The body of POST /v1/rerank (Cohere's), already validated. */
export interface RerankBody {
  readonly model: string;
  readonly [further: string]: unknown;
}

/** OpenAI's model object. `created` in Unix seconds; `mode`, `dimensions` and `max_input_tokens` where LiteLLM knows them. */
export interface Model {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  readonly [further: string]: unknown;
}

/** All this service asks of the LiteLLM proxy. Every function throws ApiError with a sentence of our own. */
export interface Litellm {
  /** With the model of the settings. */
  readonly embedder: Embedder;
  /**
   * The embedder of a store's own model, the same object for the same choice (of the last 100 used). Asks nothing yet.
   * @throws ApiError 400 without a proxy, for any model but the built-in one
   */
  readonly embedderFor: (choice: ModelChoice) => Embedder;
  /**
   * Numbers per vector that the model answers with when it is not asked for a length: found by embedding one short text
   * once, then remembered for the process.
   * @throws ApiError 400 naming `embedding_model` where the proxy refuses the model, 5xx as usual
   */
  readonly dimensionsOf: (model: string, options?: { signal?: AbortSignal }) => Promise<number>;
  /** POST /v1/embeddings for a caller who names the model: the proxy's answer unchanged, its refusals with their status. */
  readonly createEmbeddings: (body: EmbeddingsBody, options?: { signal?: AbortSignal }) => Promise<EmbeddingsAnswer>;
  readonly models: () => Promise<Model[]>;
  readonly embeddingModels: () => Promise<Model[]>;
  readonly visionModels: () => Promise<Model[]>;
  /** Of the last minute. */
  readonly rerankModels: () => Promise<Model[]>;
  /** How many tokens a model takes, where LiteLLM knows it. */
  readonly maxInputTokens: (model: string) => Promise<number | null>;
  readonly chat: Chat;
  readonly rerank: Rerank;
  /** POST /v1/rerank for a caller, as `createEmbeddings`. */
  readonly passRerank: (body: RerankBody, options: { signal: AbortSignal }) => Promise<object>;
  /** Fails where there is no proxy. */
  readonly describePicture: DescribePicture;
  /** `configured`: there is a proxy; `breaker`: of requests with the model of the settings. */
  readonly state: () => { readonly configured: boolean; readonly breaker: BreakerState };
}

/** The proxy at `config.baseUrl`, or the built-in embedder where there is none. Asks nothing until it is used. */
export function createLitellm(
  config: EmbeddingConfig,
  log: Log,
  metrics: Metrics,
  clock: Clock = systemClock,
): Litellm {
  const { baseUrl } = config;
  if (baseUrl === null) {
    log.warn("No LITELLM_PROXY_URL or EMBEDDING__BASE_URL: the built-in embedder compares words, not meaning");
    return createBuiltIn(config);
  }
  const deps = { log, metrics, clock };
  const { breaker, ...embedders } = createEmbedders(config, baseUrl, deps);
  // A caller who names a model whose deployment is down must not open the breaker of everybody's searches.
  const callersGate = createGate(config, baseUrl, deps);
  return {
    ...embedders,
    createEmbeddings: (body, options) =>
      passOn({ ...body, model: body.model ?? config.model }, callersGate, options?.signal),
    ...createModels(config, baseUrl, callersGate, clock),
    chat: createChat(config, baseUrl, deps),
    ...createRerank(config, baseUrl, deps),
    describePicture: createVision(config, baseUrl, deps),
    state: () => ({ configured: true, breaker: breaker() }),
  };
}

const answerShape = z.custom<EmbeddingsAnswer>(
  (answer) => typeof answer === "object" && answer !== null && "data" in answer && Array.isArray(answer.data),
);

/** Only looked at, never rebuilt: what the proxy added reaches the caller. */
async function passOn(body: EmbeddingsBody, gate: Gate, signal?: AbortSignal): Promise<EmbeddingsAnswer> {
  const outcome = await gate.ask(
    "embeddings",
    (client, each) => client.post("/embeddings", { body, signal: each }),
    signal,
  );
  if ("failure" in outcome) throw passedOnError(outcome.failure);
  const parsed = answerShape.safeParse(outcome.value);
  if (!parsed.success) throw badGateway("The LiteLLM proxy's answer is not a list of embeddings.");
  return parsed.data;
}
