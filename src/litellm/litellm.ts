import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics } from "../process/metrics.js";
import { badGateway, passedOnError } from "./apiErrors.js";
import { createBuiltIn } from "./builtIn.js";
import type { Clock } from "./clock.js";
import { systemClock } from "./clock.js";
import type { EmbeddingsAnswer, EmbeddingsBody, Litellm } from "./contract.js";
import { createEmbedders } from "./embedders.js";
import type { Gate } from "./gate.js";
import { createGate } from "./gate.js";
import { createChat } from "./chat.js";
import { createModels } from "./models.js";
import { createRerank } from "./rerank.js";
import { createVision } from "./vision.js";

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
