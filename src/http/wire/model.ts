import { z } from "zod";
import { optional } from "./common.js";

const tokens = z.array(z.int().min(0)).min(1);

/** OpenAI's POST /v1/embeddings. Other fields are passed to the proxy too, because providers have their own. */
export const createEmbeddingsBody = z
  .looseObject({
    model: optional(z.string().min(1).max(256)),
    input: z.union(
      [
        z.string().min(1),
        z.array(z.string().min(1)).min(1).max(2048),
        tokens.max(100_000),
        z.array(tokens).min(1).max(2048),
      ],
      { error: "expected a string, an array of 1 to 2048 strings, or an array of token numbers, none of them empty" },
    ),
    encoding_format: optional(z.enum(["float", "base64"])),
    dimensions: optional(z.int().min(1).max(16_000)),
    user: optional(z.string().max(256)),
  })
  .meta({ id: "CreateEmbeddingsRequest" });

export const createEmbeddingsAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: "CreateEmbeddingsResponse" });

/** Express gives the segments of a path parameter that may contain slashes. */
export const modelParams = z.object({
  model: z
    .array(z.string())
    .transform((segments) => segments.join("/"))
    .meta({ type: "string", items: undefined })
    .describe("id of the model"),
});

export const modelAnswer = z
  .looseObject({ id: z.string(), object: z.literal("model"), created: z.int(), owned_by: z.string() })
  .meta({ id: "Model" });

export const modelsAnswer = z
  .object({ object: z.literal("list"), data: z.array(modelAnswer) })
  .meta({ id: "ModelList" });
