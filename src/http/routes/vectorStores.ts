import { createStore } from "../../core/stores/createWithFiles.js";
import * as stores from "../../core/stores/stores.js";
import { route } from "../route.js";
import { listAnswer, pageQuery, presentList, storeParams } from "../wire/common.js";
import { setPollAfter } from "../wire/polling.js";
import {
  createStoreBody,
  deletedStoreAnswer,
  presentStore,
  readCreate,
  readUpdate,
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
    description:
      "Its embedding model and dimensions are its own and stay. Where only `metadata` gets through, as with LiteLLM, `embedding_model`, " +
      "`embedding_dimensions`, `search_mode`, `recall` and `language` are also read there.",
    body: createStoreBody,
    bodyOptional: true,
    answer: storeAnswer,
    handle: async ({ deps, caller, body, res }) => {
      const { files, ...input } = readCreate(body);
      const store = await createStore(deps, caller, input, files);
      const answer = presentStore(store, deps.now());
      setPollAfter(res, answer.status);
      return answer;
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
    handle: async ({ deps, caller, params, res }) => {
      const answer = presentStore(await stores.retrieve(deps, caller, params.vector_store_id), deps.now());
      setPollAfter(res, answer.status);
      return answer;
    },
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
      const store = await stores.update(deps, caller, params.vector_store_id, readUpdate(body));
      return presentStore(store, deps.now());
    },
  }),
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/reindex",
    may: "store:write",
    tag,
    summary: "Check a vector store's indexes and build them anew",
    description:
      "In the background; searches go on. What is missing of the indexed rows is added, what is left over is removed. A store below " +
      "INDEX_MIN_ROWS gets an index by this. `index` in the answer, and of the store until it is `ready`, tells how far it is.",
    params: storeParams,
    answer: storeAnswer,
    handle: async ({ deps, caller, params }) =>
      presentStore(await stores.reindex(deps, caller, params.vector_store_id), deps.now()),
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
