import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Schemas, answered, api } from "./client.js";

export type User = Schemas["User"];
export type Team = Schemas["Team"];
export type Source = "litellm" | "service";
export type Kind = "user" | "team";

interface PeopleQuery {
  source: Source;
  /** Part of a user's email, or of a team's alias. */
  search?: string;
  page?: string;
  limit?: number;
}

/** A page of users: LiteLLM's, or all that have something here. */
export const userList = ({ search, ...query }: PeopleQuery) =>
  queryOptions({
    queryKey: ["people", "users", query, search],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/admin/users", {
          params: { query: { ...query, ...(search !== undefined && { email: search }) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The same for teams. */
export const teamList = ({ search, ...query }: PeopleQuery) =>
  queryOptions({
    queryKey: ["people", "teams", query, search],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/admin/teams", {
          params: { query: { ...query, ...(search !== undefined && { alias: search }) } },
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
