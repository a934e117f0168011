import { type RawBuilder, sql } from "kysely";
import type { Layout } from "../../db/schema/layout.js";
import { decodeSentVector, sentVector } from "./binary.js";
import type { PgvectorState } from "./state.js";
import { recordedIds, workOnPortion } from "./upkeep/portion.js";
import type { Db } from "../../db/database.js";

/**
 * The derived vectors: each chunk's unit vector, in the row itself, where a search reads it in a third of the time that
 * the record's TOASTed vector takes. They are in the table that all stores share, or in a store's own table, which has
 * an index. Fresh rows of such a store stay in the shared table until they are moved.
 */

type OwnTable = Pick<PgvectorState, "vectorsTable">;

/** A vector column as a derived vector; null if it has no direction, or not its store's number of dimensions. */
export function unitVector(
  layout: Layout,
  vector: RawBuilder<unknown>,
  dimensions: number | null,
): RawBuilder<unknown> {
  const usable = dimensions === null ? sql`true` : sql`vector_dims(${vector}) = ${dimensions}::int`;
  return sql`CASE WHEN ${usable} AND vector_norm(${vector}) > 0 THEN l2_normalize(${vector})::${sql.raw(layout.derived.vectorType)} END`;
}

/**
 * All vectors of a store as a table expression with the columns id and embedding. Rows that the own table has too are
 * skipped.
 */
export function vectorsOf(
  layout: Layout,
  storeId: string,
  { vectorsTable }: Pick<PgvectorState, "vectorsTable">,
): RawBuilder<unknown> {
  const shared = sql`SELECT id, embedding FROM ${layout.derived.vectors} AS s WHERE vector_store_id = ${storeId}`;
  if (vectorsTable === null) return sql`(${shared})`;
  const own = layout.derived.ownVectors(vectorsTable).reference;
  return sql`(SELECT id, embedding FROM ${own} UNION ALL ${shared} AND NOT EXISTS (SELECT 1 FROM ${own} AS o WHERE o.id = s.id))`;
}

/**
 * Adds the missing vectors of the next rows, in the order of ids, inside the caller's transaction. It must hold the
 * lock on the store's row: otherwise a concurrent deletion could leave a vector behind.
 * @returns the id to continue after; null at the end.
 */
export async function fillVectors(
  tx: Db,
  store: OwnTable & { id: string; embeddingDimensions: number | null },
  after: string | null,
  limit: number,
): Promise<string | null> {
  const { layout } = tx;
  const e = layout.embeddings;
  const missing = (table: RawBuilder<unknown>, condition: RawBuilder<unknown>) =>
    sql`NOT EXISTS (SELECT 1 FROM ${table} AS v WHERE v.id = p.id AND ${condition})`;
  const own = store.vectorsTable === null ? null : layout.derived.ownVectors(store.vectorsTable).reference;
  const fill = sql`
    INSERT INTO ${layout.derived.vectors} (vector_store_id, id, embedding)
    SELECT ${store.id}::${sql.raw(e.vectorStoreIdType)}, ${e.id}, ${unitVector(layout, e.embedding, store.embeddingDimensions)}
    FROM portion AS p JOIN ${e.table} AS e ON ${e.id} = p.id
    WHERE ${e.vectorStoreId} = ${store.id}
      AND ${missing(layout.derived.vectors, sql`v.vector_store_id = ${store.id}`)} AND ${own === null ? sql`true` : missing(own, sql`true`)}
    ON CONFLICT (vector_store_id, id) DO NOTHING`;
  return workOnPortion(tx, recordedIds(layout, store.id), { after, limit }, fill);
}

/**
 * Copies all vectors of a store to its next own table, in mixed order, because the quality of a graph depends on the
 * order of rows. Reads and writes continue; afterwards `removeOwnOrphans` must remove what was deleted during the copy.
 * @param db not in a transaction, without a time limit (`Database.maintenance`).
 */
export async function copyVectors(
  db: Db,
  store: OwnTable & { id: string; embeddingDimensions: number },
  next: number,
): Promise<void> {
  const { layout } = db;
  const type = sql.raw(`${layout.derived.vectorType}(${store.embeddingDimensions})`);
  const vectors = vectorsOf(layout, store.id, store);
  // Sort only the ids: the vectors would be gigabytes.
  await sql`
    INSERT INTO ${layout.derived.ownVectors(next).reference} (id, embedding)
    SELECT v.id, v.embedding::${type}
    FROM (SELECT id FROM ${vectors} AS ids ORDER BY hashtextextended(id::text, 0)) AS mixed
    CROSS JOIN LATERAL (SELECT id, embedding FROM ${vectors} AS by_id WHERE id = mixed.id OFFSET 0) AS v
    ON CONFLICT (id) DO NOTHING`.execute(db.run);
}

