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
