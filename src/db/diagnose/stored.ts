import { sql } from "kysely";
import type { DatabaseConfig } from "../../process/config.js";
import { derivedVectorType, maxIndexDimensions } from "../schema/layout.js";
import { type Tables, quote } from "../schema/tables.js";
import type { DatabaseKind, Executor } from "../executor.js";

/** For the doctor: what is stored and indexed. `version` is the last migration applied, see `MigrationFacts`. */

export interface ModelInUse {
  /** Null: the model of the settings. */
  model: string | null;
  /** Null for stores adopted without a vector. */
  dimensions: number | null;
  stores: number;
  chunks: number;
}

/** The models of the stores' vectors, as recorded; before stores recorded any, only the dimensions. */
export async function modelsInUse(
  tx: Executor,
  config: DatabaseConfig,
  tables: Tables,
  version: number,
): Promise<ModelInUse[]> {
  const embedding = sql.ref(config.fields.embedding);
  const model = version >= 2 ? sql`embedding_model` : sql`NULL::text`;
  const { rows } =
    version >= 1
      ? await sql<ModelInUse>`
          SELECT ${model} AS model, embedding_dimensions AS dimensions, count(*) AS stores, sum(chunk_count)::bigint AS chunks
          FROM ${tables.vectorStores.reference} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`.execute(tx)
      : await sql<ModelInUse>`
          SELECT NULL::text AS model, vector_dims(${embedding}) AS dimensions, 1 AS stores, 1 AS chunks
          FROM ${tables.embeddings.reference} WHERE ${embedding} IS NOT NULL LIMIT 1`.execute(tx);
  return rows;
}

export interface Contents {
  stores: number;
  embeddings: number;
  /** The sum of what the stores record; null before the migration. */
  recorded: number | null;
}

/** Reads the whole index of embeddings: on a very large table it may exceed the time limit, which throws. */
export async function countContents(tx: Executor, tables: Tables, version: number): Promise<Contents> {
  const stores = tables.vectorStores.reference;
  const recorded =
    version >= 1 ? sql`(SELECT COALESCE(sum(chunk_count), 0)::bigint FROM ${stores})` : sql`NULL::bigint`;
  const { rows } = await sql<Contents>`
    SELECT (SELECT count(*) FROM ${stores}) AS stores, (SELECT count(*) FROM ${tables.embeddings.reference}) AS embeddings,
           ${recorded} AS recorded`.execute(tx);
  return rows[0] ?? { stores: 0, embeddings: 0, recorded: null };
}

interface RegistryKeys {
  /** May only search. */
  search: number;
  /** Act as whoever LiteLLM says. */
  asUsers: number;
}

/** Keys of the service for LiteLLM's registry that have not ended. The table of keys must be there. */
export async function countRegistryKeys(tx: Executor, tables: Tables): Promise<RegistryKeys> {
  const { rows } = await sql<RegistryKeys>`
    SELECT count(*) FILTER (WHERE scope = 'search') AS search,
           count(*) FILTER (WHERE starts_with(scope, 'user:')) AS "asUsers"
    FROM ${tables.ours.vector_store_keys.reference} WHERE expires_at IS NULL OR expires_at > now()`.execute(tx);
  return rows[0] ?? { search: 0, asUsers: 0 };
}

export interface RecordIndex {
  /** With its schema, in quotes. */
  name: string;
  method: "hnsw" | "ivfflat";
  valid: boolean;
  bytes: number;
}

/** Approximate indexes on the embeddings table: never ours. */
export async function recordIndexes(tx: Executor, tables: Tables): Promise<RecordIndex[]> {
  const { rows } = await sql<RecordIndex>`
    SELECT c.relname::text AS name, m.amname::text AS method, i.indisvalid AS valid, pg_relation_size(c.oid)::bigint AS bytes
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = to_regclass(${tables.embeddings.quoted}) AND m.amname IN ('hnsw', 'ivfflat')
    ORDER BY 1`.execute(tx);
  return rows.map((row) => ({ ...row, name: `${quote(tables.embeddings.schema)}.${quote(row.name)}` }));
}

export interface IndexCounts {
  /** Stores by the state of their index; see engines/pgvector/upkeep/indexState.ts. */
  ready: number;
  building: number;
  waiting: number;
  none: number;
  /** Size of all derived tables with their indexes. */
  bytes: number;
}

/** The stores' own indexes, after migration 2. @param minRows null: no store gets an index by its size. */
export async function countIndexes(
  tx: Executor,
  tables: Tables,
  kind: DatabaseKind,
  minRows: number | null,
): Promise<IndexCounts> {
  const maxDimensions = maxIndexDimensions(derivedVectorType(kind));
  const large =
    minRows === null
      ? sql`false`
      : sql`(chunk_count >= ${minRows}::bigint AND COALESCE(embedding_dimensions, 0) <= ${maxDimensions}::int)`;
  const { rows } = await sql<IndexCounts>`
    WITH states AS (
      SELECT CASE WHEN NOT vectors_complete THEN 'waiting'
                  WHEN vectors_indexed AND vectors_next IS NULL AND NOT reindex_requested THEN 'ready'
                  WHEN vectors_table IS NOT NULL OR vectors_next IS NOT NULL THEN 'building'
                  WHEN reindex_requested OR ${large} THEN 'waiting' ELSE 'none' END AS state
      FROM ${tables.vectorStores.reference})
    SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'building') AS building,
           count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'none') AS none,
           (SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = ${tables.vectors.schema} AND c.relkind = 'r'
              AND (c.relname ~ ${`^${tables.vectors.name}(_[0-9]+)?$`} OR c.relname = ${tables.keywords.name})) AS bytes
    FROM states`.execute(tx);
  return rows[0] ?? { ready: 0, building: 0, waiting: 0, none: 0, bytes: 0 };
}

export interface BrokenIndex {
  store: string;
  /** The half-built one; null if the store's index is missing. */
  index: string | null;
}

/** Broken indexes of stores: half-built ones that no process is building, and missing ones. */
export async function brokenIndexes(tx: Executor, tables: Tables): Promise<BrokenIndex[]> {
  const { schema, name } = tables.vectors;
  const { rows } = await sql<BrokenIndex>`
    WITH own AS (
      SELECT s.id::text AS store, t.indexed, to_regclass(format('%I.%I', ${schema}::text, ${name} || '_' || t.number)) AS relation
      FROM ${tables.vectorStores.reference} AS s
      CROSS JOIN LATERAL (VALUES (s.vectors_table, s.vectors_indexed), (s.vectors_next, false)) AS t(number, indexed)
      WHERE t.number IS NOT NULL)
    SELECT o.store, c.relname::text AS index
    FROM own AS o JOIN pg_index AS i ON i.indrelid = o.relation JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE NOT i.indisvalid AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.relid = i.indrelid)
    UNION ALL
    SELECT o.store, NULL FROM own AS o
    WHERE o.indexed AND NOT EXISTS (
      SELECT 1 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
      WHERE i.indrelid = o.relation AND m.amname = 'hnsw')
    ORDER BY 1, 2`.execute(tx);
  return rows;
}
