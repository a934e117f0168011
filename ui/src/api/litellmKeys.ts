import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type LitellmKey = Schemas["LitellmKey"];

interface LitellmKeyQuery {
  user_id?: string;
  team_id?: string;
  alias?: string;
  page?: string;
  limit?: number;
}

/** A page of LiteLLM's virtual keys, newest first. */
export const litellmKeys = (query: LitellmKeyQuery) =>
  queryOptions({
    queryKey: ["keys", "litellm", query],
    queryFn: ({ signal }) => answered(api.GET("/v1/admin/litellm_keys", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });

/** A new key is shown at once, whatever becomes of the list; it may be there even if its answer was lost. */
function useForgetKeys() {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: ["keys", "litellm"] });
  };
}

export function useCreateLitellmKey() {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: (body: Schemas["CreateLitellmKeyRequest"]) => answered(api.POST("/v1/admin/litellm_keys", { body })),
    onSettled,
  });
}

export function useBlockLitellmKey(hash: string) {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: (blocked: boolean) => {
      const params = { path: { key_hash: hash } };
      return answered(
        blocked
          ? api.POST("/v1/admin/litellm_keys/{key_hash}/block", { params })
          : api.POST("/v1/admin/litellm_keys/{key_hash}/unblock", { params }),
      );
    },
    onSettled,
  });
}

export function useRotateLitellmKey(hash: string) {
  const onSettled = useForgetKeys();
  return useAction({
    mutationFn: (overlapSeconds: number) =>
      answered(
        api.POST("/v1/admin/litellm_keys/{key_hash}/rotate", {
          params: { path: { key_hash: hash } },
          body: { overlap_seconds: overlapSeconds },
        }),
      ),
    onSettled,
  });
}
