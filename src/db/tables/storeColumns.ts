import { type RawBuilder, sql } from "kysely";
import { epochMillis } from "../expressions.js";
import type { VectorStore } from "../../words/store.js";

interface StoreColumn {
  /** The types that an adopted table may have given it, by PostgreSQL's internal names. */
  types: readonly string[];
  /** The field of `VectorStore` that it is read as. */
  field?: keyof VectorStore;
  /** The field of the store's engine state that it is read as. */
  state?: string;
  /** How to read it, if not as the bare column. */
  read?: (column: RawBuilder<unknown>) => RawBuilder<unknown>;
}

const text = ["text", "varchar"];
const json = ["jsonb", "json"];
export const timeTypes: readonly string[] = ["timestamp", "timestamptz"];
const flag = ["bool"];
const count = ["int8"];

/**
 * The columns of the vector stores table beside its id: the one list behind reading, writing and checking adopted
 * tables. A new column is a line here, a field in words/store.ts, a migration, and a presenter.
 */
export const storeColumns: Readonly<Record<string, StoreColumn>> = {
  name: { types: text, field: "name" },
  description: { types: text, field: "description" },
  metadata: { types: json, field: "metadata" },
  expires_after: { types: json, field: "expiresAfter" },
  created_at: { types: timeTypes, field: "createdAt", read: epochMillis },
  last_active_at: { types: timeTypes, field: "lastActiveAt", read: epochMillis },
  expires_at: { types: timeTypes, field: "expiresAt", read: epochMillis },
  owner_user_id: { types: text },
  chunk_count: { types: count, field: "chunkCount" },
  content_bytes: { types: count, field: "contentBytes" },
  embedding_model: { types: text, field: "embeddingModel" },
  embedding_dimensions: { types: ["int4"], field: "embeddingDimensions" },
  asks_dimensions: { types: flag, field: "asksDimensions" },
  search_settings: { types: ["jsonb"], field: "search", read: (column) => sql`COALESCE(${column}, '{}')` },
  // What the pgvector engine remembers; see sql/0002_search.sql and engines/pgvector/state.ts.
  vectors_complete: { types: flag, state: "vectorsComplete" },
  vectors_table: { types: count, state: "vectorsTable" },
  vectors_indexed: { types: flag, state: "vectorsIndexed" },
  vectors_built: { types: count, state: "vectorsBuilt" },
  vectors_next: { types: count, state: "vectorsNext" },
  keywords_language: { types: text, state: "keywordsLanguage" },
  keywords_complete: { types: flag, state: "keywordsComplete" },
  reindex_requested: { types: flag, state: "reindexRequested" },
  hidden_files: { types: ["_text"], state: "hiddenFiles" },
};

/** The engine state of a store without chunks: no derived data is missing. */
export const emptyStoreState = { vectors_complete: true };

const listed = Object.entries(storeColumns);
const column = (name: string) => sql.ref(`s.${name}`);
const fields = listed.flatMap(([name, { field, read }]) =>
  field === undefined ? [] : [sql`${read?.(column(name)) ?? column(name)} AS ${sql.ref(field)}`],
);
const state = listed.flatMap(([name, each]) =>
  each.state === undefined ? [] : [sql`${sql.lit(each.state)}, ${column(name)}`],
);

/** The select list that reads the row s as a `VectorStore`. */
export const selectedStore: RawBuilder<unknown> = sql`
  s.id::text AS id, ${sql.join(fields)}, jsonb_build_object(${sql.join(state)}) AS engine`;

/** The assignments that record a part of the engine state, for UPDATE … SET. */
export function stateAssignments(changes: Readonly<Record<string, unknown>>): RawBuilder<unknown> {
  const assignments = listed.flatMap(([name, each]) =>
    each.state === undefined || changes[each.state] === undefined
      ? []
      : [sql`${sql.ref(name)} = ${changes[each.state]}`],
  );
  return sql.join(assignments);
}
