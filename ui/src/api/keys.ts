import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type ServiceKey = Schemas["Key"];

/** As the service has them, the weakest first. */
export const keyScopes = ["search", "read", "write", "admin"] as const;
export type KeyScope = (typeof keyScopes)[number];

/** The keys of the service itself. */
export const serviceKeys = queryOptions({
  queryKey: ["keys", "service"],
  queryFn: ({ signal }) => answered(api.GET("/v1/admin/keys", { signal })),
});

/** A new key is shown at once, whatever becomes of the list; it may be there even if its answer was lost. */
function useForgetKeys() {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: ["keys", "service"] });
  };
}

export function useCreateKey() {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: (body: Schemas["CreateKeyRequest"]) => answered(api.POST("/v1/admin/keys", { body })),
    onSettled,
  });
}

export function useRotateKey(id: string) {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: (overlapSeconds: number) =>
      answered(
        api.POST("/v1/admin/keys/{key_id}/rotate", {
          params: { path: { key_id: id } },
          body: { overlap_seconds: overlapSeconds },
        }),
      ),
    onSettled,
  });
}

export function useRevokeKey(id: string) {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: () => answered(api.DELETE("/v1/admin/keys/{key_id}", { params: { path: { key_id: id } } })),
    onSettled,
  });
}
