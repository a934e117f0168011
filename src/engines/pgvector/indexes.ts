import { sql } from "kysely";
import type { Db } from "../../db/database.js";
import { errorCode } from "../../db/errors.js";

/** How an HNSW graph is built: links of a node, and candidates that are looked at for them. */
export interface IndexParameters {
  m: number;
  efConstruction: number;
}

/** A table of a store's own for its vectors, inside the caller's transaction. @returns its number. */
export async function createOwnTable(tx: Db, dimensions: number): Promise<number> {
  const { derived, embeddings } = tx.layout;
  const { rows } = await sql<{ number: number }>`SELECT nextval(${derived.vectorsNumbers}::regclass) AS number`.execute(
    tx.run,
  );
  const number = rows[0]?.number ?? 0;
  const table = derived.ownVectors(number).reference;
  const type = `${derived.vectorType}(${dimensions})`;
  await sql`
    CREATE TABLE ${table} (id ${sql.raw(embeddings.idType)} PRIMARY KEY, embedding ${sql.raw(type)})
    WITH (toast_tuple_target = 8160)`.execute(tx.run);
  await sql`ALTER TABLE ${table} ALTER COLUMN embedding SET STORAGE EXTERNAL`.execute(tx.run);
  return number;
}

/** The HNSW index of a store's own table. `invalid`: left behind half-built; `building`: somebody is at it now. */
export type IndexState = "absent" | "valid" | "invalid" | "building";

export async function indexState(db: Db, number: number): Promise<IndexState> {
  const table = db.layout.derived.ownVectors(number);
  const { rows } = await sql<{ valid: boolean; building: boolean }>`
    SELECT i.indisvalid AS valid,
           EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.relid = i.indrelid AND p.index_relid IN (0, i.indexrelid)) AS building
    FROM pg_index AS i WHERE i.indexrelid = to_regclass(${`${table.quoted.slice(0, -1)}_hnsw"`})`.execute(db.run);
  const [row] = rows;
  if (row === undefined) return "absent";
  if (row.valid) return "valid";
  return row.building ? "building" : "invalid";
}

/**
 * Builds the HNSW index of a store's own table while it is read and written. A half-built leftover is removed first.
 * @param db not in a transaction, without a time limit (`Database.maintenance`).
 * @returns false when another process is building it.
 */
export async function buildIndex(db: Db, number: number, parameters: IndexParameters): Promise<boolean> {
  const { derived } = db.layout;
  const table = derived.ownVectors(number);
  const state = await indexState(db, number);
  if (state === "building") return false;
  if (state === "invalid") await dropIndex(db, number);
  if (state !== "valid") {
    try {
      await sql`
        CREATE INDEX CONCURRENTLY ${sql.id(`${table.name}_hnsw`)} ON ${table.reference}
        USING hnsw (embedding ${sql.raw(`${derived.vectorType}_ip_ops`)})
        WITH (m = ${sql.raw(String(parameters.m))}, ef_construction = ${sql.raw(String(parameters.efConstruction))})`.execute(
        db.run,
      );
    } catch (error) {
      if (errorCode(error) === "42P07") return false;
      throw error;
    }
  }
  // The planner must know how many rows there are before the first search.
  await sql`ANALYZE ${table.reference}`.execute(db.run);
  return true;
}

async function dropIndex(db: Db, number: number): Promise<void> {
  const table = db.layout.derived.ownVectors(number);
  await sql`DROP INDEX CONCURRENTLY IF EXISTS ${sql.id(table.schema, `${table.name}_hnsw`)}`.execute(db.run);
}

/** Removes a table that has been replaced, inside the caller's transaction. It waits for the searches that still read it. */
export async function dropOwnTable(tx: Db, number: number): Promise<void> {
  await sql`DROP TABLE IF EXISTS ${tx.layout.derived.ownVectors(number).reference}`.execute(tx.run);
}

/** Progress of the builds under way in this database, by any process. `total` is 0 while it is not known. */
export async function buildProgress(db: Db): Promise<{ phase: string; done: number; total: number }[]> {
  const { rows } = await sql<{ phase: string; done: number; total: number }>`
    SELECT p.phase,
           CASE WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END AS done,
           CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END AS total
    FROM pg_stat_progress_create_index AS p JOIN pg_class AS c ON c.oid = p.relid
    WHERE p.datname = current_database() AND p.phase IS NOT NULL
      AND (c.relname LIKE 'vector\\_store\\_vectors\\_%' OR c.oid = to_regclass(${db.layout.embeddings.quotedTable}))`.execute(
    db.run,
  );
  return rows;
}

/**
 * The index that answers equality filters, on the record's metadata. Made when the first store is large enough for an index; a
 * half-built leftover is made anew. @param db as for `buildIndex`.
 */
export async function ensureMetadataIndex(db: Db): Promise<void> {
  const { embeddings } = db.layout;
  const name = embeddings.metadataIndex;
  const { rows } = await sql<{ valid: boolean; building: boolean }>`
    SELECT i.indisvalid AS valid, EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.relid = i.indrelid) AS building
    FROM pg_index AS i WHERE i.indexrelid = to_regclass(${name.quoted})`.execute(db.run);
  const [found] = rows;
  if (found?.valid === true || found?.building === true) return;
  if (found !== undefined) await sql`DROP INDEX CONCURRENTLY IF EXISTS ${name.reference}`.execute(db.run);
  try {
    await sql`
      CREATE INDEX CONCURRENTLY ${sql.id(name.name)} ON ${embeddings.table} USING gin ((${embeddings.metadataColumn}) jsonb_path_ops)`.execute(
      db.run,
    );
    await sql`ANALYZE ${embeddings.table}`.execute(db.run);
  } catch (error) {
    if (errorCode(error) !== "42P07") throw error;
  }
}
