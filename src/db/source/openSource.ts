import type { Kysely } from "kysely";
import type { Owner } from "../../words/caller.js";
import { StartupError } from "../../words/errors.js";
import type { TransferSource, TransferStore } from "../../words/rows.js";
import { type SourceTable, findSourceTable } from "./sourceTable.js";
import type { SourceDatabase } from "./connect.js";
import { type TableMapping, compileMapping } from "./mapping.js";
import { type OwnTables, type PeopleTables, findOwnTables, findPeople } from "./people.js";
import { isPeoplePosition, readPeople } from "./peoplePages.js";
import { type RowsToRead, countRows, readPages, requireUniqueKey } from "./pages.js";
import { readSourceStores } from "./stores.js";

export type SourceKind = "litellm-pgvector" | "litellm-vector-store" | "table";

/** What to read from a database, as requested. */
export interface SourceRequest {
  /** Null: detected from the tables. */
  kind: SourceKind | null;
  /** The table of rows; null: the kind's usual one. */
  table: string | null;
  mapping: TableMapping;
  where: string | null;
  /** Whose the stores of other programs are that have no owner; null: the service's own. */
  adoptedOwner: Owner | null;
}

/** What each kind calls its tables. */
const rowTables = { "litellm-pgvector": "embeddings", "litellm-vector-store": "documents" } as const;
const storeColumns = { "litellm-pgvector": "vector_store_id", "litellm-vector-store": "store_id" } as const;

/** Looks at the tables and prepares to read them. @throws StartupError that names the flag. */
export async function openTableSource(source: SourceDatabase, request: SourceRequest): Promise<TransferSource> {
  const { kind, rows, stores, people } = await source.reading((tx) => describe(tx, source, request));
  if (request.mapping.key !== null) await requireUniqueKey(source, rows);
  const counted = await countRows(source, rows).catch((error: unknown) => {
    if (request.where === null) throw error;
    throw new StartupError(`--where: the source does not take the condition: ${(error as Error).message}`);
  });
  return {
    name: `${rows.table.quoted} of ${source.name}`,
    origin: `${source.name} ${rows.table.quoted}`,
    identity: { source: source.name, kind, table: rows.table.quoted, mapping: request.mapping, where: request.where },
    total: { amount: counted.rows, unit: "rows" },
    repeatable: true,
    canonical: true,
    withoutEmbedding: counted.without,
    dimensions: rows.row.dimensions,
    async *pages(after) {
      // Stores without rows too.
      if (stores.length > 0) yield { stores, rows: [], position: after, done: 0 };
      if (!isPeoplePosition(after)) yield* readPages(source, rows, after);
      if (people !== null) yield* readPeople(source, people, { after, done: counted.rows });
    },
    close: () => source.close(),
  };
}

/** The tables of who may use the stores and who used them. */
type SourcePeople = PeopleTables & OwnTables;

async function describe(
  tx: Kysely<unknown>,
  { schema, name }: SourceDatabase,
  { kind: asked, table: tableName, mapping, where, adoptedOwner }: SourceRequest,
): Promise<{ kind: SourceKind; rows: RowsToRead; stores: TransferStore[]; people: SourcePeople | null }> {
  const kind = asked ?? (tableName === null ? await detectKind(tx, schema, name) : "table");
  const find = async (wanted: string) => {
    const found = await findSourceTable(tx, wanted, schema);
    if (found === undefined)
      throw new StartupError(
        `The source ${name} has no table "${wanted}" that this role can see (--table, or ?schema= in --from).`,
      );
    return found;
  };
  if (kind === "table") {
    if (tableName === null) throw new StartupError("--from-kind table needs the table's name: --table NAME.");
    const table = await find(tableName);
    return { kind, rows: { table, row: compileMapping(table, mapping), where }, stores: [], people: null };
  }
  const table = await find(tableName ?? rowTables[kind]);
  const storeTable = await find("vector_stores");
  const row = compileMapping(table, { ...mapping, store: mapping.store ?? storeColumns[kind] });
  const conditions = [...(where === null ? [] : [`(${where})`]), ...hiddenRows(storeTable, row.store, row.metadata)];
  return {
    kind,
    rows: { table, row, where: conditions.length === 0 ? null : conditions.join(" AND ") },
    stores: await readSourceStores(tx, storeTable, adoptedOwner),
    people: {
      ...(await findOwnTables(tx, storeTable)),
      ...(kind === "litellm-vector-store" ? await findPeople(tx, storeTable) : { permissions: null, usage: null }),
    },
  };
}

async function detectKind(tx: Kysely<unknown>, schema: string | null, name: string): Promise<SourceKind> {
  const stores = await findSourceTable(tx, "vector_stores", schema);
  for (const kind of ["litellm-pgvector", "litellm-vector-store"] as const) {
    if (stores !== undefined && (await findSourceTable(tx, rowTables[kind], schema)) !== undefined) return kind;
  }
  throw new StartupError(
    `The source ${name} has neither the tables of litellm-pgvector ("vector_stores", "embeddings") nor those of litellm-vector-store ` +
      `("vector_stores", "documents"). Name the table to read with --table, and its schema with ?schema= in --from.`,
  );
}

/**
 * In a database of this service, leaves out what nobody can see: the chunks of files under ingestion, and stores that
 * are being removed.
 */
function hiddenRows(stores: SourceTable, storeSql: string, metadataSql: string): string[] {
  const has = (column: string) => stores.columns.some((each) => each.name === column);
  const leaving = has("leaving")
    ? [`NOT EXISTS (SELECT 1 FROM ${stores.quoted} AS s WHERE s.id::text = ${storeSql} AND s.leaving)`]
    : [];
  if (!has("hidden_files")) return leaving;
  return [
    ...leaving,
    `NOT EXISTS (SELECT 1 FROM ${stores.quoted} AS s WHERE s.id::text = ${storeSql} AND ` +
      `(${metadataSql})::jsonb ->> 'file_id' = ANY (s.hidden_files))`,
  ];
}
