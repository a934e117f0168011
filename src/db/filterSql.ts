import { type RawBuilder, sql } from "kysely";
import { exactJson } from "../words/exactJson.js";
import type { Filter, FilterValue } from "../words/filter.js";

const operators = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * A filter as a condition on a jsonb column, for a WHERE: null counts as false there, also below `or` and `and`. Keys
 * and values are always parameters. Conditions are written bare, since an index answers `metadata @> …` but not
 * `(metadata @> …) IS TRUE`.
 */
export function compileFilter(filter: Filter, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  if ("filters" in filter) {
    const { type } = filter;
    if (filter.filters.length === 0) return type === "and" ? sql`true` : sql`false`;
    const parts = filter.filters.map((each) => compileFilter(each, metadata));
    return sql`(${sql.join(parts, type === "and" ? sql` AND ` : sql` OR `)})`;
  }
  const condition = onKey(filter, metadata);
  const negated = filter.type === "ne" || filter.type === "nin" || (filter.type === "exists" && !filter.value);
  return negated ? sql`(${condition} IS NOT TRUE)` : condition;
}

type Condition = Exclude<Filter, { filters: Filter[] }>;

/** The keys that lead to a nested value, from the outermost on; null: the key names no nested value. */
function pathOf(key: string): string[] | null {
  const path = key.split(".");
  return path.length > 1 && path.every((each) => each !== "") ? path : null;
}

/** A condition, or what a negated one negates, on the key of that very name; only without it, on the nested value. */
function onKey(filter: Condition, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  const { key } = filter;
  const own = holds(filter, [key], metadata);
  const path = pathOf(key);
  if (path === null) return sql`(${own})`;
  return sql`((${own}) OR (NOT jsonb_exists(${metadata}, ${key}) AND (${holds(filter, path, metadata)})))`;
}

function holds(filter: Condition, path: readonly string[], metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  const key = path.at(-1) ?? "";
  const inside = path.slice(0, -1).reduce((outer, each) => sql`(${outer} -> ${each}::text)`, metadata);
  switch (filter.type) {
    case "eq":
    case "ne":
      return equals(path, filter.value, metadata);
    case "in":
    case "nin":
      return areLookedUp(filter.value)
        ? sql.join<boolean>(
            filter.value.map((value) => equals(path, value, metadata)),
            sql` OR `,
          )
        : isInList(key, filter.value, inside);
    case "contains":
    case "all":
      return has(path, [filter.value].flat(), metadata);
    case "exists":
      return sql`jsonb_typeof(${inside} -> ${key}::text) <> 'null'`;
    case "prefix":
      return beginsWith(key, filter.value, inside);
    case "substring":
      return sql`strpos(${inside} ->> ${key}::text, ${filter.value}) > 0 AND ${isString(key, inside)}`;
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return ordered(key, filter.type, filter.value, inside);
  }
}

/** Whether the index on metadata can answer a filter, or the part of it that all matches must pass. */
export function isIndexed(filter: Filter): boolean {
  switch (filter.type) {
    case "and":
      return filter.filters.some(isIndexed);
    case "or":
      return filter.filters.length > 0 && filter.filters.every(isIndexed);
    case "eq":
    case "contains":
      return true;
    case "all":
      return filter.value.length > 0;
    case "in":
      return areLookedUp(filter.value);
    case "exists":
    case "ne":
    case "nin":
    case "prefix":
    case "substring":
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return false;
  }
}

/**
 * Whether a key has this value, or an array with it. Containment tests JSON value and type at once, and a GIN index on
 * metadata answers it.
 */
function equals(path: readonly string[], value: FilterValue, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`${metadata} @> ${nested(path, value)}::jsonb OR ${has(path, [value], metadata)}`;
}

/** Whether a key has an array with all these elements. */
function has(path: readonly string[], values: FilterValue[], metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`${metadata} @> ${nested(path, values)}::jsonb`;
}

const nested = (path: readonly string[], value: unknown) =>
  exactJson(path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value));

/** Lists up to this length are looked up in the index, value by value. */
const mostLookups = 50;
const areLookedUp = (values: readonly FilterValue[]) => values.length > 0 && values.length <= mostLookups;

