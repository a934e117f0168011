import { sql } from "kysely";
import type { Config, DatabaseConfig } from "../../process/config.js";
import type { Executor } from "../executor.js";
import { indexOn, locateTable } from "./tables.js";

/** What litellm-vector-store calls its rows, and the column of their store. Its other columns have the usual names. */
const itsRows = { table: "documents", storeId: "store_id" };

/**
 * The names of tables and columns as the database has them. litellm-vector-store had no settings for its own, so its
 * database needs none here either: its rows are used where there are none of ours, and from then on, even if somebody
 * adds a table `embeddings`. Settings with other names than the usual ones are obeyed.
 */
export async function fitNames(db: Executor, config: DatabaseConfig, schema: string | null): Promise<DatabaseConfig> {
  const { tables, fields } = config;
  if (tables.embeddings !== "embeddings" || fields.vectorStoreId !== "vector_store_id") return config;
  const name = tables.vectorStores.replace(/[^.]*$/, itsRows.table);
  const documents = await locateTable(db, name, schema);
  const stores = await locateTable(db, tables.vectorStores, schema);
  const embeddings = await locateTable(db, tables.embeddings, schema);
  const adopted = indexOn(documents, "by_store");
  const columns = Object.values({ ...fields, vectorStoreId: itsRows.storeId });
  const has = (table: string, names: readonly string[]) => sql`
    (SELECT count(*) = ${names.length}::int FROM pg_attribute AS a
     WHERE a.attrelid = to_regclass(${table}) AND a.attname = ANY(${names}::text[]) AND NOT a.attisdropped)`;
  const { rows } = await sql`
    SELECT 1 WHERE ${has(documents.quoted, columns)} AND ${has(stores.quoted, ["id", "name", "owner_user_id"])}
      AND (to_regclass(${embeddings.quoted}) IS NULL OR to_regclass(${adopted.quoted}) IS NOT NULL)`.execute(db);
  if (rows.length === 0) return config;
  return {
    ...config,
    tables: { ...tables, embeddings: name },
    fields: { ...fields, vectorStoreId: itsRows.storeId },
  };
}

/**
 * The settings with the dimensions of the column, where they name a model but no dimensions, and the column of an
 * adopted table holds vectors of one length only.
 */
export function fitDimensions(config: Config, column: number | null): Config {
  const { embedding } = config;
  if (column === null || !embedding.modelConfigured || embedding.dimensionsConfigured) return config;
  return { ...config, embedding: { ...embedding, dimensions: column } };
}
