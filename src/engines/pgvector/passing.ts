import { type RawBuilder, sql } from "kysely";
import { compileFilter } from "../../db/filterSql.js";
import type { Layout } from "../../db/schema/layout.js";
import type { Filter } from "../../words/filter.js";

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

/** Whether a store's chunk `id` passes a filter, as a join: one lookup for each row, in the order of the rows. */
export function passing(
  layout: Layout,
  { storeId, id }: { storeId: string; id: RawBuilder<unknown> },
  filter: Filter | null,
): RawBuilder<unknown> {
  if (filter === null) return sql``;
  const e = layout.embeddings;
  return sql`CROSS JOIN LATERAL (
    SELECT 1 FROM ${e.table} AS e
    WHERE ${e.vectorStoreId} = ${storeId} AND ${e.id} = ${id} AND ${compileFilter(filter, e.metadata)} OFFSET 0) AS passing`;
}
