import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Schemas, answered, api } from "./client.js";

export type User = Schemas["User"];
export type Team = Schemas["Team"];
/** `gone`: those that have something here, and that LiteLLM does not have. */
export type Source = "litellm" | "service" | "gone";
export type Kind = "user" | "team";

interface PeopleQuery {
  source: Source;
  /** Part of a user's email, or of a team's alias. */
  search?: string;
  page?: string;
  limit?: number;
}

/** What both lists are asked by. */
function sent({ source, page, limit }: PeopleQuery) {
  return {
    ...(page !== undefined && { page }),
    ...(limit !== undefined && { limit }),
    ...(source === "gone" ? { source: "service" as const, in_litellm: "false" as const } : { source }),
  };
}

/** A page of users: LiteLLM's, or all that have something here. */
export const userList = (query: PeopleQuery) =>
  queryOptions({
    queryKey: ["people", "users", query],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/admin/users", {
          params: { query: { ...sent(query), ...(query.search !== undefined && { email: query.search }) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The same for teams. */
export const teamList = (query: PeopleQuery) =>
  queryOptions({
    queryKey: ["people", "teams", query],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/admin/teams", {
          params: { query: { ...sent(query), ...(query.search !== undefined && { alias: query.search }) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const userOf = (id: string) =>
  queryOptions({
    queryKey: ["people", "user", id],
    queryFn: ({ signal }) =>
      answered(api.GET("/v1/admin/users/{user_id}", { params: { path: { user_id: id } }, signal })),
  });

export const teamOf = (id: string) =>
  queryOptions({
    queryKey: ["people", "team", id],
    queryFn: ({ signal }) =>
      answered(api.GET("/v1/admin/teams/{team_id}", { params: { path: { team_id: id } }, signal })),
  });

/** As many as the service looks up at once. */
const mostNames = 50;

interface Batch {
  ids: Set<string>;
  names: Promise<ReadonlyMap<string, string | null>>;
}
const batches: Partial<Record<Kind, Batch>> = {};

/** What somebody is known by; all that a page shows at the same time are asked for at once. */
export const personName = (kind: Kind, id: string) =>
  queryOptions({
    queryKey: ["people", "name", kind, id],
    queryFn: async () => {
      // The service takes the ids between commas.
      if (id.includes(",")) return null;
      const batch = (batches[kind] ??= begin(kind));
      batch.ids.add(id);
      if (batch.ids.size === mostNames) batches[kind] = undefined;
      return (await batch.names).get(id) ?? null;
    },
    staleTime: 300_000,
    retry: false,
  });

function begin(kind: Kind): Batch {
  const ids = new Set<string>();
  const asked = new Promise((done) => setTimeout(done, 0)).then(() => {
    if (batches[kind]?.ids === ids) batches[kind] = undefined;
    return namesOf(kind, [...ids].join(","));
  });
  return { ids, names: asked };
}

async function namesOf(kind: Kind, ids: string): Promise<ReadonlyMap<string, string | null>> {
  if (kind === "user") {
    const { data } = await answered(api.GET("/v1/admin/users", { params: { query: { ids } } }));
    return new Map(data.map(({ id, litellm }) => [id, litellm?.email ?? litellm?.alias ?? null]));
  }
  const { data } = await answered(api.GET("/v1/admin/teams", { params: { query: { ids } } }));
  return new Map(data.map(({ id, litellm }) => [id, litellm?.alias ?? null]));
}
