import { infiniteQueryOptions } from "@tanstack/react-query";
import { type Schemas, answered, api } from "./client.js";

export type SearchBody = Schemas["SearchRequest"];
export type Hit = Schemas["SearchResultsPage"]["data"][number];

export interface Found extends Omit<Schemas["SearchResultsPage"], "object"> {
  /** Milliseconds: what this browser has waited, and what the service says it took, by part. */
  times: { waited: number; parts: Record<string, number> };
  /** Why something was not done as asked for. */
  warning: string | null;
}

/** A search and its further pages. The same one is not asked for twice; "search again" is a refetch. */
export const searchResults = (storeId: string, body: SearchBody) =>
  infiniteQueryOptions({
    queryKey: ["stores", "search", storeId, body],
    queryFn: async ({ signal, pageParam }): Promise<Found> => {
      const startedAt = performance.now();
      let headers = new Headers();
      const page = await answered(
        api
          .POST("/v1/vector_stores/{vector_store_id}/search", {
            params: { path: { vector_store_id: storeId } },
            body: { ...body, ...(pageParam !== "" && { page: pageParam }) },
            signal,
          })
          .then((answer) => {
            headers = answer.response.headers;
            return answer;
          }),
      );
      return {
        ...page,
        times: { waited: performance.now() - startedAt, parts: timesIn(headers.get("server-timing") ?? "") },
        warning: headers.get("x-vector-store-warning"),
      };
    },
    initialPageParam: "",
    getNextPageParam: ({ next_page: next }) => next,
    staleTime: Infinity,
  });

/** The parts of a `Server-Timing` header: `db;dur=1.2, total;dur=3`. */
function timesIn(header: string): Record<string, number> {
  const parts = [...header.matchAll(/(\w+);dur=([\d.]+)/g)];
  return Object.fromEntries(parts.map(([, name = "", ms]) => [name, Number(ms)]));
}
