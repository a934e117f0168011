import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { badGateway, serviceError } from "./apiErrors.js";
import type { Clock } from "./clock.js";
import type { Litellm, Model } from "./contract.js";
import type { Gate } from "./gate.js";

const modelList = z.object({
  data: z.array(
    z.looseObject({
      id: z.string(),
      object: z.literal("model").catch("model"),
      created: z.number().catch(0),
      owned_by: z.string().catch(""),
    }),
  ),
});

/** Unknown and null alike are absent: LiteLLM fills these from a table that knows not every model. */
const optional = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const modelInfo = z.object({
  data: z.array(
    z.object({
      model_name: z.string(),
      model_info: z
        .object({
          mode: optional(z.string()),
          supports_vision: optional(z.boolean()),
          output_vector_size: optional(z.number()),
          max_input_tokens: optional(z.number()),
        })
        .catch({}),
    }),
  ),
});
const rememberedMs = 60_000;
type Info = z.output<typeof modelInfo>["data"][number]["model_info"];

/**
 * The proxy's models: `/v1/models` as it is, and LiteLLM's `/model/info` (outside `/v1`) by what a model can do. A server
 * without `/model/info` is no LiteLLM: then the configured model, if listed, is taken for the only embedding model.
 */
export function createModels(
  config: EmbeddingConfig,
  baseUrl: string,
  gate: Gate,
  clock: Clock,
): Pick<Litellm, "models" | "embeddingModels" | "visionModels" | "rerankModels" | "maxInputTokens"> {
  async function get<T>(path: string, shape: z.ZodType<T>): Promise<T | "absent"> {
    const outcome = await gate.ask("models", (client, signal) => client.get(`${baseUrl}${path}`, { signal }));
    if ("failure" in outcome && outcome.failure.status === 404) return "absent";
    if ("failure" in outcome) throw serviceError(outcome.failure, { model: config.model, namedBy: "settings" });
    const parsed = shape.safeParse(outcome.value);
    if (!parsed.success) throw badGateway(`The LiteLLM proxy's answer to GET ${path} is not a list of models.`);
    return parsed.data;
  }

  async function models(): Promise<Model[]> {
    const list = await get("/v1/models", modelList);
    if (list === "absent") throw badGateway("The embedding provider has no GET /v1/models. Check EMBEDDING__BASE_URL.");
    return list.data;
  }

  type Described = z.output<typeof modelInfo>["data"];
  /** Asked for with every reranked search and every answer; that a model was added may be seen this much later. */
  let recent: { list: Promise<Described | null>; at: number } | null = null;
  /** null when the server has no `/model/info`. */
  function describedModels(maxAgeMs: number): Promise<Described | null> {
    if (recent !== null && clock.now() - recent.at < maxAgeMs) return recent.list;
    const asked = {
      list: get("/model/info", modelInfo).then((list) => (list === "absent" ? null : list.data)),
      at: clock.now(),
    };
    recent = asked;
    asked.list.catch(() => {
      if (recent === asked) recent = null;
    });
    return asked.list;
  }

  /** null when the server has no `/model/info`. Deployments of one name are one model. */
  async function modelsWith(ability: (info: Info) => boolean, maxAgeMs = 0): Promise<Model[] | null> {
    const list = await describedModels(maxAgeMs);
    if (list === null) return null;
    const found = new Map<string, Model>();
    for (const { model_name: id, model_info: info } of list) {
      if (ability(info) && !found.has(id)) found.set(id, describe(id, info));
    }
    return [...found.values()];
  }

  return {
    models,
    embeddingModels: async () =>
      (await modelsWith((info) => info.mode === "embedding")) ??
      (await models()).filter((model) => model.id === config.model),
    visionModels: async () => (await modelsWith((info) => info.supports_vision === true)) ?? [],
    rerankModels: async () => (await modelsWith((info) => info.mode === "rerank", rememberedMs)) ?? [],
    maxInputTokens: async (model) => {
      // That the window is not known is no reason not to ask the model.
      const list = await describedModels(rememberedMs).catch(() => null);
      const windows = (list ?? [])
        .filter((each) => each.model_name === model)
        .map((each) => each.model_info.max_input_tokens ?? Infinity);
      const smallest = Math.min(Infinity, ...windows);
      return smallest === Infinity || smallest < 1 ? null : smallest;
    },
  };
}

function describe(id: string, info: Info): Model {
  return {
    id,
    object: "model",
    created: 0,
    owned_by: "litellm",
    ...(info.mode !== undefined && { mode: info.mode }),
    ...(info.output_vector_size !== undefined && { dimensions: info.output_vector_size }),
    ...(info.max_input_tokens !== undefined && { max_input_tokens: info.max_input_tokens }),
  };
}
