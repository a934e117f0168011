import { isRecord } from "../../api/failure.js";
import type { Filters } from "../../api/rows.js";

/** Filters as the form has them: comparisons, all or any of which must hold. Others are written as JSON. */

export const operators = ["eq", "ne", "gt", "gte", "lt", "lte", "prefix", "substring", "contains"] as const;
export type Operator = (typeof operators)[number];
/** Values are compared within their type: 5 is not "5". */
export const kinds = ["text", "number", "boolean"] as const;
export type Kind = (typeof kinds)[number];

export interface Condition {
  key: string;
  operator: Operator;
  kind: Kind;
  value: string;
}
export interface SimpleFilter {
  join: "and" | "or";
  conditions: Condition[];
}

export const noCondition: Condition = { key: "", operator: "eq", kind: "text", value: "" };

/** What the form shows of a filter; null: it is one that only JSON can say. */
export function simpleFilter(json: string): SimpleFilter | null {
  if (json.trim() === "") return { join: "and", conditions: [] };
  const filter = parsed(json);
  if (!isRecord(filter)) return null;
  const { type, filters } = filter;
  if ((type === "and" || type === "or") && Array.isArray(filters)) {
    const conditions = filters.map(condition);
    return conditions.every((each) => each !== null) ? { join: type, conditions } : null;
  }
  const only = condition(filter);
  return only === null ? null : { join: "and", conditions: [only] };
}

function condition(filter: unknown): Condition | null {
  if (!isRecord(filter) || typeof filter.key !== "string") return null;
  const operator = operators.find((each) => each === filter.type);
  if (operator === undefined) return null;
  const { key, value } = filter;
  if (typeof value === "string") return { key, operator, kind: "text", value };
  if (typeof value === "number") return { key, operator, kind: "number", value: String(value) };
  return typeof value === "boolean" ? { key, operator, kind: "boolean", value: String(value) } : null;
}

/** Conditions that are not filled in yet are left out. */
export function jsonOf({ join, conditions }: SimpleFilter): string {
  const filters = conditions.flatMap(({ key, operator, kind, value }) => {
    const typed = kind === "text" ? value : kind === "boolean" ? value === "true" : Number(value);
    const isWhole = key !== "" && (kind !== "number" || (value.trim() !== "" && Number.isFinite(typed)));
    return isWhole ? [{ type: operator, key, value: typed }] : [];
  });
  const [first] = filters;
  if (first === undefined) return "";
  return JSON.stringify(filters.length === 1 ? first : { type: join, filters });
}

/** What is wrong with a filter's JSON; null: nothing that can be seen here. The service knows the rest. */
export function filterProblem(json: string): string | null {
  if (json.trim() === "") return null;
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? null : "{ … }";
  } catch (error) {
    return (error as Error).message;
  }
}

/** For the service, which checks it; undefined: all. */
export function filtersOf(json: string): Filters | undefined {
  const value = json.trim() === "" ? undefined : parsed(json);
  return isRecord(value) ? (value as Filters) : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
