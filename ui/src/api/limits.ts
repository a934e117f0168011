import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type Limits = Schemas["Limits"];

/** The limits that were set for a subject; null: none, so those of the settings hold. */
export const limitsOf = (subject: string) =>
  queryOptions({
    queryKey: ["limits", subject],
    queryFn: async ({ signal }): Promise<Limits | null> => {
      const { data } = await answered(api.GET("/v1/admin/limits", { params: { query: { subject } }, signal }));
      return data[0] ?? null;
    },
  });

/** What the caller's user and team may have, and what they have; empty for the service's own keys. */
export const ownLimits = queryOptions({
  queryKey: ["limits", "own"],
  queryFn: async ({ signal }) => (await answered(api.GET("/v1/limits", { signal }))).data,
});

/** Sets a subject's limits; null: leaves it those of the settings. */
export function useSetLimits(subject: string) {
  const queries = useQueryClient();
  return useAction({
    mutationFn: async (body: Schemas["LimitsRequest"] | null) => {
      const params = { path: { subject } };
      if (body === null) await answered(api.DELETE("/v1/admin/limits/{subject}", { params }));
      else await answered(api.PUT("/v1/admin/limits/{subject}", { params, body }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["limits"] }),
  });
}
