import { type Expression, type RawBuilder, sql } from "kysely";
import { exactJson } from "../words/exactJson.js";

/**
 * A moment as the type of its column: litellm-pgvector's timestamps have no zone and are in UTC.
 * @param millis Unix milliseconds
 */
export function instant(millis: number, zoned: boolean): RawBuilder<Date> {
  const moment = sql<Date>`to_timestamp(${millis / 1000}::float8)`;
  return zoned ? moment : sql<Date>`(${moment} AT TIME ZONE 'UTC')`;
}

/** Unix milliseconds of a timestamp column of either kind: `extract(epoch)` reads one without zone as UTC. */
export function epochMillis(column: Expression<unknown>): RawBuilder<number> {
  return sql<number>`floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/** The same in microseconds, as precise as the column. */
export function epochMicros(column: Expression<unknown>): RawBuilder<number> {
  return sql<number>`floor(extract(epoch FROM ${column}) * 1000000)::bigint`;
}

/**
 * A text that must be read exactly. PGlite takes a leading U+FEFF for a byte order mark and drops it, so a character is
 * put before the text here, and `exactly` removes it.
 */
export const exactText = (column: RawBuilder<unknown>): RawBuilder<string> => sql<string>`('=' || ${column}::text)`;
export const exactly = (text: string): string => text.slice(1);

/** A value as jsonb; null stays SQL's null. */
export const jsonb = <T>(value: T): RawBuilder<T> =>
  sql<T>`${value === null || value === undefined ? null : exactJson(value)}::jsonb`;
