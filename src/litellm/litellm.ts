import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics } from "../process/metrics.js";
import type { Payer } from "../words/caller.js";
import { type StandIn, createAccounts } from "./account.js";
import { embedding, passedOnError } from "./apiErrors.js";
import { createBuiltIn } from "./builtIn.js";
import { createChat } from "./chat.js";
import type { Clock } from "./clock.js";
import { systemClock } from "./clock.js";
import type { EmbeddingsAnswer, EmbeddingsBody, Litellm } from "./contract.js";
import { createEmbedders } from "./embedders.js";
import { isTooLong } from "./failures.js";
import type { Gate, Sending } from "./gate.js";
import { badGateway } from "./gatewayErrors.js";
import { createGates } from "./gates.js";
import { createModels } from "./models.js";
import { createRerank } from "./rerank.js";
import { createVision } from "./vision.js";

/**
 * The proxy at `config.baseUrl`, or the built-in embedder if that is null. Makes no request until used.
 * @param standInFor as `createAccounts`
 */
export function createLitellm(
  config: EmbeddingConfig,
  log: Log,
  metrics: Metrics,
  clock: Clock = systemClock,
  standInFor: ((payer: Payer) => StandIn) | null = null,
): Litellm {
  const { baseUrl } = config;
  const accountOf = createAccounts(config.apiKey, standInFor);
  if (baseUrl === null) {
    log.warn("No LITELLM_PROXY_URL or EMBEDDING__BASE_URL: the built-in embedder compares words, not meaning");
    return createBuiltIn(config, accountOf);
  }
  const deps = { log, metrics, clock, accountOf };
  const { breaker, ...embedders } = createEmbedders(config, baseUrl, deps);
  // Separate from the embedders' gates: a caller who sends bad requests to a model must not open the breaker for
  // everybody's searches.
  const gateOf = createGates(config, baseUrl, deps);
  return {
    ...embedders,
    createEmbeddings: async (body, { caller, signal }) => {
      const model = body.model ?? config.model;
      return passOn({ ...body, model }, gateOf(model), { account: accountOf(caller), signal });
    },
    ...createModels(config, baseUrl, deps),
    chat: createChat(config, baseUrl, deps),
    ...createRerank(config, baseUrl, deps),
    describePicture: createVision(config, baseUrl, deps),
    state: () => ({ configured: true, breaker: breaker() }),
  };
}

const answerShape = z.custom<EmbeddingsAnswer>(
  (answer) => typeof answer === "object" && answer !== null && "data" in answer && Array.isArray(answer.data),
);

/** Checks the answer without rebuilding it, so what the proxy added reaches the caller. */
async function passOn(body: EmbeddingsBody, gate: Gate, sending: Sending): Promise<EmbeddingsAnswer> {
  const outcome = await gate.ask("embeddings", (client, options) => client.post("/embeddings", { ...options, body }), {
    about: [body.input].flat().filter((text) => typeof text === "string"),
    ...sending,
  });
  if ("failure" in outcome) {
    const texts = isTooLong(outcome.failure) ? nameOfLongest(body.input) : "input";
    throw passedOnError(outcome.failure, sending.account, { ...embedding, texts });
  }
  const parsed = answerShape.safeParse(outcome.value);
  if (!parsed.success) throw badGateway("The LiteLLM proxy's answer is not a list of embeddings.");
  return parsed.data;
}

/** Of several texts, the one that a model most probably found too long. Asking for each alone would cost money. */
function nameOfLongest(input: EmbeddingsBody["input"]): string {
  if (typeof input === "string" || input.length < 2 || typeof input[0] === "number") return "input";
  const lengths = input.map((each) => (typeof each === "number" ? 0 : each.length));
  return `input[${lengths.indexOf(Math.max(...lengths))}]`;
}
