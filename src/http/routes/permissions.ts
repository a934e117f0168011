import * as permissions from "../../core/access/permissions.js";
import { actorOf } from "../actor.js";
import { isAllowed } from "../permissions.js";
import { route } from "../route.js";
import { storeParams } from "../wire/common.js";
import {
  deletedPermissionAnswer,
  ownerAnswer,
  ownPermissionAnswer,
  ownerBody,
  permissionAnswer,
  permissionBody,
  permissionListAnswer,
  permissionParams,
  presentPermission,
} from "../wire/permission.js";

const tag = "Permissions";
const path = "/vector_stores/:vector_store_id/permissions";

/** Who may use a store. Changes need the permission `admin`, which the owner has. */
export const permissionRoutes = [
  route({
    id: "listPermissions",
    method: "get",
    path,
    may: "store:read",
    tag,
    summary: "List who may use a vector store",
    description:
      "What was granted. The owner may do everything, and the team of the owner's key may read and write, without being listed.",
    params: storeParams,
    answer: permissionListAnswer,
    handle: async ({ deps, caller, params }) => {
      const grants = await permissions.list(deps, caller, params.vector_store_id);
      return { object: "list", data: grants.map(presentPermission) };
    },
  }),
  route({
    id: "retrieveOwnPermission",
    method: "get",
    path: `${path}/me`,
    may: "store:read",
    tag,
    summary: "What you may do with a vector store",
    params: storeParams,
    answer: ownPermissionAnswer,
    handle: async ({ deps, caller, params }) => {
      const most = isAllowed(caller, "store:write") ? "admin" : "read";
      const { permission, owner } = await permissions.mine(deps, caller, params.vector_store_id, most);
      return { object: "vector_store.permission", permission, owner };
    },
  }),
  route({
    id: "grantPermission",
    method: "put",
    path: `${path}/:subject`,
    may: "store:write",
    tag,
    summary: "Let a user, a team or everyone use a vector store",
    description:
      "`read`: search, ask and read. `write`: also add and remove files and rows. `admin`: also change, delete and share the store. " +
      "Replaces what the subject was granted before.",
    params: permissionParams,
    body: permissionBody,
    example: { permission: "read" },
    answer: permissionAnswer,
    handle: async (call) => {
      const { deps, caller, params, body } = call;
      const given = { subject: params.subject, permission: body.permission };
      return presentPermission(await permissions.grant(deps, caller, actorOf(call), params.vector_store_id, given));
    },
  }),
  route({
    id: "revokePermission",
    method: "delete",
    path: `${path}/:subject`,
    may: "store:write",
    tag,
    summary: "Take a permission away",
    description: "Holds for searches within a second on all replicas, and for everything else at once.",
    params: permissionParams,
    answer: deletedPermissionAnswer,
    handle: async (call) => {
      const { deps, caller, params } = call;
      await permissions.revoke(deps, caller, actorOf(call), params.vector_store_id, params.subject);
      return { object: "vector_store.permission.deleted", subject: params.subject, deleted: true };
    },
  }),
  route({
    id: "transferVectorStore",
    method: "put",
    path: "/vector_stores/:vector_store_id/owner",
    may: "store:write",
    tag,
    summary: "Give a vector store to another user or team",
    description:
      "Only the owner may do this, and whoever sees all stores; a user or team that gets one must have room for it. Missing fields are cleared: a store with a team alone is wholly the team's. What was granted to others stays; the owner before keeps " +
      "nothing, unless it was granted.",
    params: storeParams,
    body: ownerBody,
    example: { user_id: "ann", team_id: "support" },
    answer: ownerAnswer,
    handle: async (call) => {
      const { deps, caller, params, body } = call;
      const owner = { userId: body.user_id ?? null, teamId: body.team_id ?? null };
      await permissions.transfer(deps, caller, actorOf(call), params.vector_store_id, owner);
      return { object: "vector_store.owner", user_id: owner.userId, team_id: owner.teamId };
    },
  }),
];
