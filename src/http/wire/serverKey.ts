import { z } from "zod";
import type { AuditEntry, ServerKey } from "../../words/accessKey.js";
import { keyScopes } from "../../words/caller.js";
import { optional, plainText, queryInteger, rotation, seconds } from "./common.js";

const name = z.string().regex(/^[\w .:@/-]{1,100}$/, "expected 1 to 100 letters, digits, spaces or one of _ . : @ / -");
const longestLifeSeconds = 10 * 365 * 86_400;

export const keyParams = z.object({ key_id: plainText(100).describe("id of the key") });

export const createKeyBody = z
  .object({
    name,
    scope: z.enum(keyScopes),
    vector_store_ids: optional(
      z
        .array(z.string().min(1, "must not be empty").max(200, "at most 200 characters"))
        .min(1, "must not be empty; leave it out for all vector stores")
        .max(1000, "at most 1000 ids"),
    ),
    identity_required: optional(z.boolean()),
    expires_in_seconds: optional(
      z.int().min(1, "must be at least 1").max(longestLifeSeconds, `must be at most ${longestLifeSeconds}`),
    ),
  })
  .refine((key) => key.scope !== "admin" || key.vector_store_ids === undefined, {
    path: ["vector_store_ids"],
    error: "a key with the scope admin cannot be limited to some vector stores",
  })
  .refine((key) => key.identity_required !== true || key.vector_store_ids === undefined, {
    path: ["vector_store_ids"],
    error: "a key with identity_required sees what the user may see, so it cannot be limited to some vector stores",
  })
  .refine((key) => key.identity_required !== true || key.scope !== "admin", {
    path: ["scope"],
    error: "a key with identity_required cannot be an administrator's: LiteLLM asks for no admin route",
  })
  .meta({ id: "CreateKeyRequest" });

export const rotateKeyBody = rotation.meta({ id: "RotateKeyRequest" });

const moment = z.int().nullable();
const keyFields = {
  object: z.literal("key"),
  id: z.string(),
  name: z.string(),
  key_ending: z.string(),
  scope: z.enum(keyScopes),
  vector_store_ids: z.array(z.string()).nullable(),
  identity_required: z.boolean(),
  created_at: z.int(),
  created_by: z.string(),
  expires_at: moment,
  last_used_at: moment,
  previous_key_until: moment,
};
const keyAnswer = z.object(keyFields).meta({ id: "Key" });
export const newKeyAnswer = z.object({ ...keyFields, key: z.string() }).meta({ id: "NewKey" });
export const keyListAnswer = z.object({ object: z.literal("list"), data: z.array(keyAnswer) }).meta({ id: "KeyList" });
export const deletedKeyAnswer = z
  .object({ id: z.string(), object: z.literal("key.deleted"), deleted: z.literal(true) })
  .meta({ id: "DeletedKey" });

const orNull = (millis: number | null) => (millis === null ? null : seconds(millis));

export const presentKey = (key: ServerKey) => ({
  object: "key" as const,
  id: key.id,
  name: key.name,
  key_ending: key.ending,
  scope: key.scope,
  vector_store_ids: key.stores,
  identity_required: key.identityRequired,
  created_at: seconds(key.createdAt),
  created_by: key.createdBy,
  expires_at: orNull(key.expiresAt),
  last_used_at: orNull(key.lastUsedAt),
  previous_key_until: orNull(key.oldUntil),
});

export const auditQuery = z.object({
  limit: queryInteger(1, 1000, 100),
  after: plainText(100).optional().describe("an entry's id: returns the page after it"),
});

const auditEntry = z
  .object({
    object: z.literal("audit_entry"),
    id: z.string(),
    at: z.int(),
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    details: z.record(z.string(), z.unknown()),
    address: z.string().nullable(),
    request_id: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" });

export const auditAnswer = z
  .object({ object: z.literal("list"), data: z.array(auditEntry), last_id: z.string(), has_more: z.boolean() })
  .meta({ id: "AuditLog" });

export const presentEntry = ({ requestId, at, ...entry }: AuditEntry) => ({
  object: "audit_entry" as const,
  ...entry,
  at: seconds(at),
  request_id: requestId,
});
