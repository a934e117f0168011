import { type RawBuilder, sql } from "kysely";
import type { Layout } from "../../db/schema/layout.js";
import { exactJson } from "../../words/exactJson.js";
import type { Filter, FilterValue } from "../../words/filter.js";

const operators = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/** A store's files that are being written: their chunks are already in the record, but no search may see them. */
export interface Hiding {
  hiddenFiles: readonly string[];
}

/** A filter that also keeps out the chunks of hidden files. */
export function visible(filter: Filter | null, { hiddenFiles }: Hiding): Filter | null {
  if (hiddenFiles.length === 0) return filter;
  const shown: Filter = { type: "nin", key: "file_id", value: [...hiddenFiles] };
  return filter === null ? shown : { type: "and", filters: [filter, shown] };
}

/** A query for the ids of a store's chunks that pass a filter, or of all without one. */
export function matchingIds(layout: Layout, storeId: string, filter: Filter | null): RawBuilder<unknown> {
  const e = layout.embeddings;
  return sql`SELECT ${e.id} AS id FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${storeId} AND ${filter === null ? sql`true` : compileFilter(filter, e.metadata)}`;
}

/** Whether the chunk `id` passes a filter, as a join: one lookup for each row, in the order of the rows. */
export function passing(layout: Layout, id: RawBuilder<unknown>, filter: Filter | null): RawBuilder<unknown> {
  if (filter === null) return sql``;
  const e = layout.embeddings;
  return sql`CROSS JOIN LATERAL (
    SELECT 1 FROM ${e.table} AS e WHERE ${e.id} = ${id} AND ${compileFilter(filter, e.metadata)} OFFSET 0) AS passing`;
}

/**
 * A filter as a condition on a jsonb column, for a WHERE: null counts as false there, also below `or` and `and`. Keys
 * and values are always parameters. Conditions are written bare, since an index answers `metadata @> …` but not
 * `(metadata @> …) IS TRUE`.
 */
export function compileFilter(filter: Filter, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  switch (filter.type) {
    case "and":
    case "or": {
      if (filter.filters.length === 0) return filter.type === "and" ? sql`true` : sql`false`;
      const parts = filter.filters.map((each) => compileFilter(each, metadata));
      return sql`(${sql.join(parts, filter.type === "and" ? sql` AND ` : sql` OR `)})`;
    }
    case "eq":
      return sql`(${equals(filter.key, filter.value, metadata)})`;
    case "ne":
      return sql`((${equals(filter.key, filter.value, metadata)}) IS NOT TRUE)`;
    case "in":
      return isOneOf(filter.key, filter.value, metadata);
    case "nin":
      return sql`((${isOneOf(filter.key, filter.value, metadata)}) IS NOT TRUE)`;
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return sql`(${ordered(filter.key, filter.type, filter.value, metadata)})`;
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
      return true;
    case "in":
      return areLookedUp(filter.value);
    case "ne":
    case "nin":
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return false;
  }
}

/** Containment tests JSON value and type at once, and a GIN index on metadata answers it. */
function equals(key: string, value: FilterValue, metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`${metadata} @> ${exactJson({ [key]: value })}::jsonb`;
}

/** Lists up to this length are looked up in the index, value by value. */
const mostLookups = 50;
const areLookedUp = (values: readonly FilterValue[]) => values.length > 0 && values.length <= mostLookups;

function isOneOf(key: string, values: readonly FilterValue[], metadata: RawBuilder<unknown>): RawBuilder<boolean> {
  if (areLookedUp(values)) {
    const parts = values.map((value) => equals(key, value, metadata));
    return sql`(${sql.join(parts, sql` OR `)})`;
  }
  const list = exactJson(values);
  // `array @> scalar` is true if the array has the scalar; metadata values that are objects or arrays must not match
  // this way.
  return sql`(jsonb_typeof(${metadata} -> ${key}::text) IN ('string', 'number', 'boolean') AND ${list}::jsonb @> (${metadata} -> ${key}::text))`;
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
    const isString = sql`jsonb_typeof(${metadata} -> ${key}::text) = 'string'`;
    if (value.length < indexedLength) return sql`${beginning} ${operator} ${value}::text COLLATE "C" AND ${isString}`;
    const loosely = sql.raw(type.startsWith("g") ? ">=" : "<=");
    return sql`${beginning} ${loosely} left(${value}::text, ${sql.lit(indexedLength)}) COLLATE "C" AND ${whole} ${operator} ${value}::text COLLATE "C" AND ${isString}`;
  }
  return sql`(${metadata} -> ${key}::text) ${operator} ${exactJson(value)}::jsonb AND jsonb_typeof(${metadata} -> ${key}::text) = ${jsonTypeOf(value)}`;
}

/** Metadata values that a filter compares by order, which an index can answer; see `ensureRangeIndex`. */
export interface Range {
  key: string;
  type: "number" | "string";
}

/** The ranges in a filter that the index on metadata does not answer. */
export function rangesOf(filter: Filter): Range[] {
  if (isIndexed(filter)) return [];
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
    case "eq":
    case "ne":
    case "in":
    case "nin":
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
