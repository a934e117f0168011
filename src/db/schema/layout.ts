import { type RawBuilder, sql } from "kysely";
import type { DatabaseConfig } from "../../process/config.js";
import { StartupError } from "../../words/errors.js";
import type { DatabaseKind, Executor } from "../connection/database.js";
import { type Table, type Tables, beside } from "./tables.js";

export type IdType = "text" | "uuid" | "bigint";

/** Where things are in this database: names quoted for SQL, and the types that an adopted table may have chosen differently. */
export interface Layout {
  vectorStores: {
    table: RawBuilder<unknown>;
    idType: IdType;
    /** True for timestamptz; litellm-pgvector's columns are timestamps without zone, in UTC. */
    zoned: boolean;
  };
  embeddings: {
    table: RawBuilder<unknown>;
    quotedTable: string;
    id: RawBuilder<string>;
    content: RawBuilder<string>;
    /** Cast to jsonb, which costs nothing where it is one already. */
    metadata: RawBuilder<unknown>;
    /** The bare metadata column, as SET names it. */
    bareMetadata: RawBuilder<unknown>;
    embedding: RawBuilder<unknown>;
    vectorStoreId: RawBuilder<string>;
    createdAt: RawBuilder<unknown>;
    /** Bare column names in the order of an INSERT: id, store, content, embedding, metadata, created_at. */
    insertColumns: RawBuilder<unknown>;
    /** The bare id column, as ON CONFLICT names it. */
    idColumn: RawBuilder<unknown>;
    idType: IdType;
    idSequence: string | null;
    vectorStoreIdType: IdType;
    metadataType: "json" | "jsonb";
    zoned: boolean;
    /** The column's own limit, `vector(1536)`; null when it takes any dimension. */
    dimensions: number | null;
    /** The bare metadata column as jsonb, for an index on it, and that index. */
    metadataColumn: RawBuilder<unknown>;
    metadataIndex: Table;
    /** An index on the ranges of one key; its name without a suffix begins the names of all. */
    rangeIndex: (suffix: string) => Table;
    /** The bare column, for an index on it. */
    vectorStoreIdColumn: RawBuilder<unknown>;
    /** The type's OID in this database: pgvector's differ from one to the next. */
    vectorOid: number;
  };
  derived: Derived;
  files: FileTables;
  /** How far imports have come; see sql/0004_imports.sql. */
  imports: RawBuilder<unknown>;
}

/** The tables of files; see sql/0003_files.sql. */
export type FileTables = Record<
  "objects" | "slices" | "uploads" | "parts" | "batches" | "storeFiles" | "descriptions",
  RawBuilder<unknown>
>;

/** The tables that are made from the record for searching. */
export interface Derived {
  /** Shared by all stores: their vectors, or the fresh ones of a store that has a table of its own. */
  vectors: RawBuilder<unknown>;
  /** A store's own table. */
  ownVectors: (number: number) => Table;
  /** The sequence that numbers them. */
  vectorsNumbers: string;
  keywords: RawBuilder<unknown>;
  /**
   * halfvec on a server: half the size, and indexed up to 4,000 dimensions. vector in the embedded database, where halfvec is
   * converted in software (124 ms instead of 28 for 10,000 rows).
   */
  vectorType: "halfvec" | "vector";
}

interface Column {
  name: string;
  type: string;
  typeOid: number;
  typmod: number;
  required: boolean;
}

const idTypes: Record<string, IdType> = { text: "text", varchar: "text", uuid: "uuid", int8: "bigint" };
const textTypes = ["text", "varchar"];
const timeTypes = ["timestamp", "timestamptz"];

/** The fields of the embeddings table, the setting that names each, and the types we can work with. */
const embeddingFields = {
  id: { setting: "DB_FIELDS__ID_FIELD", types: Object.keys(idTypes) },
  content: { setting: "DB_FIELDS__CONTENT_FIELD", types: textTypes },
  metadata: { setting: "DB_FIELDS__METADATA_FIELD", types: ["jsonb", "json"] },
  embedding: { setting: "DB_FIELDS__EMBEDDING_FIELD", types: ["vector"] },
  vectorStoreId: { setting: "DB_FIELDS__VECTOR_STORE_ID_FIELD", types: Object.keys(idTypes) },
  createdAt: { setting: "DB_FIELDS__CREATED_AT_FIELD", types: timeTypes },
} as const;

