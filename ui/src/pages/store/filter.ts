import { isRecord } from "../../api/failure.js";
import type { Filters } from "../../api/rows.js";
import { numberIn, numberText } from "../../parts/formFields.js";
import { type JsonFault, jsonFault } from "../../parts/jsonFault.js";

/** Filters as the form has them: comparisons, all or any of which must hold. Others are written as JSON. */

export const operators = ["eq", "ne", "gt", "gte", "lt", "lte", "prefix", "substring", "contains"] as const;
type Operator = (typeof operators)[number];
/** Values are compared within their type: 5 is not "5". */
export const kinds = ["text", "number", "boolean"] as const;
export type Kind = (typeof kinds)[number];

export type Condition = Record<"key" | "value", string> & { operator: Operator; kind: Kind };
export interface SimpleFilter {
  join: "and" | "or";
  conditions: Condition[];
}

export const noCondition: Condition = { key: "", operator: "eq", kind: "text", value: "" };

/** A filter while somebody writes it: as JSON, or in the form, where conditions may still lack something. */
export type FilterDraft = string | SimpleFilter;

/** As a form where it can show the filter. */
export const draftOf = (json: string): FilterDraft => simpleFilter(json) ?? json;

export const jsonIn = (draft: FilterDraft): string => (typeof draft === "string" ? draft.trim() : jsonOf(draft));

/** Whether it can be sent: nothing of it is missing, or would be left out. */
export const isReady = (draft: FilterDraft): boolean =>
  typeof draft === "string"
    ? filterProblem(draft) === null
    : draft.conditions.every((each) => Object.keys(lacksOf(each)).length === 0);

/** What a condition still lacks, by its field. */
export function lacksOf({ key, kind, value }: Condition): Partial<Record<"key" | "value", "key" | "value" | "number">> {
  const isWrong = kind === "number" && Number.isNaN(numberIn(value));
  const isEmpty = kind === "number" ? value.trim() === "" : value === "";
  return {
    ...(key === "" && { key: "key" }),
    ...(isWrong ? { value: "number" } : isEmpty && { value: "value" }),
  };
}

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
  // In the form an empty text is one that was not typed yet.
  if (typeof value === "string") return value === "" ? null : { key, operator, kind: "text", value };
  if (typeof value === "number") return { key, operator, kind: "number", value: numberText(value) };
  return typeof value === "boolean" ? { key, operator, kind: "boolean", value: String(value) } : null;
}

function jsonOf({ join, conditions }: SimpleFilter): string {
  const filters = conditions.map(({ key, operator, kind, value }) => ({
    type: operator,
    key,
    value: typed(kind, value),
  }));
  const [first] = filters;
  if (first === undefined) return "";
  return JSON.stringify(filters.length === 1 ? first : { type: join, filters });
}

function typed(kind: Kind, value: string): string | number | boolean {
  if (kind === "boolean") return value === "true";
  const number = kind === "number" ? numberIn(value) : undefined;
  return number === undefined || Number.isNaN(number) ? value : number;
}

/** What is wrong with a filter's JSON; null: nothing that can be seen here. The service knows the rest. */
export const filterProblem = (json: string): JsonFault | null => (json.trim() === "" ? null : jsonFault(json));

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
