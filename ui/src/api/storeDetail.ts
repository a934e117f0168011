import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { answered, api } from "./client.js";
import { noSuchStore } from "../parts/failureText.js";
import { Failure } from "./failure.js";
import type { ListedStore } from "./stores.js";

/** How often a vector store is asked for while it changes by itself: each time is one of the caller's requests. */
const changingMs = 10_000;
/** An index waits until the loading of rows slows down, which may take hours. */
const waitingMs = 30_000;

/** One vector store with its owner and rows, which only the list says. Asked for again while something is being built. */
export const storeDetail = (id: string) =>
  queryOptions({
    queryKey: ["stores", "detail", id],
    queryFn: async ({ signal }): Promise<ListedStore> => {
      const call = api.GET("/v1/me/vector_stores", { params: { query: { id } }, signal });
      const [store] = (await answered(call)).data;
      if (store !== undefined) return store;
      const { headers } = (await call).response;
      throw new Failure(`There is no vector store '${id}'.`, 404, noSuchStore, null, headers.get("x-request-id"), null);
    },
    refetchInterval: ({ state: { data, error } }) =>
      data === undefined ? false : error === null ? pauseOf(data) : waitingMs,
  });

function pauseOf({ index, file_counts: files }: ListedStore): number | false {
  if (files.in_progress > 0 || index.state === "building" || index.keywords === "building") return changingMs;
  return index.state === "waiting" ? waitingMs : false;
}

export function useReindex(id: string) {
  const queries = useQueryClient();
  return useAction({
    mutationFn: () =>
      answered(api.POST("/v1/vector_stores/{vector_store_id}/reindex", { params: { path: { vector_store_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["stores"] }),
  });
}

/** Deletes the vector store of the page, about which nothing is asked again. */
export function useDeleteThisStore(id: string) {
  const queries = useQueryClient();
  return useAction({
    mutationFn: () =>
      answered(api.DELETE("/v1/vector_stores/{vector_store_id}", { params: { path: { vector_store_id: id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["stores", "list"] }),
  });
}