/**
 * Moves at most `limit` vectors of a store from the shared table to its own, inside the caller's transaction, which
 * must hold the lock on the store's row.
 * @returns how many left the shared table.
 */
export async function moveVectors(
  tx: Db,
  store: { id: string; vectorsTable: number; embeddingDimensions: number },
  limit: number,
): Promise<number> {
  const { vectors, ownVectors, vectorType } = tx.layout.derived;
  const type = sql.raw(`${vectorType}(${store.embeddingDimensions})`);
  const { rows } = await sql<{ count: number }>`
    WITH moved AS (
      DELETE FROM ${vectors} AS v
      USING (SELECT id FROM ${vectors} WHERE vector_store_id = ${store.id} ORDER BY id LIMIT ${limit}) AS p
      WHERE v.vector_store_id = ${store.id} AND v.id = p.id
      RETURNING v.id, v.embedding
    ), arrived AS (
      INSERT INTO ${ownVectors(store.vectorsTable).reference} (id, embedding)
      SELECT id, embedding::${type} FROM moved
      ON CONFLICT (id) DO NOTHING
    )
    SELECT count(*) AS count FROM moved`.execute(tx.run);
  return rows[0]?.count ?? 0;
}

/**
 * Removes from the shared table the rows that the store's new table has too, among the next rows in the order of ids.
 * Not "the next such rows": in a store that is being loaded most rows are not in it, and each step would look through
 * all of them.
 * @param after the id to continue after; null to begin
 * @returns the last id looked at; null at the end.
 */
export async function dropCopied(
  tx: Db,
  store: { id: string; vectorsTable: number },
  after: string | null,
  limit: number,
): Promise<string | null> {
  const { vectors, ownVectors } = tx.layout.derived;
  const shared = sql`SELECT id FROM ${vectors} WHERE vector_store_id = ${store.id}`;
  const drop = sql`
    DELETE FROM ${vectors} AS v USING portion AS p
    WHERE v.vector_store_id = ${store.id} AND v.id = p.id
      AND EXISTS (SELECT 1 FROM ${ownVectors(store.vectorsTable).reference} AS o WHERE o.id = p.id)`;
  return workOnPortion(tx, shared, { after, limit }, drop);
}

/** How many vectors of a store are in the shared table, counted up to `limit`. */
export async function countShared(db: Db, storeId: string, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count
    FROM (SELECT 1 FROM ${db.layout.derived.vectors} WHERE vector_store_id = ${storeId} LIMIT ${limit}) AS s`.execute(
    db.run,
  );
  return rows[0]?.count ?? 0;
}

/**
 * Random vectors of a store's own table, at length 1. The table is in mixed order, so a page of it is a fair sample.
 */
export async function sampleVectors(
  db: Db,
  { vectorsTable, chunkCount }: { vectorsTable: number; chunkCount: number },
  count: number,
): Promise<Float32Array[]> {
  // Sample 20 times as many as wanted, so that it never finds none. Sampling pages is faster than rows, but a small
  // table has too few pages.
  const percent = Math.min(100, (2000 * count) / Math.max(1, chunkCount));
  const method = sql.raw(chunkCount < 10_000 ? "BERNOULLI" : "SYSTEM");
  const { rows } = await sql<{ embedding: string }>`
    SELECT ${sentVector(sql`embedding::vector`)} AS embedding
    FROM ${db.layout.derived.ownVectors(vectorsTable).reference} TABLESAMPLE ${method} (${percent}::float4)
    WHERE embedding IS NOT NULL LIMIT ${count}`.execute(db.run);
  return rows.map((row) => decodeSentVector(row.embedding));
}

const unrecorded = (layout: Layout, storeId: string) => {
  const e = layout.embeddings;
  return sql`NOT EXISTS (SELECT 1 FROM ${e.table} AS e WHERE ${e.id} = v.id AND ${e.vectorStoreId} = ${storeId})`;
};

/**
 * Removes vectors without a chunk from one of a store's own tables, inside a transaction that locks the store's row.
 */
export async function removeOwnOrphans(tx: Db, storeId: string, number: number): Promise<void> {
  const own = tx.layout.derived.ownVectors(number).reference;
  await sql`DELETE FROM ${own} AS v WHERE ${unrecorded(tx.layout, storeId)}`.execute(tx.run);
}

/** The same for all of a store's vectors, after another program deleted chunks from the record. */
export async function removeOrphans(tx: Db, store: OwnTable & { id: string }): Promise<void> {
  await sql`
    DELETE FROM ${tx.layout.derived.vectors} AS v
    WHERE v.vector_store_id = ${store.id} AND ${unrecorded(tx.layout, store.id)}`.execute(tx.run);
  if (store.vectorsTable !== null) await removeOwnOrphans(tx, store.id, store.vectorsTable);
}
