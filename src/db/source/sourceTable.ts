import { sql } from "kysely";
import { StartupError } from "../../words/errors.js";
import type { Executor } from "../executor.js";
import { type Table, locateTable, quote } from "../schema/tables.js";

export interface SourceColumn {
  name: string;
  /** typname, `_float4` for real[]. */
  type: string;
  /** Quoted, with its schema, for a cast to it. */
  typeSql: string;
  /** `vector(1536)`; null without. */
  dimensions: number | null;
}

/** A table of the source, with all that reading it needs. */
export interface SourceTable extends Table {
  columns: SourceColumn[];
  /**
   * The columns of its primary key, else of a unique index over columns that are never null; null where there is
   * neither.
   */
  key: string[] | null;
}

/** @returns undefined if there is no such table or view. */
export const findSourceTable = async (
  tx: Executor,
  name: string,
  schema: string | null,
): Promise<SourceTable | undefined> => describeSourceTable(tx, await locateTable(tx, name, schema));

/** @returns undefined if there is no such table or view. */
export async function describeSourceTable(tx: Executor, table: Table): Promise<SourceTable | undefined> {
  const { rows: columns } = await sql<SourceColumn>`
    SELECT a.attname::text AS name, t.typname::text AS type, format('%I.%I', n.nspname, t.typname) AS "typeSql",
           CASE WHEN t.typname IN ('vector', 'halfvec', 'sparsevec') AND a.atttypmod > 0 THEN a.atttypmod END::int AS dimensions
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE a.attrelid = to_regclass(${table.quoted}) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum`.execute(tx);
  return columns.length === 0 ? undefined : { ...table, columns, key: await keyOf(tx, table) };
}

/** The primary key if there is one, else the narrowest unique index. */
async function keyOf(tx: Executor, table: Table): Promise<string[] | null> {
  const { rows } = await sql<{ columns: string[] }>`
    SELECT array_agg(a.attname::text ORDER BY k.n) AS columns
    FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = to_regclass(${table.quoted}) AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts
    GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts
    HAVING bool_and(a.attnotnull)
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1`.execute(tx);
  return rows[0]?.columns ?? null;
}

/** @throws StartupError that names the flag and the existing columns. */
export function requireColumn(table: SourceTable, name: string, flag: string): SourceColumn {
  const column = table.columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  const names = table.columns.map((each) => each.name).join(", ");
  throw new StartupError(`${flag}: the table ${table.quoted} has no column "${name}" (it has: ${names}).`);
}

/** A column as SQL names it in these queries. */
export const columnSql = (name: string): string => `t.${quote(name)}`;
