import type { TestDatabase } from "./database.js";

/**
 * An operator's own tables: every name differs from ours, some are SQL keywords, some need quotes for their capitals.
 */
export const customNames = {
  DB_TABLES__VECTOR_STORES: "Knowledge",
  DB_TABLES__EMBEDDINGS: "table",
  DB_FIELDS__ID_FIELD: "order",
  DB_FIELDS__CONTENT_FIELD: "Select",
  DB_FIELDS__METADATA_FIELD: "user",
  DB_FIELDS__EMBEDDING_FIELD: "vector",
  DB_FIELDS__VECTOR_STORE_ID_FIELD: "group",
  DB_FIELDS__CREATED_AT_FIELD: "createdAt",
};

/** The tables that refer to the table of stores, whatever its name. */
export const fileTables =
  "vector_store_files, vector_store_file_batches, vector_store_file_descriptions, vector_store_file_objects, vector_store_file_slices, " +
  "vector_store_uploads, vector_store_upload_parts";

export interface Columns {
  /** Type and constraints. */
  id: string;
  storeId: string;
  /** The type of `group`, if it differs from that of the store's id. */
  reference?: string;
  metadata: string;
  time: string;
  dimensions?: string;
  further?: string;
}

export const usualColumns: Columns = {
  id: "text PRIMARY KEY",
  storeId: "text PRIMARY KEY",
  metadata: "jsonb",
  time: "timestamptz",
};

export async function makeCustomTables(database: TestDatabase, columns: Columns): Promise<void> {
  const reference = columns.reference ?? columns.storeId.split(" ")[0] ?? "";
  await database.exec(`
    CREATE TABLE "Knowledge" (id ${columns.storeId}, name text NOT NULL, created_at ${columns.time} NOT NULL DEFAULT now());
    CREATE TABLE "table" ("vector" vector${columns.dimensions ?? "(8)"} NOT NULL, "Select" text NOT NULL, "order" ${columns.id},
      "user" ${columns.metadata}, "group" ${reference} NOT NULL REFERENCES "Knowledge" (id), "createdAt" ${columns.time} NOT NULL DEFAULT now()
      ${columns.further ?? ""});`);
}

export async function dropCustomTables(database: TestDatabase): Promise<void> {
  await database.exec(
    `DROP TABLE IF EXISTS "table"; DROP TABLE IF EXISTS "Knowledge" CASCADE; DROP TABLE IF EXISTS vector_store_migrations, ${fileTables} CASCADE`,
  );
}

/** Tables, columns and indexes of the database, to check that nothing has changed. */
export function shapeOf(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    SELECT c.relname::text AS relation, c.relkind::text AS kind, a.attname::text AS column, a.atttypid::regtype::text AS type, a.attnotnull AS required
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 3`);
}
