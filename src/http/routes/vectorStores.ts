import * as stores from "../../core/vectorStores.js";
import { route } from "../route.js";
import { listAnswer, pageQuery, presentList, storeParams } from "../wire/common.js";
import {
  createStoreBody,
  deletedStoreAnswer,
  presentStore,
  storeAnswer,
  updateStoreBody,
} from "../wire/vectorStore.js";

const tag = "Vector stores";

export const vectorStoreRoutes = [
  route({
    method: "post",
    path: "/vector_stores",
    may: "store:write",
    tag,
    summary: "Create a vector store",
    body: createStoreBody,
    bodyOptional: true,
    answer: storeAnswer,
    handle: async ({ deps, caller, body }) => {
      const store = await stores.create(deps, caller, {
        name: body.name ?? "",
        description: body.description ?? null,
        metadata: body.metadata ?? null,
        expiresAfter: body.expires_after ?? null,
      });
      return presentStore(store, deps.now());
    },
  }),
  route({
    method: "get",
    path: "/vector_stores",
    may: "store:read",
    tag,
    summary: "List vector stores",
    query: pageQuery(100),
    answer: listAnswer("VectorStoreList", storeAnswer),
    handle: async ({ deps, caller, query }) => {
      const page = await stores.list(deps, caller, {
        ...query,
        after: query.after ?? null,
        before: query.before ?? null,
      });
      const now = deps.now();
      return presentList(
        page.stores.map((store) => presentStore(store, now)),
        page.hasMore,
      );
    },
  }),
  route({
    method: "get",
    path: "/vector_stores/:vector_store_id",
    may: "store:read",
    tag,
    summary: "Retrieve a vector store",
    params: storeParams,
    answer: storeAnswer,
    handle: async ({ deps, caller, params }) =>
      presentStore(await stores.get(deps, caller, params.vector_store_id), deps.now()),
  }),
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id",
    may: "store:write",
    tag,
    summary: "Update a vector store",
    description:
      "Fields left out stay as they are; null clears `metadata` and `expires_after`. Counts as use, so it brings an expired store back.",
    params: storeParams,
    body: updateStoreBody,
    answer: storeAnswer,
    handle: async ({ deps, caller, params, body }) => {
      const changes = { name: body.name, metadata: body.metadata, expiresAfter: body.expires_after };
      return presentStore(await stores.update(deps, caller, params.vector_store_id, changes), deps.now());
    },
  }),
  route({
    method: "delete",
    path: "/vector_stores/:vector_store_id",
    may: "store:write",
    tag,
    summary: "Delete a vector store and everything in it",
    params: storeParams,
    answer: deletedStoreAnswer,
    handle: async ({ deps, caller, params }) => {
      await stores.remove(deps, caller, params.vector_store_id);
      return { id: params.vector_store_id, object: "vector_store.deleted", deleted: true };
    },
  }),
];
