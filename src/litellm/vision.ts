import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { ApiError } from "../words/errors.js";
import { badGateway, passedOnError } from "./apiErrors.js";
import type { DescribePicture } from "./contract.js";
import { type GateDeps, createGate } from "./gate.js";

/** A page of text takes a model far longer than an embedding. */
const timeoutMs = 120_000;

const answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
});

export function createVision(config: EmbeddingConfig, baseUrl: string, deps: GateDeps): DescribePicture {
  const gate = createGate({ ...config, timeoutMs: Math.max(timeoutMs, config.timeoutMs) }, baseUrl, deps);
  return async ({ image, mediaType, model, prompt }, { signal }) => {
    const url = `data:${mediaType};base64,${Buffer.from(image).toString("base64")}`;
    const content = [
      { type: "text", text: prompt },
      { type: "image_url", image_url: { url } },
    ];
    const body = { model, messages: [{ role: "user", content }] };
    const outcome = await gate.ask(
      "vision",
      (client, each) => client.post("/chat/completions", { body, signal: each }),
      signal,
    );
    if ("failure" in outcome) {
      const error = passedOnError(outcome.failure);
      throw new ApiError(error.status, `The vision model '${model}': ${error.message}`, error.details);
    }
    const parsed = answer.safeParse(outcome.value);
    if (!parsed.success) throw badGateway(`The answer of the vision model '${model}' is not a chat completion.`);
    return parsed.data.choices[0]?.message.content ?? "";
  };
}
