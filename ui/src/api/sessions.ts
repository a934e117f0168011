import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";
import { Failure } from "./failure.js";

export type Session = Schemas["Session"];

/** Where the caller is signed in. */
export const ownSessions = queryOptions({
  queryKey: ["sessions", "own"],
  queryFn: ({ signal }) => answered(api.GET("/v1/sessions", { signal })),
});

/** Who is signed in, for administrators. */
export const allSessions = (query: { after?: string }) =>
  queryOptions({
    queryKey: ["sessions", "all", query],
    queryFn: ({ signal }) => answered(api.GET("/v1/admin/sessions", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });

/** One that has ended by itself in the meantime is no failure. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Failure && error.status === 404)) throw error;
}

/** Ends sessions one after the other. Others' are ended by administrators. */
export function useEndSessions(whose: "own" | "all") {
  const queries = useQueryClient();
  return useAction({
    mutationFn: async (ids: readonly string[]) => {
      for (const id of ids) {
        const params = { path: { session_id: id } };
        await answered(
          whose === "own"
            ? api.DELETE("/v1/sessions/{session_id}", { params })
            : api.DELETE("/v1/admin/sessions/{session_id}", { params }),
        ).catch(unlessGone);
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
}
