import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { EmbeddingConfig } from "../process/config.js";
import { untilAborted } from "../process/abort.js";
import { ApiError } from "../words/errors.js";
import type { Account } from "./account.js";
import { serviceError } from "./apiErrors.js";
import type { Clock } from "./clock.js";
import type { Model } from "./contract.js";
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
      /** The provider's own name of the model: `cohere/embed-english-v3.0`. */
      litellm_params: z.object({ model: optional(z.string()) }).catch({}),
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
export type Described = z.output<typeof modelInfo>["data"];

/** Null: the server is away. `absent`: it has no such list, or it is another one that answers for it. */
type Known = Described | "absent" | null;

/** An account's answer of `/model/info`. `known`: the models, once they have come. */
interface Listed {
  readonly list: Promise<Described | null>;
  readonly at: number;
  known: Described | null;
}

export const rememberedMs = 60_000;
/** A window is asked for before a model call, which must not wait long for it. */
const windowTimeoutMs = 5_000;
/** After an outage, calls go on without the windows for this long. */
const unknownMs = 10_000;
const rememberedAccounts = 100;

/** The proxy's lists of models, each for the account that asks. */
export interface ModelLists {
  /** `/v1/models`. */
  listModels: (sending: Sending) => Promise<Model[]>;
  /**
   * LiteLLM's `/model/info`, at most this old; null if the server has none. Cached, because every reranked search and
   * every answer needs it.
   */
  describedModels: (account: Account, maxAgeMs: number, signal?: AbortSignal) => Promise<Described | null>;
  /**
   * The same, for calls that go on without: up to a minute old, within 5 s; empty if the proxy does not tell this key.
   * @param options.insist ask again if the last answer was none
   */
  knownModels: (account: Account, options: { signal?: AbortSignal; insist?: boolean }) => Promise<Known>;
}

export function createModelLists(config: EmbeddingConfig, baseUrl: string, deps: GateDeps): ModelLists {
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

  const recent = new LRUCache<string, Listed>({ max: rememberedAccounts });
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

  const remembered = rememberKnown(clock, async (account) => {
    const listed = recent.get(account.id);
    if (listed !== undefined && listed.known !== null && clock.now() - listed.at < rememberedMs) return listed.known;
    const list = await get("/model/info", modelInfo, { account }, windowGate);
    return list === "absent" ? list : list.data;
  });

  return {
    listModels,
    describedModels,
    knownModels: async (account, { signal, insist = false }) => {
      signal?.throwIfAborted();
      return untilAborted(remembered(account, insist), signal);
    },
  };
}

/** Remembers each account's models for a minute, and for 10 s that the proxy did not tell. Never rejects. */
function rememberKnown(
  clock: Clock,
  ask: (account: Account) => Promise<Exclude<Known, null>>,
): (account: Account, insist: boolean) => Promise<Known> {
  /** Of those remembered, the ones that say nothing. */
  const empty = new WeakSet<Promise<Known>>();
  const lists = new LRUCache<string, Promise<Known>>({
    max: rememberedAccounts,
    ttl: rememberedMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  return (account, insist) => {
    const known = lists.get(account.id);
    if (known !== undefined && !(insist && empty.has(known))) return known;
    const answered = (list: Exclude<Known, null>): Known => {
      if (list === "absent") empty.add(asked);
      return list;
    };
    const asked: Promise<Known> = ask(account).then(answered, (error: unknown) => {
      // A refused key may be allowed a moment later, and is refused at once; an outage would cost each call its wait.
      const isRefused = error instanceof ApiError && error.status < 500;
      if (isRefused) lists.delete(account.id);
      else {
        empty.add(asked);
        lists.set(account.id, asked, { ttl: unknownMs });
      }
      return isRefused ? [] : null;
    });
    lists.set(account.id, asked);
    return asked;
  };
}
