import { sql } from "kysely";
import type { DatabaseConfig } from "../../process/config.js";
import { StartupError } from "../../words/errors.js";
import type { Executor } from "../executor.js";
import { storeColumns, timeTypes } from "../tables/storeColumns.js";
import type { IdType } from "./ids.js";
import type { Layout } from "./layout.js";
import { type Table, beside } from "./tables.js";

interface Column {
  name: string;
  type: string;
  typeOid: number;
  typmod: number;
  required: boolean;
}

const idTypes: Record<string, IdType> = { text: "text", varchar: "text", uuid: "uuid", int8: "bigint" };
const textTypes = ["text", "varchar"];
/** The fields of the embeddings table, the setting that names each, and the types we can work with. */
const embeddingFields = {
  id: { setting: "DB_FIELDS__ID_FIELD", types: Object.keys(idTypes) },
  content: { setting: "DB_FIELDS__CONTENT_FIELD", types: textTypes },
  metadata: { setting: "DB_FIELDS__METADATA_FIELD", types: ["jsonb", "json"] },
  embedding: { setting: "DB_FIELDS__EMBEDDING_FIELD", types: ["vector"] },
  vectorStoreId: { setting: "DB_FIELDS__VECTOR_STORE_ID_FIELD", types: Object.keys(idTypes) },
  createdAt: { setting: "DB_FIELDS__CREATED_AT_FIELD", types: timeTypes },
} as const;

/**
 * The columns of the embeddings table, checked against the settings, or null if there is no such table yet.
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
  const idsPerStore = await areIdsPerStore(db, table, config.fields);
  const ref = <T>(field: keyof typeof embeddingFields) => sql<T>`e.${sql.ref(config.fields[field])}`;
  const bareOf = (field: keyof typeof embeddingFields) => sql.ref(config.fields[field]);
  const idType = idTypes[found.id.type] ?? "text";
  return {
    table: table.reference,
    quotedTable: table.quoted,
    id: ref("id"),
    content: ref("content"),
    metadata: sql`${ref("metadata")}::jsonb`,
    bareContent: bareOf("content"),
    bareMetadata: bareOf("metadata"),
    bareEmbedding: bareOf("embedding"),
    embedding: ref("embedding"),
    vectorStoreId: ref("vectorStoreId"),
    createdAt: ref("createdAt"),
    insertColumns: sql.join(
      (["id", "vectorStoreId", "content", "embedding", "metadata", "createdAt"] as const).map(bareOf),
    ),
    idsPerStore,
    keyColumns: sql.join((idsPerStore ? (["vectorStoreId", "id"] as const) : (["id"] as const)).map(bareOf)),
    idType,
    idSequence: idType === "bigint" ? await sequenceOf(db, table, config.fields.id) : null,
    vectorStoreIdType: idTypes[found.vectorStoreId.type] ?? "text",
    metadataType: found.metadata.type === "json" ? "json" : "jsonb",
    zoned: found.createdAt.type === "timestamptz",
    dimensions: found.embedding.typmod > 0 ? found.embedding.typmod : null,
    metadataColumn: sql`${bareOf("metadata")}::jsonb`,
    metadataIndex: beside(table, `${table.name.slice(0, 50)}_by_metadata`),
    rangeIndex: (suffix) => beside(table, `${table.name.slice(0, 40)}_range_${suffix}`),
    vectorStoreIdColumn: bareOf("vectorStoreId"),
    vectorOid: found.embedding.typeOid,
  };
}

/** Like `inspectEmbeddings`, for the vector stores table, whose columns have fixed names. */
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
    const types = storeColumns[column.name]?.types;
    if (types === undefined || types.includes(column.type)) continue;
    throw new StartupError(
      `The column "${column.name}" of "${table}" has the type ${column.type}; it must be one of ${types.join(", ")}.`,
    );
  }
  // Times are compared with each other, and PostgreSQL would convert between the two kinds by the session's time zone.
  const times = columns.filter((each) => storeColumns[each.name]?.types === timeTypes);
  if (new Set(times.map((each) => each.type)).size > 1) {
    throw new StartupError(
      `The columns ${times.map((each) => `"${each.name}"`).join(", ")} of "${table}" must all be timestamps with time zone, or all without.`,
    );
  }
}

/**
 * Runs after the migrations.
 * @throws StartupError if the vector stores table lacks a column that we use, or requires one that we do not know
 */
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

/**
 * Whether the ids of rows are unique in each store, or over all stores because the table has a key on the id alone. A
 * client's own id is safe to retry only because the database refuses it a second time.
 * @throws StartupError if the table has neither key
 */
async function areIdsPerStore(
  db: Executor,
  table: Table,
  { id, vectorStoreId }: DatabaseConfig["fields"],
): Promise<boolean> {
  const { rows } = await sql<{ alone: boolean | null; perStore: boolean | null }>`
    SELECT bool_or(k.columns = ARRAY[${id}::text]) AS alone,
           bool_or(k.columns IN (ARRAY[${id}::text, ${vectorStoreId}::text], ARRAY[${vectorStoreId}::text, ${id}::text])) AS "perStore"
    FROM (
      SELECT array_agg(a.attname::text ORDER BY c.n) AS columns
      FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS c(attnum, n)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.attnum
      WHERE i.indrelid = to_regclass(${table.quoted}) AND i.indisunique AND i.indimmediate AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL AND c.n <= i.indnkeyatts
      GROUP BY i.indexrelid) AS k`.execute(db);
  const [found] = rows;
  if (found?.alone === true) return false;
  if (found?.perStore === true) return true;
  throw new StartupError(
    `DB_FIELDS__ID_FIELD: the column "${id}" of "${table.name}" has neither a primary key nor a unique index, alone or ` +
      `with "${vectorStoreId}". Add one: CREATE UNIQUE INDEX ON ${table.quoted} ("${vectorStoreId}", "${id}");`,
  );
}

async function sequenceOf(db: Executor, table: Table, column: string): Promise<string | null> {
  const { rows } = await sql<{ sequence: string | null }>`
    SELECT pg_get_serial_sequence(${table.quoted}, ${column}) AS sequence`.execute(db);
  return rows[0]?.sequence ?? null;
}
