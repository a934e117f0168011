import * as me from "../../core/access/me.js";
import { allowedTo } from "../permissions.js";
import { route } from "../route.js";
import { listStores } from "./adminStores.js";
import { allStoresAnswer, allStoresQuery } from "../wire/adminStore.js";
import { meAnswer, presentMe } from "../wire/session.js";

const tag = "Sessions";

/** What a page shows to whoever has signed in. */
export const meRoutes = [
  route({
    id: "getMe",
    method: "get",
    path: "/me",
    may: "store:search",
    tag,
    summary: "Who you are, what you may do, and what this service can do",
    answer: meAnswer,
    handle: ({ deps, caller }) => presentMe(me.describe(deps, caller), allowedTo(caller)),
  }),
  route({
    id: "listMyVectorStores",
    method: "get",
    path: "/me/vector_stores",
    may: "store:read",
    tag,
    summary: "List the vector stores that you may use, with their owners and sizes",
    description:
      "Your own and those that were granted to you or your team; for an administrator, all. Found and ordered as in `GET /v1/admin/vector_stores`.",
    query: allStoresQuery,
    answer: allStoresAnswer,
    handle: listStores,
  }),
];
