import * as litellmKeys from "../../core/access/litellmKeys.js";
import { actorOf } from "../actor.js";
import { type Call, route } from "../route.js";
import {
  createLitellmKeyBody,
  litellmKeyAnswer,
  litellmKeyListAnswer,
  litellmKeyParams,
  litellmKeysQuery,
  newLitellmKeyAnswer,
  presentLitellmKey,
  presentLitellmKeys,
  readLitellmKeys,
  rotateLitellmKeyBody,
} from "../wire/litellmKey.js";

const tag = "Administration";
const path = "/admin/litellm_keys";

type Named = Pick<Call<{ key_hash: string }, never, never>, "deps" | "caller" | "req" | "res" | "params">;

async function setBlocked(call: Named, blocked: boolean) {
  const { deps, params } = call;
  return presentLitellmKey(await litellmKeys.setBlocked(deps, actorOf(call), params.key_hash, blocked), deps.now());
}

/** LiteLLM's virtual keys, by its master key. */
export const adminLitellmKeyRoutes = [
  route({
    id: "listLitellmKeys",
    method: "get",
    path,
    may: "admin:read",
    tag,
    summary: "List LiteLLM's virtual keys",
    description: "Newest first. Needs LITELLM_MASTER_KEY, like everything about these keys.",
    query: litellmKeysQuery,
    answer: litellmKeyListAnswer,
    handle: async ({ deps, query }) =>
      presentLitellmKeys(await litellmKeys.list(deps, readLitellmKeys(query)), query, deps.now()),
  }),
  route({
    id: "createLitellmKey",
    method: "post",
    path,
    may: "admin:write",
    tag,
    summary: "Make a LiteLLM key for a user, a team or both",
    description:
      "The answer shows the key once. Users and teams must be known to LiteLLM; with a team alone it is a service account's key. " +
      "`models` and `vector_store_ids` (LiteLLM's `object_permission.vector_stores`) limit it, and are all if absent.",
    body: createLitellmKeyBody,
    example: { user_id: "ann", team_id: "support", alias: "ann's laptop", expires_in_seconds: 7776000 },
    answer: newLitellmKeyAnswer,
    handle: async (call) => {
      const { deps, body } = call;
      const made = await litellmKeys.create(deps, actorOf(call), {
        alias: body.alias ?? null,
        userId: body.user_id ?? null,
        teamId: body.team_id ?? null,
        models: body.models ?? [],
        vectorStores: body.vector_store_ids ?? [],
        maxBudget: body.max_budget ?? null,
        seconds: body.expires_in_seconds ?? null,
      });
      return { ...presentLitellmKey(made, deps.now()), key: made.key };
    },
  }),
  route({
    id: "blockLitellmKey",
    method: "post",
    path: `${path}/:key_hash/block`,
    may: "admin:write",
    tag,
    summary: "Block a LiteLLM key",
    description:
      "Here it stops at once; in other processes of this service within KEY_CACHE_SECONDS, and in LiteLLM's within its own minute.",
    params: litellmKeyParams,
    answer: litellmKeyAnswer,
    handle: (call) => setBlocked(call, true),
  }),
  route({
    id: "unblockLitellmKey",
    method: "post",
    path: `${path}/:key_hash/unblock`,
    may: "admin:write",
    tag,
    summary: "Let a blocked LiteLLM key work again",
    params: litellmKeyParams,
    answer: litellmKeyAnswer,
    handle: (call) => setBlocked(call, false),
  }),
  route({
    id: "rotateLitellmKey",
    method: "post",
    path: `${path}/:key_hash/rotate`,
    may: "admin:write",
    tag,
    summary: "Replace a LiteLLM key",
    description:
      "The new key takes over owner, alias, end, models, budgets, what was spent, limits and permissions; the answer shows it once. The old one " +
      "works for `overlap_seconds` more, if it would not have ended sooner. A key that is blocked or has ended is refused with 409. Needs no " +
      "licence of LiteLLM's.",
    params: litellmKeyParams,
    body: rotateLitellmKeyBody,
    bodyOptional: true,
    answer: newLitellmKeyAnswer,
    handle: async (call) => {
      const { deps, params, body } = call;
      const made = await litellmKeys.rotate(deps, actorOf(call), params.key_hash, body.overlap_seconds);
      return { ...presentLitellmKey(made, deps.now()), key: made.key };
    },
  }),
];
