import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { ApiError } from "../words/errors.js";
import type { AccountOf } from "./account.js";
import { passedOnError } from "./apiErrors.js";
import type { DescribePicture } from "./contract.js";
import type { GateDeps } from "./gate.js";
import { badGateway } from "./gatewayErrors.js";
import { createGates } from "./gates.js";

const answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
});

/**
 * Descriptions of pictures by a vision model of the proxy, through /chat/completions, each attempt within
 * VISION_TIMEOUT_SECONDS.
 */
export function createVision(
  config: EmbeddingConfig,
  baseUrl: string,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): DescribePicture {
  const gateOf = createGates({ ...config, timeoutMs: config.visionTimeoutMs }, baseUrl, deps);
  return async ({ image, mediaType, model, prompt }, { caller, signal }) => {
    const account = accountOf(caller);
    const url = `data:${mediaType};base64,${Buffer.from(image).toString("base64")}`;
    const content = [
      { type: "text", text: prompt },
      { type: "image_url", image_url: { url } },
    ];
    const body = { model, messages: [{ role: "user", content }] };
    const outcome = await gateOf(model).ask(
      "vision",
      (client, options) => client.post("/chat/completions", { ...options, body }),
      { account, signal, about: [url] },
    );
    if ("failure" in outcome) {
      const error = passedOnError(outcome.failure, account, asked);
      throw new ApiError(error.status, `The vision model '${model}': ${error.message}`, error.details);
    }
    const parsed = answer.safeParse(outcome.value);
    if (!parsed.success) throw badGateway(`The answer of the vision model '${model}' is not a chat completion.`);
    return parsed.data.choices[0]?.message.content ?? "";
  };
}

const asked = {
  provider: "The vision model's provider",
  purpose: "reading pictures",
  timeLimit: "VISION_TIMEOUT_SECONDS",
  texts: null,
};
