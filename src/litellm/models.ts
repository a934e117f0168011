import type { EmbeddingConfig } from "../process/config.js";
import { type Prompts, noPrompts } from "../words/prompts.js";
import type { AccountOf } from "./account.js";
import type { Litellm, Model } from "./contract.js";
import type { GateDeps } from "./gate.js";
import { knownPrompts } from "./knownPrompts.js";
import { type Described, createModelLists, rememberedMs } from "./modelLists.js";

type Info = Described[number]["model_info"];

/**
 * The models that an account may use: `/v1/models` unchanged, and LiteLLM's `/model/info` (outside `/v1`), filtered by
 * what a model can do. A server without `/model/info` is not LiteLLM; then the configured model, if listed, counts as
 * the only embedding model.
 */
export function createModels(
  config: EmbeddingConfig,
  baseUrl: string,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Pick<
  Litellm,
  "models" | "embeddingModels" | "visionModels" | "chatModels" | "rerankModels" | "maxInputTokens" | "promptsOf"
> {
  const { listModels, describedModels, knownModels } = createModelLists(config, baseUrl, deps);

  return {
    models: async ({ caller, signal }) => listModels({ account: accountOf(caller), signal }),
    embeddingModels: async ({ caller, signal }) => {
      const account = accountOf(caller);
      const described = await describedModels(account, 0, signal);
      if (described !== null) return modelsWith(described, (info) => info.mode === "embedding");
      return (await listModels({ account, signal })).filter((model) => model.id === config.model);
    },
    visionModels: async ({ caller, signal }) =>
      modelsWith(await describedModels(accountOf(caller), 0, signal), (info) => info.supports_vision === true),
    chatModels: async ({ caller, signal }) =>
      modelsWith(await describedModels(accountOf(caller), rememberedMs, signal), (info) => info.mode === "chat"),
    rerankModels: async ({ caller, signal }) =>
      modelsWith(await describedModels(accountOf(caller), rememberedMs, signal), (info) => info.mode === "rerank"),
    maxInputTokens: async (model, { caller, signal }) => {
      // An unknown window must not prevent the model call.
      const known = await knownModels(accountOf(caller), { signal });
      return smallestWindow(known === "absent" ? [] : (known ?? []), model);
    },
    promptsOf: async (model, { caller, signal, insist }) => {
      const account = accountOf(caller);
      signal?.throwIfAborted();
      const set = model === config.model ? config.prompts : {};
      if (Object.keys(noPrompts).every((name) => Object.hasOwn(set, name)))
        return { prompts: { ...noPrompts, ...set }, learnt: true, away: false };
      const described = await knownModels(account, { signal, insist });
      const told = described !== null && described !== "absent";
      // The deployment's name is the provider's own; the model's name here may be any.
      const known = promptsBehind(told ? described : [], model) ?? knownPrompts(model);
      const learnt = known !== null || told;
      return { prompts: { ...(known ?? noPrompts), ...set }, learnt, away: !learnt && described === null };
    },
  };
}

/** Deployments of one name are one model. */
function modelsWith(described: Described | null, ability: (info: Info) => boolean): Model[] {
  const found = new Map<string, Model>();
  for (const { model_name: id, model_info: info } of described ?? []) {
    if (ability(info) && !found.has(id)) found.set(id, describe(id, info));
  }
  return [...found.values()];
}

/** The tokens that all deployments of the name can read; null if LiteLLM knows none of them. */
function smallestWindow(described: Described, model: string): number | null {
  const windows = described
    .filter((each) => each.model_name === model)
    .map((each) => each.model_info.max_input_tokens ?? Infinity);
  const smallest = Math.min(Infinity, ...windows);
  return smallest === Infinity || smallest < 1 ? null : smallest;
}

function promptsBehind(described: Described, model: string): Prompts | null {
  const deployment = described.find((each) => each.model_name === model)?.litellm_params.model;
  return deployment === undefined ? null : knownPrompts(deployment);
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
