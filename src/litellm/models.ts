import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { untilAborted } from "../process/abort.js";
import { ApiError } from "../words/errors.js";
import type { Account, AccountOf } from "./account.js";
import { serviceError } from "./apiErrors.js";
import type { Clock } from "./clock.js";
import type { Litellm, Model } from "./contract.js";
import { type GateDeps, type Sending, createGate } from "./gate.js";
import { badGateway } from "./gatewayErrors.js";

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

/** Invalid and null values count as absent: LiteLLM fills these fields from a table that lacks many models. */
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
type Described = z.output<typeof modelInfo>["data"];
type Info = Described[number]["model_info"];

/** An account's answer of `/model/info`. `known`: the models, once they have come. */
interface Listed {
  readonly list: Promise<Described | null>;
  readonly at: number;
  known: Described | null;
}

const rememberedMs = 60_000;
/** A window is asked for before a model call, which must not wait long for it. */
const windowTimeoutMs = 5_000;
/** After an outage, calls go on without the windows for this long. */
const unknownMs = 10_000;
const rememberedAccounts = 100;

/**
 * The models that an account may use: `/v1/models` unchanged, and LiteLLM's `/model/info` (outside `/v1`), filtered by
 * what a model can do. A server without `/model/info` is not LiteLLM; then the configured model, if listed, counts as
 * the only embedding model.
 */
export function createModels(
  config: EmbeddingConfig,
  baseUrl: string,
  { accountOf, ...deps }: GateDeps & { accountOf: AccountOf },
): Pick<Litellm, "models" | "embeddingModels" | "visionModels" | "chatModels" | "rerankModels" | "maxInputTokens"> {
  const { clock } = deps;
  const usualGate = createGate(config, baseUrl, deps);
  const briefly = { ...config, timeoutMs: Math.min(windowTimeoutMs, config.timeoutMs), retryBudgetMs: 0 };
  const windowGate = createGate(briefly, baseUrl, deps);

  async function get<T>(path: string, shape: z.ZodType<T>, sending: Sending, gate = usualGate): Promise<T | "absent"> {
    const outcome = await gate.ask("models", (client, options) => client.get(`${baseUrl}${path}`, options), sending);
    if ("failure" in outcome && outcome.failure.status === 404) return "absent";
    if ("failure" in outcome) {
      throw serviceError(outcome.failure, sending.account, { model: config.model, namedBy: "settings" });
    }
    const parsed = shape.safeParse(outcome.value);
    if (!parsed.success) throw badGateway(`The LiteLLM proxy's answer to GET ${path} is not a list of models.`);
    return parsed.data;
  }

  async function listModels(sending: Sending): Promise<Model[]> {
    const list = await get("/v1/models", modelList, sending);
    if (list === "absent") throw badGateway("The embedding provider has no GET /v1/models. Check EMBEDDING__BASE_URL.");
    return list.data;
  }

  /** Cached, because every reranked search and every answer needs it: they may see a new model up to a minute late. */
  const recent = new LRUCache<string, Listed>({ max: rememberedAccounts });
  /** null if the server has no `/model/info`. */
  function describedModels(account: Account, maxAgeMs: number, signal?: AbortSignal): Promise<Described | null> {
    signal?.throwIfAborted();
    const known = recent.get(account.id);
    if (known !== undefined && clock.now() - known.at < maxAgeMs) return untilAborted(known.list, signal);
    // The account's calls of the next minute share it, so it does not end when one caller leaves.
    const list = get("/model/info", modelInfo, { account }).then((answer) =>
      answer === "absent" ? null : answer.data,
    );
    const asked: Listed = { list, at: clock.now(), known: null };
    recent.set(account.id, asked);
    list.then(
      (described) => {
        asked.known = described;
      },
      () => {
        if (recent.get(account.id) === asked) recent.delete(account.id);
      },
    );
    return untilAborted(list, signal);
  }

  const windowsFor = rememberWindows(clock, async (account) => {
    const listed = recent.get(account.id);
    if (listed !== undefined && listed.known !== null && clock.now() - listed.at < rememberedMs) return listed.known;
    const list = await get("/model/info", modelInfo, { account }, windowGate);
    return list === "absent" ? [] : list.data;
  });

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
      const account = accountOf(caller);
      signal?.throwIfAborted();
      // An unknown window must not prevent the model call.
      return smallestWindow(await untilAborted(windowsFor(account), signal), model);
    },
  };
}

/**
 * Remembers for a minute how much each account's models read.
 * @returns the models of an account; empty if the proxy does not tell. Never rejects.
 */
function rememberWindows(
  clock: Clock,
  ask: (account: Account) => Promise<Described>,
): (account: Account) => Promise<Described> {
  const windows = new LRUCache<string, Promise<Described>>({
    max: rememberedAccounts,
    ttl: rememberedMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  return (account) => {
    const known = windows.get(account.id);
    if (known !== undefined) return known;
    const asked: Promise<Described> = ask(account).catch((error: unknown) => {
      // A refused key may be allowed a moment later, and is refused at once; an outage would cost each call its wait.
      if (error instanceof ApiError && error.status < 500) windows.delete(account.id);
      else windows.set(account.id, asked, { ttl: unknownMs });
      return [];
    });
    windows.set(account.id, asked);
    return asked;
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
