import { z } from "zod";
import { storePermissions } from "../../words/caller.js";
import type { Grant } from "../../words/grant.js";
import { optional, seconds, storeParams } from "./common.js";

/** LiteLLM's ids of users and teams may hold any character. */
const id = z.string().min(1, "must not be empty").max(256, "at most 256 characters");
const subject = z
  .string()
  .max(262, "at most 262 characters")
  .regex(/^(everyone|(user|team):[^\0]+)$/su, 'expected "user:ID", "team:ID" or "everyone"');

export const permissionParams = storeParams.extend({
  subject: subject.describe("`user:ID`, `team:ID` or `everyone`, percent-encoded"),
});

export const permissionBody = z.object({ permission: z.enum(storePermissions) }).meta({ id: "PermissionRequest" });

export const permissionAnswer = z
  .object({
    object: z.literal("vector_store.permission"),
    subject: z.string(),
    permission: z.enum(storePermissions),
    granted_at: z.int(),
    granted_by: z.string(),
  })
  .meta({ id: "Permission" });

export const ownPermissionAnswer = z
  .object({
    object: z.literal("vector_store.permission"),
    permission: z.enum(storePermissions),
    owner: z.boolean().describe("whether you may also give it to somebody else"),
  })
  .meta({ id: "OwnPermission" });

export const permissionListAnswer = z
  .object({ object: z.literal("list"), data: z.array(permissionAnswer) })
  .meta({ id: "PermissionList" });

export const deletedPermissionAnswer = z
  .object({ object: z.literal("vector_store.permission.deleted"), subject: z.string(), deleted: z.literal(true) })
  .meta({ id: "DeletedPermission" });

export const ownerBody = z
  .object({ user_id: optional(id), team_id: optional(id) })
  .refine((owner) => owner.user_id !== undefined || owner.team_id !== undefined, "give user_id, team_id or both")
  .meta({ id: "OwnerRequest" });

export const ownerAnswer = z
  .object({
    object: z.literal("vector_store.owner"),
    user_id: z.string().nullable(),
    team_id: z.string().nullable(),
  })
  .meta({ id: "Owner" });

export const presentPermission = ({ subject: whom, permission, grantedAt, grantedBy }: Grant) => ({
  object: "vector_store.permission" as const,
  subject: whom,
  permission,
  granted_at: seconds(grantedAt),
  granted_by: grantedBy,
});
