import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";
import { visible } from "../parts/visible.js";
import { Failure } from "./failure.js";
import { eachOf } from "./several.js";

export type ListedStore = Schemas["AdminVectorStore"];
export type Store = Schemas["VectorStore"];
export type StoreChange = Omit<
  Schemas["UpdateVectorStoreRequest"],
  // What the service only refuses.
  "document_prefix" | "embedding_dimensions" | "embedding_model" | "input_type" | "query_prefix"
>;

export const storeSorts = ["created_at", "last_active_at", "name", "bytes", "rows"] as const;
export type StoreSort = (typeof storeSorts)[number];

/** What people know it by; one whose name nobody sees by its id. */
export const titleOf = ({ id, name }: Pick<Store, "id" | "name">): string => (visible(name) === "" ? id : name);

export interface StoreQuery {
  name?: string;
  owner?: string;
  sort?: StoreSort;
  order?: "asc" | "desc";
  page?: string;
  limit?: number;
}

/** A page of the vector stores that the caller may see; an administrator sees all. */
export const storeList = (query: StoreQuery) =>
  queryOptions({
    queryKey: ["stores", "list", query],
    queryFn: ({ signal }) => answered(api.GET("/v1/me/vector_stores", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });

/** The first of them, for how many there are in all: other pages do not say it. */
export const storeTotals = (filter: Pick<StoreQuery, "name" | "owner">) => storeList({ ...filter, limit: 1 });

/** Whether an owner can be asked for: `user:ID`, `team:ID`, `key:ID`, or `none` for the service's own. */
export const isOwner = (text: string): boolean => text.length <= 265 && /^(none$|(user|team|key):.)/s.test(text);

/** What the caller may do with a vector store. */
export const permissionOn = (id: string) =>
  queryOptions({
    queryKey: ["stores", "permission", id],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/permissions/me", {
          params: { path: { vector_store_id: id } },
          signal,
        }),
      ),
  });

/** Makes every list and page of vector stores be asked for again. */
function useForgetStores() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ["stores"] });
}

export function useCreateStore() {
  const forget = useForgetStores();
  return useAction({
    mutationFn: (body: Schemas["CreateVectorStoreRequest"]) => answered(api.POST("/v1/vector_stores", { body })),
    onSuccess: forget,
  });
}

export function useUpdateStore(id: string) {
  const forget = useForgetStores();
  return useAction({
    mutationFn: (body: StoreChange) =>
      answered(api.POST("/v1/vector_stores/{vector_store_id}", { params: { path: { vector_store_id: id } }, body })),
    onSuccess: forget,
  });
}

/** Does the same to several vector stores. The lists are asked for again only once, at the end. */
function useSeveral<T>(one: (id: string, what: T) => Promise<unknown>) {
  const forget = useForgetStores();
  return useAction({
    mutationFn: ({ ids, what }: { ids: readonly string[]; what: T }) => eachOf(ids, (id) => one(id, what)),
    onSettled: forget,
  });
}

/** Somebody else may have deleted one of them before; then it is gone, too. */
export const useDeleteStores = () =>
  useSeveral<null>(async (id) => {
    try {
      await answered(api.DELETE("/v1/vector_stores/{vector_store_id}", { params: { path: { vector_store_id: id } } }));
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 404) throw error;
    }
  });

export const useUpdateStores = () =>
  useSeveral<StoreChange>((id, body) =>
    answered(api.POST("/v1/vector_stores/{vector_store_id}", { params: { path: { vector_store_id: id } }, body })),
  );
