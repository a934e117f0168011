import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type Permission = Schemas["Permission"];
export type Level = Permission["permission"];
export const levels = ["read", "write", "admin"] as const satisfies Level[];

export const permissionsOn = (storeId: string) =>
  queryOptions({
    queryKey: ["stores", "permissions", storeId],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/vector_stores/{vector_store_id}/permissions", {
          params: { path: { vector_store_id: storeId } },
          signal,
        }),
      ),
  });

function useForgetPermissions(storeId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all(
      ["permissions", "permission", "detail"].map((what) =>
        queries.invalidateQueries({ queryKey: ["stores", what, storeId] }),
      ),
    );
}

export function useGrant(storeId: string) {
  return useAction({
    mutationFn: ({ subject, permission }: { subject: string; permission: Level }) =>
      answered(
        api.PUT("/v1/vector_stores/{vector_store_id}/permissions/{subject}", {
          params: { path: { vector_store_id: storeId, subject } },
          body: { permission },
        }),
      ),
    onSuccess: useForgetPermissions(storeId),
  });
}

export function useRevoke(storeId: string) {
  return useAction({
    mutationFn: (subject: string) =>
      answered(
        api.DELETE("/v1/vector_stores/{vector_store_id}/permissions/{subject}", {
          params: { path: { vector_store_id: storeId, subject } },
        }),
      ),
    onSuccess: useForgetPermissions(storeId),
  });
}

export function useTransfer(storeId: string) {
  return useAction({
    mutationFn: (body: Schemas["OwnerRequest"]) =>
      answered(
        api.PUT("/v1/vector_stores/{vector_store_id}/owner", {
          params: { path: { vector_store_id: storeId } },
          body,
        }),
      ),
    onSuccess: useForgetPermissions(storeId),
  });
}

/** A user or team of LiteLLM. */
export interface Person {
  id: string;
  name: string | null;
}

/** Those of LiteLLM's users or teams whose email or alias contains a text. */
export const peopleLike = (kind: "user" | "team", text: string) =>
  queryOptions({
    queryKey: ["people", "like", kind, text],
    queryFn: async ({ signal }): Promise<Person[]> => {
      if (kind === "user") {
        const query = { email: text, limit: 8 };
        const { data } = await answered(api.GET("/v1/admin/users", { params: { query }, signal }));
        return data.map(({ id, litellm }) => ({ id, name: litellm?.email ?? litellm?.alias ?? null }));
      }
      const query = { alias: text, limit: 8 };
      const { data } = await answered(api.GET("/v1/admin/teams", { params: { query }, signal }));
      return data.map(({ id, litellm }) => ({ id, name: litellm?.alias ?? null }));
    },
    staleTime: 60_000,
  });