function isInList(key: string, values: readonly FilterValue[], metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  const list = exactJson(values);
  // `array @> scalar` is true if the array has the scalar, but an object or an array inside must not match this way.
  const value = sql`(${metadata} -> ${key}::text)`;
  const among = (each: RawBuilder<unknown>) =>
    sql`jsonb_typeof(${each}) IN ('string', 'number', 'boolean') AND ${list}::jsonb @> ${each}`;
  const elements = sql`jsonb_array_elements(CASE WHEN jsonb_typeof(${value}) = 'array' THEN ${value} ELSE '[]' END)`;
  return sql`(${among(value)} OR EXISTS (SELECT 1 FROM ${elements} AS of(element) WHERE ${among(sql`of.element`)}))`;
}

const jsonTypeOf = (value: FilterValue) => (typeof value === "object" ? "number" : typeof value);

function ordered(
  key: string,
  type: keyof typeof operators,
  value: FilterValue,
  metadata: RawBuilder<unknown>,
): RawBuilder<boolean> {
  const operator = sql.raw(operators[type]);
  // Compare first: most rows fail, so their type is not checked.
  if (typeof value === "string") {
    const whole = sql`(${metadata} ->> ${key}::text) COLLATE "C"`;
    const beginning = rangeValue({ key: sql`${key}::text`, type: "string" }, metadata);
    const typed = isString(key, metadata);
    if (value.length < indexedLength) return sql`${beginning} ${operator} ${value}::text COLLATE "C" AND ${typed}`;
    const loosely = sql.raw(type.startsWith("g") ? ">=" : "<=");
    return sql`${beginning} ${loosely} left(${value}::text, ${sql.lit(indexedLength)}) COLLATE "C" AND ${whole} ${operator} ${value}::text COLLATE "C" AND ${typed}`;
  }
  return sql`(${metadata} -> ${key}::text) ${operator} ${exactJson(value)}::jsonb AND jsonb_typeof(${metadata} -> ${key}::text) = ${jsonTypeOf(value)}`;
}

const isString = (key: string, metadata: RawBuilder<unknown>) =>
  sql`jsonb_typeof(${metadata} -> ${key}::text) = 'string'`;

/** Texts with a prefix are neighbours in the order of code points: an index of ranges finds them. */
function beginsWith(key: string, prefix: string, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  const beginning = rangeValue({ key: sql`${key}::text`, type: "string" }, metadata);
  const first = Array.from(prefix).slice(0, indexedLength).join("");
  // No character follows U+10FFFF.
  const last = first + "\u{10FFFF}".repeat(indexedLength);
  return sql`${beginning} >= ${first}::text COLLATE "C" AND ${beginning} <= ${last}::text COLLATE "C"
    AND starts_with(${metadata} ->> ${key}::text, ${prefix}) AND ${isString(key, metadata)}`;
}

/** Metadata values that a filter compares by order, which an index can answer; see `ensureRangeIndex`. */
export interface Range {
  key: string;
  type: "number" | "string";
}

/** The ranges in a filter that the index on metadata does not answer. */
export function rangesOf(filter: Filter): Range[] {
  // Of a key that may be a path, neither place alone answers.
  if (isIndexed(filter) || ("key" in filter && pathOf(filter.key) !== null)) return [];
  switch (filter.type) {
    case "and":
    case "or":
      return filter.filters.flatMap(rangesOf);
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      const type = jsonTypeOf(filter.value);
      return type === "number" || type === "string" ? [{ key: filter.key, type }] : [];
    }
    case "prefix":
      return [{ key: filter.key, type: "string" }];
    case "eq":
    case "ne":
    case "in":
    case "nin":
    case "all":
    case "contains":
    case "exists":
    case "substring":
      return [];
  }
}

/** A B-tree entry holds at most 2,704 bytes; a character takes up to 4. */
const indexedLength = 200;

/**
 * The value that a range compares: a number itself, or the first 200 characters of a text, by code point, so that every
 * installation answers the same whatever its collation. For a filter value shorter than that, these characters decide.
 */
export function rangeValue(
  { key, type }: { key: RawBuilder<unknown>; type: Range["type"] },
  metadata: RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (type === "number") return sql`(${metadata} -> ${key})`;
  return sql`left(${metadata} ->> ${key}, ${sql.lit(indexedLength)}) COLLATE "C"`;
}
