import { infiniteQueryOptions, keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";
import { isUnknownFile } from "./failure.js";
import { eachOf } from "./several.js";
import { forgetCounts } from "./storeFiles.js";

/** A file as it was uploaded, whether or not vector stores have it. */
export type UploadedFile = Schemas["File"];
export const purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"] as const;

interface FileQuery {
  purpose?: string;
  order?: "asc" | "desc";
  after?: string;
}

const list = (query: FileQuery & { limit: number }, signal: AbortSignal) =>
  answered(api.GET("/v1/files", { params: { query }, signal }));

/** A page of the files that the caller has uploaded; an administrator sees everybody's. */
export const uploadedFiles = (query: FileQuery) =>
  queryOptions({
    queryKey: ["files", "page", query],
    queryFn: ({ signal }) => list({ ...query, limit: 50 }, signal),
    placeholderData: keepPreviousData,
  });

/** The same files to choose from, newest first, a hundred at a time. */
export const filesToChoose = infiniteQueryOptions({
  queryKey: ["files", "choose"],
  queryFn: ({ signal, pageParam }) => list({ limit: 100, ...(pageParam !== "" && { after: pageParam }) }, signal),
  initialPageParam: "",
  getNextPageParam: ({ has_more: more, last_id: last }: Schemas["FileList"]) => (more ? last : null),
});

/** One file; null: it is not the caller's, or gone. */
export const uploadedFile = (id: string) =>
  queryOptions({
    queryKey: ["files", "one", id],
    queryFn: async ({ signal }): Promise<UploadedFile | null> => {
      try {
        return await answered(api.GET("/v1/files/{file_id}", { params: { path: { file_id: id } }, signal }));
      } catch (error) {
        if (isUnknownFile(error)) return null;
        throw error;
      }
    },
    // It stays whose it is.
    staleTime: 60_000,
  });

/** Where the bytes are, as they were uploaded. */
export const contentOf = (id: string): string => `/v1/files/${encodeURIComponent(id)}/content`;

/** Deletes files, with what was read from them. One that is gone already is no failure. */
export function useDeleteFiles() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: (ids: readonly string[]) =>
      eachOf(ids, async (id) => {
        try {
          await answered(api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: id } } }));
        } catch (error) {
          if (!isUnknownFile(error)) throw error;
        }
      }),
    onSettled: () =>
      Promise.all([["files"], ["stores"], ["limits"]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

/** Attaches files that were uploaded before to a vector store, all at once. */
export function useAttachFiles(storeId: string) {
  const queries = useQueryClient();
  return useAction({
    mutationFn: (ids: readonly string[]) =>
      answered(
        api.POST("/v1/vector_stores/{vector_store_id}/file_batches", {
          params: { path: { vector_store_id: storeId } },
          body: { file_ids: [...ids] },
        }),
      ),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["stores", "files", storeId] }),
        forgetCounts(queries, storeId),
      ]),
  });
}
