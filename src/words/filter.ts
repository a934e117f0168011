import { invalid } from "./errors.js";
import { ExactNumber, isObject, problemWithNumber } from "./exactJson.js";
import { letterChanges } from "./spelling.js";

export type FilterValue = string | number | ExactNumber | boolean;

/**
 * A condition on a chunk's metadata: OpenAI's comparison and compound filters, and ours. A comparison holds only
 * between values of one type: the number 5 is not the string "5". `eq` and `in` also hold for an array with such an
 * element; `ne` and `nin` hold where these do not, so also for a missing key. `contains` (one element) and `all` hold
 * only for arrays, `exists` for any value but null, `prefix` and `substring` for a string with these characters.
 */
export type Filter =
  | { type: "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "contains"; key: string; value: FilterValue }
  | { type: "in" | "nin" | "all"; key: string; value: FilterValue[] }
  | { type: "exists"; key: string; value: boolean }
  | { type: "prefix" | "substring"; key: string; value: string }
  | { type: "and" | "or"; filters: Filter[] };

export const filterLimits = { depth: 20, conditions: 500, values: 2000, keyLength: 256 };

const comparisons = ["eq", "ne", "gt", "gte", "lt", "lte", "contains"] as const;
const memberships = ["in", "nin", "all"] as const;
const ofText = ["prefix", "substring"] as const;
const compounds = ["and", "or"] as const;
/** A filter of nothing but one of these is a mistake; other words may be values of a key "type". */
const openaiTypes = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or"] as const;
export const filterTypes = [...comparisons, ...memberships, ...ofText, "exists", ...compounds] as const;

const includes = <T extends string>(list: readonly T[], value: unknown): value is T =>
  (list as readonly unknown[]).includes(value);

/**
 * Reads `filters` in either dialect: OpenAI's grammar, or litellm-pgvector's flat `{key: value, …}`, where all keys
 * must be equal. What looks like OpenAI's is never read as flat, even if it is not complete: a misspelt word would turn
 * "kind is pet" into other conditions. Recursion stops at `filterLimits.depth`, whatever the input.
 * @throws ApiError 400 naming the place, e.g. `filters.filters[2].value`.
 */
export function parseFilter(input: unknown, path = "filters"): Filter | null {
  if (input === null || input === undefined) return null;
  if (!isObject(input)) throw invalid(path, "expected an object");
  const budget = { ...filterLimits };
  if (isTyped(input)) {
    const filter = parseTyped(input, path, 1, budget);
    return isEmpty(filter) ? null : filter;
  }
  if (isNearlyTyped(input)) throw invalid(path, notTyped);
  const filters = Object.entries(input).map(([key, value]): Filter => {
    spend(budget, path);
    return { type: "eq", key: parseKey(key, path), value: parseValue(value, `${path}.${key.slice(0, 64)}`) };
  });
  return filters.length === 0 ? null : { type: "and", filters };
}

/** Whether a filter uses the words of OpenAI's grammar. A flat one may have a key "type", even "key", but not both. */
const isTyped = (input: Record<string, unknown>): boolean =>
  ("type" in input &&
    ("key" in input || "value" in input || "filters" in input || includes(openaiTypes, input.type))) ||
  ("key" in input && "value" in input) ||
  Array.isArray(input.filters);

/** Names that senders use for the words of the grammar. */
const nearNames = {
  type: ["type", "op", "operator", "operation", "comparison", "comparator"],
  other: ["key", "field", "value", "val", "filters", "conditions"],
};
/** What senders write for the operators of the grammar. */
const nearOperators = ["=", "==", "===", "!=", "<>", "<", "<=", ">", ">=", "equal", "equals"];

/** Whether a filter seems to have misspelt words of the grammar: an operator, and a key, value or filters for it. */
function isNearlyTyped(input: Record<string, unknown>): boolean {
  const isNear = (name: string, words: readonly string[]) =>
    name.length <= 16 && words.some((word) => letterChanges(name.toLowerCase(), word) <= 1);
  const names = Object.keys(input).slice(0, 10);
  const isOperator = (value: unknown) =>
    typeof value === "string" && (includes(filterTypes, value.toLowerCase()) || nearOperators.includes(value));
  const operator = names.find((name) => isOperator(input[name]) && isNear(name, nearNames.type));
  return names.some((name) => name !== operator && operator !== undefined && isNear(name, nearNames.other));
}

const notTyped =
  'looks like {"type": …, "key": …, "value": …} or {"type": "and", "filters": […]}, but its words are not these. ' +
  'To compare metadata keys of such names, write {"type": "eq", "key": …, "value": …} for each.';

/** An empty "and" matches every row, so it counts as no filter; in particular, it must not delete anything. */
const isEmpty = (filter: Filter): boolean => filter.type === "and" && filter.filters.every(isEmpty);

/** What is left of the limits for the whole filter. */
type Budget = Pick<typeof filterLimits, "conditions" | "values">;

function parseTyped(input: unknown, path: string, depth: number, budget: Budget): Filter {
  if (depth > filterLimits.depth)
    throw invalid(path.slice(0, 200), `nested more than ${filterLimits.depth} levels deep`);
  if (!isObject(input)) throw invalid(path, "expected an object");
  const { type, key, value, filters } = input;
  const allowed = includes(compounds, type) ? ["type", "filters"] : ["type", "key", "value"];
  const stranger = Object.keys(input)
    .find((name) => !allowed.includes(name))
    ?.slice(0, 64);
  if (includes(compounds, type)) {
    if (stranger !== undefined)
      throw invalid(path, `an "${type}" filter takes only "type" and "filters", not "${stranger}"`);
    if (!Array.isArray(filters)) throw invalid(`${path}.filters`, "expected an array of filters");
    spend(budget, path);
    return { type, filters: filters.map((each, i) => parseTyped(each, `${path}.filters[${i}]`, depth + 1, budget)) };
  }
  if (!includes(comparisons, type) && !includes(memberships, type) && !includes(ofText, type) && type !== "exists") {
    const missing = type === undefined ? "is required: " : "";
    throw invalid(`${path}.type`, `${missing}expected one of ${filterTypes.join(", ")}`);
  }
  if (stranger !== undefined)
    throw invalid(path, `a comparison takes only "type", "key" and "value", not "${stranger}"`);
  if (typeof key !== "string")
    throw invalid(`${path}.key`, `${key === undefined ? "is required: " : ""}expected a string`);
  if (value === undefined) throw invalid(`${path}.value`, "is required");
  spend(budget, path);
  if (includes(comparisons, type))
    return { type, key: parseKey(key, `${path}.key`), value: parseValue(value, `${path}.value`) };
  if (includes(ofText, type)) {
    if (typeof value !== "string") throw invalid(`${path}.value`, `expected a string for "${type}"`);
    return { type, key: parseKey(key, `${path}.key`), value };
  }
  if (type === "exists") {
    if (typeof value !== "boolean") throw invalid(`${path}.value`, 'expected true or false for "exists"');
    return { type, key: parseKey(key, `${path}.key`), value };
  }
  if (!Array.isArray(value)) throw invalid(`${path}.value`, `expected an array for "${type}"`);
  budget.values -= value.length;
  if (budget.values < 0)
    throw invalid(`${path}.value`, `the lists of a filter may have at most ${filterLimits.values} values together`);
  return {
    type,
    key: parseKey(key, `${path}.key`),
    value: value.map((each, i) => parseValue(each, `${path}.value[${i}]`)),
  };
}

function spend(budget: Budget, path: string): void {
  budget.conditions -= 1;
  if (budget.conditions < 0)
    throw invalid(path.slice(0, 200), `a filter may have at most ${filterLimits.conditions} conditions`);
}

function parseKey(key: string, path: string): string {
  if (key.length > filterLimits.keyLength)
    throw invalid(path.slice(0, 200), `a key may have at most ${filterLimits.keyLength} characters`);
  return key;
}

function parseValue(value: unknown, path: string): FilterValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" || value instanceof ExactNumber) {
    const problem = problemWithNumber(value);
    if (problem !== null) throw invalid(path, `is ${problem}`);
    return value;
  }
  throw invalid(path, "expected a string, a number or a boolean");
}
