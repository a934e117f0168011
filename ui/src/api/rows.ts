import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type Row = Schemas["Embedding"];
export type JsonObject = Record<string, unknown>;
export type Filters = NonNullable<Schemas["DeleteEmbeddingsRequest"]["filters"]>;

interface RowQuery {
  /** A filter as JSON; empty: all rows. */
  filters: string;
  after: string;
}

/** A page of a vector store's rows, newest first. */
export const rowList = (storeId: string, { filters, after }: RowQuery) =>
  queryOptions({
    queryKey: ["stores", "rows", storeId, "list", filters, after],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/embeddings", {
          params: {
            path: { vector_store_id: storeId },
            query: { limit: 25, ...(filters !== "" && { filters }), ...(after !== "" && { after }) },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

function useForgetRows(storeId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["stores", "rows", storeId] }),
      queries.invalidateQueries({ queryKey: ["stores", "detail", storeId] }),
      queries.invalidateQueries({ queryKey: ["stores", "search", storeId] }),
    ]);
}

export function useAddRow(storeId: string) {
  const forget = useForgetRows(storeId);
  return useAction({
    mutationFn: (body: { id?: string; content: string; metadata: JsonObject }) =>
      answered(
        api.POST("/v1/vector_stores/{vector_store_id}/embeddings", {
          params: { path: { vector_store_id: storeId } },
          body,
        }),
      ),
    onSuccess: forget,
  });
}

export function useChangeRow(storeId: string) {
  const forget = useForgetRows(storeId);
  return useAction({
    mutationFn: ({ id, ...body }: { id: string; content?: string; metadata?: JsonObject }) =>
      answered(
        api.PATCH("/v1/vector_stores/{vector_store_id}/embeddings/{embedding_id}", {
          params: { path: { vector_store_id: storeId, embedding_id: id } },
          body,
        }),
      ),
    onSuccess: forget,
  });
}

/** Deletes the rows with these ids, or all that a filter chooses. */
export function useDeleteRows(storeId: string) {
  const forget = useForgetRows(storeId);
  return useAction({
    mutationFn: (which: { ids: string[] } | { filters: Filters }) =>
      answered(
        api.DELETE("/v1/vector_stores/{vector_store_id}/embeddings", {
          params: { path: { vector_store_id: storeId } },
          body: which,
        }),
      ),
    onSuccess: forget,
  });
}
