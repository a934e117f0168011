import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "./once.js";
import { type Schemas, answered, api } from "./client.js";

export type Estate = Schemas["Estate"];

/** What belongs to a user, a team or a key. @param subject `user:ID`, `team:ID` or `key:ID` */
export const ownerOf = (subject: string) =>
  queryOptions({
    queryKey: ["owners", subject],
    queryFn: ({ signal }) => answered(api.GET("/v1/admin/owners/{subject}", { params: { path: { subject } }, signal })),
  });

/** What belongs to whom is shown on many pages. */
function useForgetAll() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ predicate: ({ queryKey: [of] }) => of !== "me" });
}

export function useTransferOwner(subject: string) {
  const onSuccess = useForgetAll();
  return useAction({
    mutationFn: (to: string) =>
      answered(api.POST("/v1/admin/owners/{subject}/transfer", { params: { path: { subject } }, body: { to } })),
    onSuccess,
  });
}

export function useEraseOwner(subject: string) {
  const queries = useQueryClient();
  // Its pages are left: asked for again, they would be 404.
  const onSuccess = () =>
    queries.invalidateQueries({ predicate: ({ queryKey: [of] }) => of !== "me", refetchType: "none" });
  return useAction({
    mutationFn: () =>
      answered(
        api.POST("/v1/admin/owners/{subject}/erase", { params: { path: { subject } }, body: { confirm: subject } }),
      ),
    onSuccess,
  });
}
