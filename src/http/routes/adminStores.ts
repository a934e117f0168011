import * as allStores from "../../core/access/allStores.js";
import { type Call, route } from "../route.js";
import { allStoresAnswer, allStoresQuery, presentAllStores, readAllStores } from "../wire/adminStore.js";

const tag = "Administration";

type Asked = Pick<Call<never, Parameters<typeof readAllStores>[1], never>, "deps" | "caller" | "query">;

/** A page of the vector stores that the caller may see. */
export async function listStores({ deps, caller, query }: Asked) {
  const { filter, page } = readAllStores(deps, query);
  return presentAllStores(await allStores.list(deps, caller, filter, page), page, deps.now());
}

/** All vector stores, whoever they belong to. */
export const adminStoreRoutes = [
  route({
    id: "listAllVectorStores",
    method: "get",
    path: "/admin/vector_stores",
    may: "admin:read",
    tag,
    summary: "List all vector stores with their owners and sizes",
    description:
      "Found by a part of the name or by the owner, in any order, with sums of all that match. A page goes on where the one before has " +
      "ended: it repeats no vector store, and leaves out only those whose value has changed in the meantime.",
    query: allStoresQuery,
    answer: allStoresAnswer,
    handle: listStores,
  }),
];
