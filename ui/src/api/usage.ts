import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { daysBetween } from "../parts/days.js";
import { type Schemas, answered, api } from "./client.js";

export type UsageRow = Schemas["UsageRow"];

/** What usage can be summed by, in the order that the page shows. */
export const usageGroups = ["day", "user_id", "team_id", "key_id", "vector_store_id", "action"] as const;
export type UsageGroup = (typeof usageGroups)[number];

export interface UsageQuery {
  from?: string;
  to?: string;
  group_by?: string;
  user_id?: string;
  team_id?: string;
  key_id?: string;
  vector_store_id?: string;
  action?: string;
  page?: string;
  limit?: number;
}

export type Whose = "own" | "all";

/** Sums of requests and tokens: the caller's own, or for administrators everybody's. */
export const usage = (whose: Whose, query: UsageQuery) =>
  queryOptions({
    queryKey: ["usage", whose, query],
    queryFn: ({ signal }) =>
      answered(
        whose === "own"
          ? api.GET("/v1/usage", { params: { query }, signal })
          : api.GET("/v1/admin/usage", { params: { query }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

/** Where the browser downloads the same sums, of all pages, as a file for spreadsheets. */
export function usageCsv(whose: Whose, query: UsageQuery): string {
  const params = new URLSearchParams({ ...query, limit: "0", format: "csv" });
  params.delete("page");
  params.delete("limit");
  return `${whose === "own" ? "/v1/usage" : "/v1/admin/usage"}?${params.toString()}`;
}

/** A row for each day from the first to the last, with zeros where nothing was asked. */
export function everyDay({ from, to, data }: Schemas["Usage"]): (UsageRow & { day: string })[] {
  const known = new Map(data.map((row) => [row.day, row]));
  const none = { requests: 0, failures: 0, tokens: 0, duration_ms: 0 };
  return daysBetween(from, to).map((day) => ({ ...none, ...known.get(day), day }));
}
