import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type Schemas, answered, api } from "./client.js";

export type AuditEntry = Schemas["AuditEntry"];

/** Administrative acts, newest first. */
export const auditLog = (query: { after?: string; limit?: number }) =>
  queryOptions({
    queryKey: ["audit", query],
    queryFn: ({ signal }) => answered(api.GET("/v1/admin/audit", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
