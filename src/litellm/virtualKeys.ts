import { z } from "zod";
import { Secret } from "../words/secret.js";
import { momentOf } from "./managementAnswers.js";
import type { LitellmKey, LitellmKeys, MadeKey } from "./managementContract.js";
import { type MasterCalls, isAbsent, readAnswer } from "./masterCalls.js";

const text = z.string().nullish();
const number = z.number().nullish();
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const keyFields = {
  key_alias: text,
  key_name: text,
  user_id: text,
  team_id: text,
  models: z.array(z.string()).nullish(),
  object_permission: z.object({ vector_stores: z.array(z.string()).nullish() }).nullish(),
  blocked: z.boolean().nullish(),
  created_at: text,
  expires: text,
  last_active: text,
  spend: number,
  max_budget: number,
};
const keyShape = z.object({ ...keyFields, token: hash });
const listShape = z.object({ keys: z.array(keyShape), total_count: z.int() });
/** All of a key's fields are kept, for another key that is made like it. */
const infoShape = z.object({ info: z.looseObject({ ...keyFields, status: text }) });
const madeShape = z.object({ key: z.string().min(1), token: hash });
/** In the metadata of a key that was made like another one. */
const markName = "vector_store_rotation";
const markedShape = z.object({
  keys: z.array(z.object({ token: hash, metadata: z.record(z.string(), z.unknown()).nullish() })),
});
const anything = z.unknown();

const presentKey = (of: string, key: z.output<z.ZodObject<typeof keyFields>>): LitellmKey => ({
  hash: of,
  alias: key.key_alias ?? null,
  shown: key.key_name ?? null,
  userId: key.user_id ?? null,
  teamId: key.team_id ?? null,
  models: key.models ?? [],
  vectorStores: key.object_permission?.vector_stores ?? [],
  blocked: key.blocked ?? false,
  createdAt: momentOf(key.created_at),
  expiresAt: momentOf(key.expires),
  lastUsedAt: momentOf(key.last_active),
  spend: key.spend ?? 0,
  maxBudget: key.max_budget ?? null,
});

/**
 * What makes a key what it is, by LiteLLM's names, beside its alias and its end. `spend` is among them, so that a
 * budget does not start again. Not `auto_rotate`: LiteLLM's own rotation needs a licence.
 */
const copied = [
  ...["user_id", "team_id", "agent_id", "project_id", "organization_id", "models", "aliases", "config", "metadata"],
  ...["spend", "max_budget", "budget_duration", "budget_limits", "budget_id", "model_max_budget", "budget_fallbacks"],
  ...["max_parallel_requests", "tpm_limit", "rpm_limit", "tpd_limit", "allowed_cache_controls", "allowed_routes"],
  ...["key_type", "permissions", "router_settings", "access_group_ids"],
] as const;
const notPermissions = ["object_permission_id", "created_at", "updated_at"];

const says = (value: unknown): boolean =>
  value !== null &&
  value !== undefined &&
  !(typeof value === "object" && (Array.isArray(value) ? value : Object.keys(value)).length === 0);

function likeness(info: Record<string, unknown>, mark: string): Record<string, unknown> {
  const permission = Object.entries(info.object_permission ?? {}).filter(
    ([name, value]) => says(value) && !notPermissions.includes(name),
  );
  return {
    ...Object.fromEntries(copied.map((name) => [name, info[name]] as const).filter(([, value]) => says(value))),
    metadata: { ...(info.metadata as object | null | undefined), [markName]: mark },
    ...(permission.length > 0 && { object_permission: Object.fromEntries(permission) }),
  };
}

const lasting = (seconds: number | null) => (seconds === null ? null : `${seconds}s`);

/** LiteLLM's virtual keys: /key/list, info, generate, update, block, unblock and delete, as observed with 1.106.2. */
export function createVirtualKeys({ get, post }: MasterCalls): LitellmKeys {
  const infoOf = async (of: string) => {
    const answer = await get("/key/info", { key: of });
    if (isAbsent(answer)) return null;
    const { info } = readAnswer(answer, infoShape, "GET /key/info");
    // LiteLLM remembers deleted keys.
    return info.status === "deleted" ? null : info;
  };
  const generate = async (wish: object): Promise<MadeKey> => {
    const { key, token } = readAnswer(await post("/key/generate", wish), madeShape, "POST /key/generate");
    return { key: new Secret(key), hash: token };
  };
  return {
    page: async ({ page, limit, userId, teamId, alias }) => {
      const asked = { page, size: limit, return_full_object: "true", user_id: userId, team_id: teamId };
      const answer = await get("/key/list", { ...asked, key_alias: alias });
      const { keys, total_count: total } = readAnswer(answer, listShape, "GET /key/list");
      return { items: keys.map((key) => presentKey(key.token, key)), total };
    },
    find: async (of) => {
      const info = await infoOf(of);
      return info === null ? null : presentKey(of, info);
    },
    make: ({ alias, userId, teamId, models, vectorStores, maxBudget, seconds }) =>
      generate({
        key_alias: alias,
        user_id: userId,
        team_id: teamId,
        models,
        max_budget: maxBudget,
        duration: lasting(seconds),
        ...(vectorStores.length > 0 && { object_permission: { vector_stores: vectorStores } }),
      }),
    makeLike: async (of, { alias, seconds, mark }) => {
      // A key that is gone is like none: LiteLLM would make one for nobody.
      const info = readAnswer(await get("/key/info", { key: of }), infoShape, "GET /key/info").info;
      return generate({ ...likeness(info, mark), key_alias: alias, duration: lasting(seconds) });
    },
    change: async (of, { alias, seconds }) => {
      // "-1" takes an end away; a key without an alias keeps having none.
      const to = { key: of, duration: lasting(seconds) ?? "-1", ...(alias !== null && { key_alias: alias }) };
      readAnswer(await post("/key/update", to), anything, "POST /key/update");
    },
    setBlocked: async (of, blocked) => {
      const route = blocked ? "/key/block" : "/key/unblock";
      readAnswer(await post(route, { key: of }), anything, `POST ${route}`);
    },
    remove: (hashes) => removeKeys({ post }, hashes),
    findMarked: async (mark, { alias, userId, teamId }) => {
      // The newest first, among which it is, even without an alias.
      const asked = { page: 1, size: 20, return_full_object: "true", user_id: userId, team_id: teamId };
      const answer = await get("/key/list", { ...asked, key_alias: alias });
      const { keys } = readAnswer(answer, markedShape, "GET /key/list");
      return keys.find(({ metadata }) => metadata?.[markName] === mark)?.token ?? null;
    },
  };
}

/** Deletes keys; those that are gone are none of its business. @throws ApiError 503 */
export async function removeKeys({ post }: Pick<MasterCalls, "post">, hashes: readonly string[]): Promise<void> {
  const answer = await post("/key/delete", { keys: hashes });
  // 404: none of them is there any more.
  if (answer.status !== 404) readAnswer(answer, anything, "POST /key/delete");
}
