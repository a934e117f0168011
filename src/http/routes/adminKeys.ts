import * as audit from "../../core/access/audit.js";
import * as serverKeys from "../../core/access/serverKeys.js";
import { actorOf } from "../actor.js";
import { route } from "../route.js";
import {
  auditAnswer,
  auditQuery,
  createKeyBody,
  deletedKeyAnswer,
  keyListAnswer,
  keyParams,
  newKeyAnswer,
  presentEntry,
  presentKey,
  rotateKeyBody,
} from "../wire/serverKey.js";

const tag = "Administration";

/** Keys of the service itself, and the log of administrative acts. */
export const adminKeyRoutes = [
  route({
    id: "createKey",
    method: "post",
    path: "/admin/keys",
    may: "admin:write",
    tag,
    summary: "Make a key of the service",
    description:
      "The answer shows the key once; only its hash is stored. `search` may only search, `read` may also read and ask, `write` may do " +
      "everything except the admin routes, `admin` everything. LiteLLM's registry should have a key that may only search: through " +
      "LiteLLM, every virtual key acts with it. A key with `identity_required` works only beside LiteLLM's signed word who asks, and acts as " +
      "that user.",
    body: createKeyBody,
    example: { name: "litellm registry", scope: "search" },
    answer: newKeyAnswer,
    handle: async (call) => {
      const { deps, body } = call;
      const { vector_store_ids: stores = null, expires_in_seconds: life, name, scope } = body;
      const expiresAt = life === undefined ? null : deps.now() + life * 1000;
      const { identity_required: identityRequired = false } = body;
      const wanted = { name, scope, stores, identityRequired, expiresAt };
      const made = await serverKeys.create(deps, actorOf(call), wanted);
      return { ...presentKey(made), key: made.key };
    },
  }),
  route({
    id: "listKeys",
    method: "get",
    path: "/admin/keys",
    may: "admin:read",
    tag,
    summary: "List the keys of the service",
    answer: keyListAnswer,
    handle: async ({ deps }) => ({ object: "list", data: (await serverKeys.list(deps)).map(presentKey) }),
  }),
  route({
    id: "rotateKey",
    method: "post",
    path: "/admin/keys/:key_id/rotate",
    may: "admin:write",
    tag,
    summary: "Replace a key of the service",
    description: "The key before works for `overlap_seconds` more; one that was replaced earlier stops at once.",
    params: keyParams,
    body: rotateKeyBody,
    bodyOptional: true,
    answer: newKeyAnswer,
    handle: async (call) => {
      const { deps, params, body } = call;
      const made = await serverKeys.rotate(deps, actorOf(call), params.key_id, body.overlap_seconds * 1000);
      return { ...presentKey(made), key: made.key };
    },
  }),
  route({
    id: "revokeKey",
    method: "delete",
    path: "/admin/keys/:key_id",
    may: "admin:write",
    tag,
    summary: "End a key of the service",
    description: "It stops within 5 seconds on all replicas.",
    params: keyParams,
    answer: deletedKeyAnswer,
    handle: async (call) => {
      await serverKeys.revoke(call.deps, actorOf(call), call.params.key_id);
      return { id: call.params.key_id, object: "key.deleted", deleted: true };
    },
  }),
  route({
    id: "listAudit",
    method: "get",
    path: "/admin/audit",
    may: "admin:read",
    tag,
    summary: "List administrative acts, newest first",
    query: auditQuery,
    answer: auditAnswer,
    handle: async ({ deps, query }) => {
      const { entries, hasMore } = await audit.list(deps, { limit: query.limit, before: query.after ?? null });
      return { object: "list", data: entries.map(presentEntry), last_id: entries.at(-1)?.id ?? "", has_more: hasMore };
    },
  }),
];
