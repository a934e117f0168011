import { type RawBuilder, sql } from "kysely";
import { epochMicros, epochMillis, exactText, jsonb } from "../expressions.js";
import { noPrompts } from "../../words/prompts.js";
import type { TransferStore } from "../../words/rows.js";
import type { NewVectorStore, StoreChanges, VectorStore } from "../../words/store.js";

interface StoreColumn {
  /** The types that an adopted table may have given it, by PostgreSQL's internal names. */
  types: readonly string[];
  /** The field of `VectorStore` that it is read as. */
  field?: keyof VectorStore;
  /** The field of the store's engine state that it is read as. */
  state?: string;
  /** How to read it, if not as the bare column. */
  read?: (column: RawBuilder<unknown>) => RawBuilder<unknown>;
  /** What a new store has in it; without this, its default, or what `insertStore` says. */
  create?: (store: NewVectorStore) => unknown;
  /** What an update puts into it; undefined: it stays as it is. */
  change?: (changes: StoreChanges) => unknown;
  /** How exports read it, and what an import puts into it. */
  kept?: Kept;
}

interface Kept {
  field: keyof TransferStore;
  read: (column: RawBuilder<unknown>) => RawBuilder<unknown>;
  write: (store: TransferStore) => unknown;
}

const bare = (column: RawBuilder<unknown>) => column;
/** Kept as the value of the same field. */
const keptAs = (field: keyof TransferStore, read = bare): Kept => ({ field, read, write: (store) => store[field] });
/** JSON stays text. @param none what an import writes where the source says nothing */
const keptJson = (field: "metadata" | "expiresAfter" | "prompts" | "search", none: string | null): Kept => ({
  field,
  read: (column) => sql`${column}::text`,
  write: (store) => sql`${store[field] ?? none}::jsonb`,
});

const text = ["text", "varchar"];
const json = ["jsonb", "json"];
export const timeTypes: readonly string[] = ["timestamp", "timestamptz"];
const flag = ["bool"];
const count = ["int8"];

/**
 * The columns of the vector stores table beside its id: the one list behind reading, writing, exporting, importing and
 * checking adopted tables. A new column is a line here, a field in words/store.ts, a migration, and its wire format in
 * http/wire/vectorStore.ts.
 */
export const storeColumns: Readonly<Record<string, StoreColumn>> = {
  name: {
    types: text,
    field: "name",
    create: (store) => store.name,
    change: (changes) => changes.name,
    kept: keptAs("name", exactText),
  },
  description: {
    types: text,
    field: "description",
    create: (store) => store.description,
    kept: keptAs("description", exactText),
  },
  metadata: {
    types: json,
    field: "metadata",
    create: (store) => jsonb(store.metadata ?? {}),
    change: ({ metadata }) => (metadata === undefined ? undefined : jsonb(metadata ?? {})),
    kept: keptJson("metadata", "{}"),
  },
  expires_after: {
    types: json,
    field: "expiresAfter",
    create: (store) => jsonb(store.expiresAfter),
    change: ({ expiresAfter }) => (expiresAfter === undefined ? undefined : jsonb(expiresAfter)),
    kept: keptJson("expiresAfter", null),
  },
  created_at: { types: timeTypes, field: "createdAt", read: epochMillis },
  last_active_at: { types: timeTypes, field: "lastActiveAt", read: epochMillis },
  expires_at: { types: timeTypes, field: "expiresAt", read: epochMillis },
  owner_user_id: { types: text, field: "ownerUserId", kept: keptAs("ownerUserId") },
  owner_team_id: { types: text, field: "ownerTeamId", kept: keptAs("ownerTeamId") },
  owner_key_id: { types: text, field: "ownerKeyId", kept: keptAs("ownerKeyId") },
  chunk_count: { types: count, field: "chunkCount" },
  content_bytes: { types: count, field: "contentBytes" },
  embedding_model: {
    types: text,
    field: "embeddingModel",
    create: (store) => store.embeddingModel,
    kept: keptAs("embeddingModel"),
  },
  embedding_dimensions: {
    types: ["int4"],
    field: "embeddingDimensions",
    create: (store) => store.embeddingDimensions,
    kept: keptAs("embeddingDimensions"),
  },
  embedded_by: { types: text, field: "embeddedBy" },
  asks_dimensions: {
    types: flag,
    field: "asksDimensions",
    create: (store) => store.asksDimensions,
    kept: keptAs("asksDimensions"),
  },
  embedding_prompts: {
    types: ["jsonb"],
    field: "prompts",
    create: (store) => jsonb(store.prompts),
    change: ({ queryPrefix }) =>
      queryPrefix === undefined
        ? undefined
        : sql`COALESCE(s.embedding_prompts, ${jsonb(noPrompts)}) || ${jsonb({ queryPrefix })}`,
    kept: keptJson("prompts", null),
  },
  search_settings: {
    types: ["jsonb"],
    field: "search",
    read: (column) => sql`COALESCE(${column}, '{}')`,
    create: (store) => jsonb(store.search),
    // Null removes a setting.
    change: ({ search }) =>
      search === undefined ? undefined : sql`jsonb_strip_nulls(COALESCE(s.search_settings, '{}') || ${jsonb(search)})`,
    kept: keptJson("search", "{}"),
  },
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
  // It was deleted, and its chunks are being removed; see core/stores/removal.ts.
  leaving: { types: flag },
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

/** The select list that reads the row s as a `TransferStore`, with its creation time in microseconds. */
export const selectedKept: RawBuilder<unknown> = sql`
  s.id::text AS id, ${epochMicros(column("created_at"))} AS "createdAt", ${sql.join(
    listed.flatMap(([name, { kept }]) =>
      kept === undefined ? [] : [sql`${kept.read(column(name))} AS ${sql.ref(kept.field)}`],
    ),
  )}`;

/** The values of a new store by column, without its id, owner and times. */
export const createdValues = (store: NewVectorStore): Record<string, unknown> =>
  Object.fromEntries(listed.flatMap(([name, { create }]) => (create === undefined ? [] : [[name, create(store)]])));

/** The same for an imported store; its owner is among them. */
export const keptValues = (store: TransferStore): Record<string, unknown> =>
  Object.fromEntries(listed.flatMap(([name, { kept }]) => (kept === undefined ? [] : [[name, kept.write(store)]])));

/** The assignments of an update, each with a comma after it, for UPDATE … SET. */
export function changeAssignments(changes: StoreChanges): RawBuilder<unknown> {
  const assignments = listed.flatMap(([name, { change }]) => {
    const value = change?.(changes);
    return value === undefined ? [] : [sql`${sql.ref(name)} = ${value}, `];
  });
  return assignments.length === 0 ? sql`` : sql.join(assignments, sql``);
}

/** The assignments that record a part of the engine state, for UPDATE … SET. */
export function stateAssignments(changes: Readonly<Record<string, unknown>>): RawBuilder<unknown> {
  const assignments = listed.flatMap(([name, each]) =>
    each.state === undefined || changes[each.state] === undefined
      ? []
      : [sql`${sql.ref(name)} = ${changes[each.state]}`],
  );
  return sql.join(assignments);
}
