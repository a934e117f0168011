import { StartupError } from "../../words/errors.js";
import { type SourceColumn, type SourceTable, columnSql, requireColumn } from "./sourceTable.js";

/** Which column has which part of a row. Null: the usual column if there is one, else none. */
export interface TableMapping {
  id: string | null;
  content: string | null;
  embedding: string | null;
  metadata: string | null;
  /** Further columns that become keys of the metadata. */
  metadataColumns: readonly string[];
  createdAt: string | null;
  store: string | null;
  /** The column whose order rows are read in, page by page. */
  key: string | null;
}

/** The format of an embedding's bytes. */
export type VectorForm = "vector" | "array" | "text" | "bytes";

/**
 * Expressions for a SELECT from the table `t`, each giving text, except `embedding` and `createdAt` (int8
 * microseconds).
 */
export interface RowSql {
  id: string;
  store: string;
  content: string;
  metadata: string;
  embedding: string;
  createdAt: string;
  vectorForm: VectorForm;
  dimensions: number | null;
  /** The columns that order rows, and the types to cast a text to for comparing with them. */
  key: { column: string; type: string }[];
}

/** @throws StartupError naming the flag of a column that is missing or has an unusable type. */
export function compileMapping(table: SourceTable, mapping: TableMapping): RowSql {
  const optional = (given: string | null, usual: string, flag: string) =>
    given !== null || table.columns.some((each) => each.name === usual)
      ? requireColumn(table, given ?? usual, flag)
      : null;
  const content = requireColumn(table, mapping.content ?? "content", "--content-column");
  const embedding = optional(mapping.embedding, "embedding", "--embedding-column");
  const metadata = optional(mapping.metadata, "metadata", "--metadata-column");
  const createdAt = optional(mapping.createdAt, "created_at", "--created-at-column");
  const id = optional(mapping.id, "id", "--id-column");
  const store = mapping.store === null ? null : requireColumn(table, mapping.store, "--store-column");
  const further = mapping.metadataColumns.map((name) => requireColumn(table, name, "--metadata-columns"));
  const key = keyColumns(table, mapping.key);
  const [form, vector] = embedding === null ? (["vector", "NULL::bytea"] as const) : embeddingSql(embedding);
  return {
    id: id === null ? `concat_ws(':', ${key.map((each) => `${columnSql(each.name)}::text`).join(", ")})` : textOf(id),
    store: store === null ? "NULL::text" : textOf(store),
    content: textOf(content),
    metadata: metadataSql(metadata, further),
    embedding: vector,
    createdAt: createdAt === null ? "NULL::int8" : momentSql(createdAt),
    vectorForm: form,
    dimensions: embedding?.dimensions ?? null,
    key: key.map((each) => ({ column: columnSql(each.name), type: each.typeSql })),
  };
}

const textOf = (column: SourceColumn) => `${columnSql(column.name)}::text`;

function keyColumns(table: SourceTable, given: string | null): SourceColumn[] {
  if (given !== null) return [requireColumn(table, given, "--key-column")];
  if (table.key !== null) return table.key.map((name) => requireColumn(table, name, "--key-column"));
  throw new StartupError(
    `The table ${table.quoted} has neither a primary key nor a unique index over columns that are NOT NULL, so there is no order to read it in. ` +
      "Name a column that is never null and never the same twice with --key-column, or give the table a primary key.",
  );
}

const arrays = ["_float4", "_float8", "_numeric", "_int4", "_int8"];
const texts = ["text", "varchar", "json", "jsonb"];

function embeddingSql(column: SourceColumn): readonly [VectorForm, string] {
  const name = columnSql(column.name);
  const { type, typeSql } = column;
  if (type === "vector") return ["vector", name];
  // `vector` is in the extension's schema.
  if (type === "halfvec" || type === "sparsevec") return ["vector", `${name}::${typeSql.replace(/\w+$/, "vector")}`];
  if (arrays.includes(type)) return ["array", `${name}::float4[]`];
  if (texts.includes(type)) return ["text", `${name}::text`];
  if (type === "bytea") return ["bytes", name];
  throw new StartupError(
    `--embedding-column: the column "${column.name}" has the type ${type}; it must be one of vector, halfvec, sparsevec, real[], double precision[], ` +
      "numeric[], integer[], text or json (an array of numbers, or base64 of float32 numbers), or bytea (float32 numbers, little-endian).",
  );
}

/**
 * Metadata as an object if possible, so that other columns can become keys of it. Text must be JSON, which is checked
 * on reading.
 */
function metadataSql(metadata: SourceColumn | null, further: readonly SourceColumn[]): string {
  if (metadata !== null && ![...texts, "hstore"].includes(metadata.type)) {
    throw new StartupError(
      `--metadata-column: the column "${metadata.name}" has the type ${metadata.type}; it must be jsonb, json or text. ` +
        `To make a column a key of the metadata, name it with --metadata-columns.`,
    );
  }
  const base = metadata === null ? null : jsonOf(metadata);
  if (further.length === 0) return base === null ? "NULL::text" : `(${base})::text`;
  const pairs = further.map((each) => `${literal(each.name)}, ${columnSql(each.name)}`).join(", ");
  const columns = `jsonb_strip_nulls(jsonb_build_object(${pairs}))`;
  if (base === null) return `(${columns})::text`;
  const whole = `COALESCE(${base}, '{}'::jsonb)`;
  return `(CASE WHEN jsonb_typeof(${whole}) = 'object' THEN ${whole} ELSE jsonb_build_object('metadata', ${base}) END || ${columns})::text`;
}

function jsonOf({ name, type }: SourceColumn): string {
  if (type === "jsonb") return columnSql(name);
  return type === "hstore" ? `to_jsonb(${columnSql(name)})` : `NULLIF(${columnSql(name)}::text, '')::jsonb`;
}

/** Only for names of columns that were found in the table. */
const literal = (name: string) => `'${name.replaceAll("'", "''")}'`;

function momentSql(column: SourceColumn): string {
  const name = columnSql(column.name);
  if (["timestamp", "timestamptz", "date"].includes(column.type))
    return `(CASE WHEN isfinite(${name}) THEN extract(epoch FROM ${name}) * 1000000 END)::int8`;
  if (["int2", "int4", "int8", "numeric", "float4", "float8"].includes(column.type))
    return `(${name} * 1000000.0)::int8`;
  throw new StartupError(
    `--created-at-column: the column "${column.name}" has the type ${column.type}; it must be a timestamp, a date, or a number of Unix seconds.`,
  );
}