/** Columns of the vector stores table that the migrations add where an adopted one lacks them, with the types we can work with. */
const storeColumns: Record<string, readonly string[]> = {
  name: textTypes,
  description: textTypes,
  metadata: ["jsonb", "json"],
  expires_after: ["jsonb", "json"],
  created_at: timeTypes,
  last_active_at: timeTypes,
  expires_at: timeTypes,
  owner_user_id: textTypes,
  chunk_count: ["int8"],
  content_bytes: ["int8"],
  embedding_dimensions: ["int4"],
  embedding_model: textTypes,
  asks_dimensions: ["bool"],
  search_settings: ["jsonb"],
  vectors_complete: ["bool"],
  vectors_table: ["int8"],
  vectors_indexed: ["bool"],
  vectors_built: ["int8"],
  vectors_next: ["int8"],
  keywords_language: textTypes,
  keywords_complete: ["bool"],
  reindex_requested: ["bool"],
  hidden_files: ["_text"],
};

/**
 * The columns of the embeddings table, checked against the settings, or null when there is no such table yet.
 * @throws StartupError naming the setting and the missing column.
 */
export async function inspectEmbeddings(
  db: Executor,
  config: DatabaseConfig,
  table: Table,
): Promise<Layout["embeddings"] | null> {
  const tableName = config.tables.embeddings;
  const columns = await columnsOf(db, table);
  if (columns === null) return null;
  const found = {} as Record<keyof typeof embeddingFields, Column>;
  for (const [field, { setting, types }] of Object.entries(embeddingFields) as [
    keyof typeof found,
    (typeof embeddingFields)["id"],
  ][]) {
    const name = config.fields[field];
    const column = columns.find((each) => each.name === name);
    if (column === undefined) {
      const names = columns.map((each) => each.name).join(", ");
      throw new StartupError(
        `${setting} is "${name}", but the table "${tableName}" has no column of that name (it has: ${names}).`,
      );
    }
    if (!(types as readonly string[]).includes(column.type)) {
      throw new StartupError(
        `${setting}: the column "${name}" of "${tableName}" has the type ${column.type}; it must be one of ${types.join(", ")}.`,
      );
    }
    found[field] = column;
  }
  refuseUnknownRequired(table, columns, Object.values(config.fields));
  await requireUnique(db, table, config.fields.id);
  const ref = <T>(field: keyof typeof embeddingFields) => sql<T>`e.${sql.ref(config.fields[field])}`;
  const bare = (["id", "vectorStoreId", "content", "embedding", "metadata", "createdAt"] as const).map((field) =>
    sql.ref(config.fields[field]),
  );
  const idType = idTypes[found.id.type] ?? "text";
  return {
    table: table.reference,
    quotedTable: table.quoted,
    id: ref("id"),
    content: ref("content"),
    metadata: sql`${ref("metadata")}::jsonb`,
    bareMetadata: sql.ref(config.fields.metadata),
    embedding: ref("embedding"),
    vectorStoreId: ref("vectorStoreId"),
    createdAt: ref("createdAt"),
    insertColumns: sql.join(bare),
    idColumn: sql.ref(config.fields.id),
    idType,
    idSequence: idType === "bigint" ? await sequenceOf(db, table, config.fields.id) : null,
    vectorStoreIdType: idTypes[found.vectorStoreId.type] ?? "text",
    metadataType: found.metadata.type === "json" ? "json" : "jsonb",
    zoned: found.createdAt.type === "timestamptz",
    dimensions: found.embedding.typmod > 0 ? found.embedding.typmod : null,
    metadataColumn: sql`${sql.ref(config.fields.metadata)}::jsonb`,
    metadataIndex: beside(table, `${table.name.slice(0, 50)}_by_metadata`),
    rangeIndex: (suffix) => beside(table, `${table.name.slice(0, 40)}_range_${suffix}`),
    vectorStoreIdColumn: sql.ref(config.fields.vectorStoreId),
    vectorOid: found.embedding.typeOid,
  };
}

/** What the derived tables are called and made of. */
export function describeDerived(tables: Tables, kind: DatabaseKind): Derived {
  return {
    vectors: tables.vectors.reference,
    ownVectors: (number) => beside(tables.vectors, `${tables.vectors.name}_${number}`),
    vectorsNumbers: beside(tables.vectors, `${tables.vectors.name}_numbers`).quoted,
    keywords: tables.keywords.reference,
    vectorType: derivedVectorType(kind),
  };
}

export function describeFiles(tables: Tables): FileTables {
  return {
    objects: tables.files.reference,
    slices: tables.fileSlices.reference,
    uploads: tables.uploads.reference,
    parts: tables.uploadParts.reference,
    batches: tables.fileBatches.reference,
    storeFiles: tables.storeFiles.reference,
    descriptions: tables.fileDescriptions.reference,
  };
}

