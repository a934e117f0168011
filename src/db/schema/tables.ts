import { type RawBuilder, sql } from "kysely";
import type { DatabaseConfig } from "../../process/config.js";
import { StartupError } from "../../words/errors.js";
import type { Executor } from "../executor.js";
import type { OurTable } from "./ourTables.js";

/** A table with its schema, so that no query depends on a connection's search path. */
export interface Table {
  schema: string;
  name: string;
  /** `"schema"."name"`, for SQL text. */
  quoted: string;
  reference: RawBuilder<unknown>;
}

/**
 * Where a table is, or will be created. A schema in the name decides; else `?schema=` does, alone, since a table of the
 * same name further down the search path belongs to another installation; else the search path does.
 * @param name `table` or `schema.table`, allow-listed by the settings.
 */
export async function locateTable(db: Executor, name: string, schema: string | null): Promise<Table> {
  const [first = name, second] = name.split(".");
  if (second !== undefined) return tableIn(first, second);
  if (schema !== null) return tableIn(schema, name);
  const { rows } = await sql<{ schema: string | null }>`
    SELECT COALESCE((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(${quote(name)})),
                    current_schema())::text AS schema`.execute(db);
  const found = rows[0]?.schema ?? null;
  if (found === null) {
    throw new StartupError(
      "The search path of the database role has no existing schema, so tables cannot be created. Add ?schema=public to DATABASE_URL.",
    );
  }
  return tableIn(found, name);
}

/** A table beside another one, in its schema. */
export const beside = (table: Table, name: string): Table => tableIn(table.schema, name);

/** An index that a migration makes on a table. PostgreSQL cuts names at 63 bytes. */
export const indexOn = (table: Table, suffix: string): Table => beside(table, `${table.name.slice(0, 50)}_${suffix}`);

function tableIn(schema: string, name: string): Table {
  return { schema, name, quoted: `${quote(schema)}.${quote(name)}`, reference: sql`${sql.id(schema, name)}` };
}

export async function tableExists(db: Executor, table: Table): Promise<boolean> {
  const { rows } = await sql`SELECT 1 WHERE to_regclass(${table.quoted}) IS NOT NULL`.execute(db);
  return rows.length > 0;
}

/** An identifier for SQL, whatever characters it has. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

const ourTables = [
  "vector_store_file_objects",
  "vector_store_file_slices",
  "vector_store_uploads",
  "vector_store_upload_parts",
  "vector_store_file_batches",
  "vector_store_files",
  "vector_store_file_descriptions",
  "vector_store_imports",
  "vector_store_replaced",
  "vector_store_left_chunks",
  "vector_store_batch_files",
  "vector_store_permissions",
  "vector_store_keys",
  "vector_store_minted_keys",
  "vector_store_usage_events",
  "vector_store_usage_days",
  "vector_store_audit",
  "vector_store_limits",
  "vector_store_sessions",
] as const satisfies OurTable[];

/** The tables we read and write. */
export interface Tables {
  vectorStores: Table;
  embeddings: Table;
  migrations: Table;
  /** Derived from the record: vectors for search, and lexemes. */
  vectors: Table;
  keywords: Table;
  ours: Record<OurTable, Table>;
}

/** Where the tables are, or will be created. */
export async function locateTables(db: Executor, config: DatabaseConfig, schema: string | null): Promise<Tables> {
  const ours: [OurTable, Table][] = [];
  for (const name of ourTables) ours.push([name, await locateTable(db, name, schema)]);
  return {
    vectorStores: await locateTable(db, config.tables.vectorStores, schema),
    embeddings: await locateTable(db, config.tables.embeddings, schema),
    migrations: await locateTable(db, "vector_store_migrations", schema),
    vectors: await locateTable(db, "vector_store_vectors", schema),
    keywords: await locateTable(db, "vector_store_keywords", schema),
    ours: Object.fromEntries(ours) as Record<OurTable, Table>,
  };
}
