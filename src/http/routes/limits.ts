import * as limits from "../../core/access/limits.js";
import { ownerOf } from "../../words/caller.js";
import { actorOf } from "../actor.js";
import { route } from "../route.js";
import {
  allowancesAnswer,
  deletedLimitAnswer,
  limitAnswer,
  limitBody,
  limitListAnswer,
  limitListQuery,
  limitParams,
  presentAllowance,
  presentLimits,
  readLimitBody,
} from "../wire/limit.js";

const tag = "Administration";

/** What users, teams, keys and vector stores may use. */
export const limitRoutes = [
  route({
    id: "getAllowances",
    method: "get",
    path: "/limits",
    may: "store:read",
    tag: "Usage",
    summary: "Your own limits",
    description:
      "What your user and your team may have, and what they have; for a key that belongs to nobody, the key.",
    answer: allowancesAnswer,
    handle: async ({ deps, caller }) => ({
      object: "list",
      data: (await limits.own(deps, ownerOf(caller))).map(presentAllowance),
    }),
  }),
  route({
    id: "listLimits",
    method: "get",
    path: "/admin/limits",
    may: "admin:read",
    tag,
    summary: "List the limits that were set",
    description: "Ordered by subject. Whoever is not listed has the limits of the settings.",
    query: limitListQuery,
    answer: limitListAnswer,
    handle: async ({ deps, query }) => {
      const { limit, after = null, subject = null } = query;
      const { entries, hasMore } = await limits.list(deps, { limit, after, subject });
      const last = entries.at(-1)?.subject ?? "";
      return { object: "list", data: entries.map(presentLimits), last_id: last, has_more: hasMore };
    },
  }),
  route({
    id: "setLimits",
    method: "put",
    path: "/admin/limits/:subject",
    may: "admin:write",
    tag,
    summary: "Set somebody's limits",
    description:
      "They take the place of those set before. What is absent is as the settings say, null has no limit. Replicas notice within 5 seconds.",
    params: limitParams,
    body: limitBody,
    answer: limitAnswer,
    handle: async (call) =>
      presentLimits(await limits.put(call.deps, actorOf(call), call.params.subject, readLimitBody(call.body))),
  }),
  route({
    id: "deleteLimits",
    method: "delete",
    path: "/admin/limits/:subject",
    may: "admin:write",
    tag,
    summary: "Leave somebody the limits of the settings",
    params: limitParams,
    answer: deletedLimitAnswer,
    handle: async (call) => {
      const { subject } = call.params;
      await limits.remove(call.deps, actorOf(call), subject);
      return { object: "limits.deleted", subject, deleted: true };
    },
  }),
];