/** What pgvector can index: 4,000 dimensions in half precision, 2,000 in single. A store of more is searched exactly. */
export const maxIndexDimensions = (type: Derived["vectorType"]): number => (type === "halfvec" ? 4000 : 2000);

export const derivedVectorType = (kind: DatabaseKind) => (kind === "pglite" ? "vector" : "halfvec");

/** As `inspectEmbeddings`, for the vector stores table, whose columns have fixed names. */
export async function inspectVectorStores(
  db: Executor,
  config: DatabaseConfig,
  table: Table,
): Promise<Layout["vectorStores"] | null> {
  const columns = await columnsOf(db, table);
  if (columns === null) return null;
  const type = (column: string) => columns.find((each) => each.name === column)?.type;
  const idType = idTypes[type("id") ?? ""];
  if (idType === undefined || type("name") === undefined) {
    throw new StartupError(
      `DB_TABLES__VECTOR_STORES: the table "${config.tables.vectorStores}" must have a column "id" (text, uuid or bigint) and a column "name".`,
    );
  }
  checkStoreTypes(config.tables.vectorStores, columns);
  return { table: table.reference, idType, zoned: type("created_at") !== "timestamp" };
}

function checkStoreTypes(table: string, columns: readonly Column[]): void {
  for (const column of columns) {
    const types = storeColumns[column.name];
    if (types === undefined || types.includes(column.type)) continue;
    throw new StartupError(
      `The column "${column.name}" of "${table}" has the type ${column.type}; it must be one of ${types.join(", ")}.`,
    );
  }
  // Times are compared with each other; between the two kinds PostgreSQL would convert by the session's time zone.
  const times = columns.filter((each) => storeColumns[each.name] === timeTypes);
  if (new Set(times.map((each) => each.type)).size > 1) {
    throw new StartupError(
      `The columns ${times.map((each) => `"${each.name}"`).join(", ")} of "${table}" must all be timestamps with time zone, or all without.`,
    );
  }
}

/** After the migrations: the vector stores table has all that we read and write, and asks for nothing that we do not know. */
export async function requireStoreColumns(db: Executor, config: DatabaseConfig, table: Table): Promise<void> {
  const columns = (await columnsOf(db, table)) ?? [];
  const missing = Object.keys(storeColumns).find((name) => !columns.some((each) => each.name === name));
  if (missing !== undefined) {
    throw new StartupError(
      `The table "${config.tables.vectorStores}" has no column "${missing}" although this schema's migrations have been applied. If ` +
        `DB_TABLES__VECTOR_STORES was changed, set it back, or use another schema for a second installation (DATABASE_URL …?schema=name).`,
    );
  }
  refuseUnknownRequired(table, columns, ["id", "name", "metadata", "created_at", "last_active_at"]);
}

function refuseUnknownRequired(table: Table, columns: readonly Column[], known: readonly string[]): void {
  const stranger = columns.find((column) => column.required && !known.includes(column.name));
  if (stranger !== undefined) {
    throw new StartupError(
      `The column "${stranger.name}" of "${table.name}" must be filled but is unknown to this service, so no row could be added. Give it a default: ` +
        `ALTER TABLE ${table.quoted} ALTER COLUMN "${stranger.name}" SET DEFAULT …; or drop its NOT NULL.`,
    );
  }
}

async function columnsOf(db: Executor, table: Table): Promise<Column[] | null> {
  const { rows } = await sql<Column>`
    SELECT a.attname::text AS name, t.typname::text AS type, t.oid::bigint AS "typeOid", a.atttypmod::int AS typmod,
           (a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '') AS required
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass(${table.quoted}) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum`.execute(db);
  return rows.length === 0 ? null : rows;
}

/** A client's own id is safe to retry only because the database refuses it a second time. */
async function requireUnique(db: Executor, table: Table, column: string): Promise<void> {
  const { rows } = await sql`
    SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass(${table.quoted}) AND i.indisunique AND i.indimmediate AND i.indisvalid
      AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = ${column}`.execute(db);
  if (rows.length === 0) {
    throw new StartupError(
      `DB_FIELDS__ID_FIELD: the column "${column}" of "${table.name}" has neither a primary key nor a unique index. Add one: ` +
        `CREATE UNIQUE INDEX ON ${table.quoted} ("${column}");`,
    );
  }
}

async function sequenceOf(db: Executor, table: Table, column: string): Promise<string | null> {
  const { rows } = await sql<{ sequence: string | null }>`
    SELECT pg_get_serial_sequence(${table.quoted}, ${column}) AS sequence`.execute(db);
  return rows[0]?.sequence ?? null;
}
