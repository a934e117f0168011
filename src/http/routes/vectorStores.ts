import { createStore } from "../../core/files/createStore.js";
import * as stores from "../../core/stores/stores.js";
import { route } from "../route.js";
import { listAnswer, presentList, readPage, storeParams } from "../wire/common.js";
import { setPollAfter } from "../answerHeaders.js";
import {
  createStoreBody,
  deletedStoreAnswer,
  listStoresQuery,
  presentStore,
  readCreate,
  readUpdate,
  storeAnswer,
  updateStoreBody,
} from "../wire/vectorStore.js";

const tag = "Vector stores";

export const vectorStoreRoutes = [
  route({
    id: "createVectorStore",
    method: "post",
    path: "/vector_stores",
    may: "store:write",
    litellm: "create",
    tag,
    summary: "Create a vector store",
    description:
      "A store keeps its embedding model and dimensions. Clients that can send only `metadata`, such as LiteLLM, may put `embedding_model`, " +
      "`embedding_dimensions`, `search_mode`, `recall`, `language`, `rerank` and `rerank_model` there. What cannot be used of these never refuses " +
      "a store: `warnings` in the answer, and the header `x-vector-store-warning`, name it.",
    body: createStoreBody,
    example: { name: "Support FAQ", search_mode: "hybrid", metadata: { team: "support" } },
    bodyOptional: true,
    answer: storeAnswer,
    handle: async ({ deps, caller, body, res, warn }) => {
      const { files, ...input } = readCreate(body, deps.config.files.autoCutting);
      const store = await createStore(deps, caller, input, files);
      const answer = presentStore(store, deps.now());
      setPollAfter(res, answer.status);
      answer.warnings?.forEach(warn);
      return answer;
    },
  }),
  route({
    id: "listVectorStores",
    method: "get",
    path: "/vector_stores",
    may: "store:read",
    litellm: "list",
    tag,
    summary: "List vector stores",
    description: "Of all, or with `name` only those with exactly this name; names need not be unique.",
    query: listStoresQuery,
    answer: listAnswer("VectorStoreList", storeAnswer),
    handle: async ({ deps, caller, query }) => {
      const page = await stores.list(deps, caller, { ...readPage(query), name: query.name ?? null });
      const now = deps.now();
      return presentList(
        page.stores.map((store) => presentStore(store, now)),
        page.hasMore,
      );
    },
  }),
  route({
    id: "retrieveVectorStore",
    method: "get",
    path: "/vector_stores/:vector_store_id",
    may: "store:read",
    litellm: "retrieve",
    tag,
    summary: "Retrieve a vector store",
    params: storeParams,
    answer: storeAnswer,
    handle: async ({ deps, caller, params, res, warn }) => {
      const answer = presentStore(await stores.describe(deps, caller, params.vector_store_id), deps.now());
      setPollAfter(res, answer.status);
      answer.warnings?.forEach(warn);
      return answer;
    },
  }),
  route({
    id: "updateVectorStore",
    method: "post",
    path: "/vector_stores/:vector_store_id",
    may: "store:write",
    litellm: "update",
    tag,
    summary: "Update a vector store",
    description:
      "Missing fields stay unchanged; null clears `metadata` and `expires_after` and removes search settings. An update counts as use, so it reactivates an expired store.",
    params: storeParams,
    body: updateStoreBody,
    example: { name: "Support", expires_after: { anchor: "last_active_at", days: 30 } },
    answer: storeAnswer,
    handle: async ({ deps, caller, params, body, warn }) => {
      const store = await stores.update(deps, caller, params.vector_store_id, readUpdate(body));
      const answer = presentStore(store, deps.now());
      answer.warnings?.forEach(warn);
      return answer;
    },
  }),
  route({
    id: "reindexVectorStore",
    method: "post",
    path: "/vector_stores/:vector_store_id/reindex",
    may: "store:write",
    tag,
    summary: "Check and rebuild a vector store's indexes",
    description:
      "Runs in the background while searches continue. Adds missing rows to the indexes and removes leftovers. A store below INDEX_MIN_ROWS " +
      "gets an index this way. `index` in the answer, and later in the store, shows the progress until it is `ready`.",
    params: storeParams,
    answer: storeAnswer,
    handle: async ({ deps, caller, params }) =>
      presentStore(await stores.reindex(deps, caller, params.vector_store_id), deps.now()),
  }),
  route({
    id: "deleteVectorStore",
    method: "delete",
    path: "/vector_stores/:vector_store_id",
    may: "store:write",
    litellm: "delete",
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
