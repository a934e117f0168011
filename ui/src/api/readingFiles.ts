import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Schemas, answered, api } from "./client.js";
import { Failure } from "./failure.js";
import { type StoreFile, forgetCounts, hideFile, listedFiles, showFile } from "./storeFiles.js";
import { heed } from "./uploads/persist.js";
import { filesBeingRead, noteFile } from "./uploads/queue.js";

/** How far the service is with the files of a vector store that are shown while it reads them. */

/** The first pause: most files are read by then. */
const soonMs = 2_000;
/** While files move on. Every look is one to three of the caller's requests, which may be limited. */
const movingMs = 6_000;
/** While nothing changes. */
const lateMs = 15_000;

/**
 * Asks about all of them at once: however many there are, it takes one list, and where some have ended, one answer and
 * one list more. Asks less and less often while nothing changes.
 * @param isReading whether any is being read
 */
export function useReading(storeId: string, isReading: boolean): void {
  const queries = useQueryClient();
  const queryKey = ["stores", "files", storeId, "reading"];
  useQuery({
    queryKey,
    queryFn: async ({ signal }): Promise<{ waitMs: number }> => {
      const hasChanged = await look(queries, storeId, signal).catch((error: unknown) => {
        heed(error);
        throw error;
      });
      const before = queries.getQueryData<{ waitMs: number }>(queryKey)?.waitMs ?? soonMs;
      return { waitMs: hasChanged ? movingMs : Math.min(lateMs, before * 1.5) };
    },
    enabled: isReading,
    retry: false,
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state: { data, error } }) =>
      error === null
        ? (data?.waitMs ?? soonMs)
        : Math.max(lateMs, (error instanceof Failure ? (error.retryAfterSeconds ?? 0) : 0) * 1000),
  });
}

/** @returns whether anything has changed */
async function look(queries: QueryClient, storeId: string, signal: AbortSignal): Promise<boolean> {
  const shown = new Map<string, StoreFile>();
  for (const file of [...listedFiles(queries, storeId), ...filesBeingRead(storeId)])
    if (file.status === "in_progress") shown.set(file.id, file);
  if (shown.size === 0) return false;
  // The service reads the oldest first.
  const { data: reading, has_more: more } = await list(storeId, { filter: "in_progress" }, signal);
  const last = reading.at(-1);
  const isListed = ({ created_at: at }: StoreFile) => !more || last === undefined || at < last.created_at;
  const now = new Map<string, StoreFile | null>(reading.map((file) => [file.id, file]));
  const ended = [...shown.values()].filter((file) => !now.has(file.id) && isListed(file));
  for (const [id, file] of await ends(storeId, ended, signal)) now.set(id, file);
  let hasChanged = false;
  for (const [id, before] of shown) {
    const file = now.get(id);
    if (file === undefined || (file !== null && JSON.stringify(file) === JSON.stringify(before))) continue;
    hasChanged = true;
    if (file === null) hideFile(queries, storeId, id);
    else showFile(queries, file);
    noteFile(storeId, id, file);
  }
  if (ended.length > 0) void forgetCounts(queries, storeId);
  return hasChanged;
}

/** How files have ended: the oldest, and those that follow it in the list. @returns null: it has left the store */
async function ends(
  storeId: string,
  ended: readonly StoreFile[],
  signal: AbortSignal,
): Promise<[string, StoreFile | null][]> {
  const [first, ...others] = ended.toSorted((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
  if (first === undefined) return [];
  const path = { vector_store_id: storeId, file_id: first.id };
  try {
    const call = api.GET("/v1/vector_stores/{vector_store_id}/files/{file_id}", { params: { path }, signal });
    const found: [string, StoreFile][] = [[first.id, await answered(call)]];
    if (others.length === 0) return found;
    const { data } = await list(storeId, { after: first.id }, signal);
    return [...found, ...data.map((file): [string, StoreFile] => [file.id, file])];
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return [[first.id, null]];
    throw error;
  }
}

const list = (
  storeId: string,
  query: { filter?: "in_progress"; after?: string },
  signal: AbortSignal,
): Promise<Schemas["VectorStoreFileList"]> =>
  answered(
    api.GET("/v1/vector_stores/{vector_store_id}/files", {
      params: { path: { vector_store_id: storeId }, query: { limit: 100, order: "asc", ...query } },
      signal,
    }),
  );
