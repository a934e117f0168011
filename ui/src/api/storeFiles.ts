import {
  type InfiniteData,
  type QueryClient,
  infiniteQueryOptions,
  queryOptions,
  useQueryClient,
} from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type StoreFile = Schemas["VectorStoreFile"];
type FilePage = Schemas["VectorStoreFileList"];
export type FileStatus = StoreFile["status"];
export const fileStatuses = ["in_progress", "completed", "failed", "cancelled"] as const satisfies FileStatus[];

const filePath = (storeId: string, fileId: string) => ({
  params: { path: { vector_store_id: storeId, file_id: fileId } },
});

/** The files of a vector store, newest first, a hundred at a time. */
export const storeFileList = (storeId: string, filter: FileStatus | null) =>
  infiniteQueryOptions({
    queryKey: ["stores", "files", storeId, "list", filter],
    queryFn: ({ signal, pageParam }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/files", {
          params: {
            path: { vector_store_id: storeId },
            query: { limit: 100, ...(filter !== null && { filter }), ...(pageParam !== "" && { after: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ has_more: more, last_id: last }: FilePage) => (more ? last : null),
  });

/** How often one file is asked for while it is being read: each time is one of the caller's requests. */
const readingMs = 5_000;

/** One file, asked for again while it is being read. */
export const storeFile = (storeId: string, fileId: string) =>
  queryOptions({
    queryKey: ["stores", "files", storeId, "one", fileId],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/files/{file_id}", { ...filePath(storeId, fileId), signal }),
      ),
    refetchInterval: ({ state: { data, status } }) =>
      status !== "error" && data?.status === "in_progress" ? readingMs : false,
  });

/** What was read from a file, a thousand chunks at a time. */
export const fileText = (storeId: string, fileId: string) =>
  infiniteQueryOptions({
    queryKey: ["stores", "files", storeId, "text", fileId],
    queryFn: ({ signal, pageParam }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/files/{file_id}/content", {
          params: {
            path: { vector_store_id: storeId, file_id: fileId },
            query: { include_metadata: "true", ...(pageParam !== "" && { page: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next_page: next }: Schemas["VectorStoreFileContent"]) => next,
  });

/** Puts what is known of a file into the lists that are shown, instead of asking for all their pages again. */
export function showFile(queries: QueryClient, file: StoreFile): void {
  const { vector_store_id: storeId, id } = file;
  queries.setQueryData(storeFile(storeId, id).queryKey, file);
  eachList(queries, storeId, (pages, filter) => {
    const known = pages.some(({ data }) => data.some((each) => each.id === id));
    if (known) return pages.map((page) => ({ ...page, data: page.data.map((each) => (each.id === id ? file : each)) }));
    if (filter !== null && filter !== file.status) return pages;
    return pages.map((page, i) => (i === 0 ? { ...page, data: [file, ...page.data] } : page));
  });
}

/** The files of all lists of a vector store that are known. */
export const listedFiles = (queries: QueryClient, storeId: string): StoreFile[] =>
  queries
    .getQueriesData<InfiniteData<FilePage>>({ queryKey: ["stores", "files", storeId, "list"] })
    .flatMap(([, list]) => list?.pages.flatMap(({ data }) => data) ?? []);

/** Takes a file that has gone out of the lists that are shown. */
export function hideFile(queries: QueryClient, storeId: string, id: string): void {
  eachList(queries, storeId, (pages) =>
    pages.map((page) => ({ ...page, data: page.data.filter((each) => each.id !== id) })),
  );
}

function eachList(
  queries: QueryClient,
  storeId: string,
  change: (pages: FilePage[], filter: FileStatus | null) => FilePage[],
): void {
  for (const filter of [null, ...fileStatuses]) {
    queries.setQueryData(storeFileList(storeId, filter).queryKey, (old: InfiniteData<FilePage> | undefined) =>
      old === undefined ? undefined : { ...old, pages: change(old.pages, filter) },
    );
  }
}

/** What searches and lists of rows have shown. */
const forgetContents = (queries: QueryClient, storeId: string) =>
  ["search", "rows"].map((of) => queries.invalidateQueries({ queryKey: ["stores", of, storeId], refetchType: "none" }));

export const forgetCounts = (queries: QueryClient, storeId: string) =>
  Promise.all([
    queries.invalidateQueries({ queryKey: ["stores", "detail", storeId] }),
    ...forgetContents(queries, storeId),
    queries.invalidateQueries({ queryKey: ["stores", "list"], refetchType: "none" }),
  ]);

export const attachFile = (storeId: string, fileId: string, signal?: AbortSignal): Promise<StoreFile> =>
  answered(
    api.POST("/v1/vector_stores/{vector_store_id}/files", {
      params: { path: { vector_store_id: storeId } },
      body: { file_id: fileId },
      ...(signal !== undefined && { signal }),
    }),
  ).then((answer) => {
    // With `file_id` it is one file; only texts give a list.
    if ("data" in answer) throw new Error("attaching one file has answered a list");
    return answer;
  });

/** Has a file that has failed read again, with the attributes that it has, and cut as it was to be. */
export function useReadAgain() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: async ({ vector_store_id: storeId, id, attributes, chunking_strategy: cutting }: StoreFile) => {
      const answer = await answered(
        api.POST("/v1/vector_stores/{vector_store_id}/files", {
          params: { path: { vector_store_id: storeId } },
          body: { file_id: id, attributes, ...(cutting.type === "static" && { chunking_strategy: cutting }) },
        }),
      );
      if ("data" in answer) throw new Error("attaching one file has answered a list");
      return answer;
    },
    onSuccess: (file) => {
      showFile(queries, file);
      return forgetCounts(queries, file.vector_store_id);
    },
  });
}

export function useChangeAttributes({ vector_store_id: storeId, id }: StoreFile) {
  const queries = useQueryClient();
  return useAction({
    mutationFn: (attributes: StoreFile["attributes"]) =>
      answered(
        api.POST("/v1/vector_stores/{vector_store_id}/files/{file_id}", {
          ...filePath(storeId, id),
          body: { attributes },
        }),
      ),
    onSuccess: async (file) => {
      showFile(queries, file);
      await Promise.all(forgetContents(queries, storeId));
    },
  });
}

/** Takes a file out of a vector store, or deletes it with all that was read from it, wherever it is attached. */
export function useRemoveFile() {
  const queries = useQueryClient();
  return useAction({
    mutationFn: async ({ file, everywhere }: { file: StoreFile; everywhere: boolean }): Promise<void> => {
      const { vector_store_id: storeId, id } = file;
      if (everywhere) await answered(api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: id } } }));
      else await answered(api.DELETE("/v1/vector_stores/{vector_store_id}/files/{file_id}", filePath(storeId, id)));
    },
    onSuccess: async (_, { file: { vector_store_id: storeId, id } }) => {
      hideFile(queries, storeId, id);
      // Not asked for again while the dialog is open: it may be gone.
      await queries.invalidateQueries({ queryKey: ["files"], refetchType: "none" });
      await forgetCounts(queries, storeId);
    },
  });
}
