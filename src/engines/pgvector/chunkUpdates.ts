import { sql } from "kysely";
import { type Db, ours } from "../../db/database.js";
import { epochMillis } from "../../db/expressions.js";
import type { Amendment } from "../../words/chunk.js";
import { portions, unnestedParts } from "./chunkRows.js";
import type { PgvectorState } from "./state.js";
import { unitVector } from "./vectors.js";

/** A changed chunk: the bytes of its content before and after, and when it was created, in Unix milliseconds. */
export interface Updated {
  id: string;
  before: number;
  after: number;
  createdAt: number;
}

/**
 * Changes what is given of a store's chunks, and what is derived from that, inside a transaction that holds the store's
 * row. New vectors go to the shared table, as those of new chunks do. Ids that the store does not have are left out.
 */
export async function updateChunks(
  tx: Db,
  storeId: string,
  { vectorsTable, vectorsNext }: Pick<PgvectorState, "vectorsTable" | "vectorsNext">,
  chunks: readonly (Amendment & { id: string })[],
): Promise<Updated[]> {
  const e = tx.layout.embeddings;
  const { derived } = tx.layout;
  const idType = sql.raw(e.idType);
  const storeType = sql.raw(e.vectorStoreIdType);
  const owned = [vectorsTable, vectorsNext].filter((number) => number !== null);
  const updated: Updated[] = [];
  for (const portion of portions(chunks)) {
    const { rows } = await sql<Updated>`
      WITH given AS MATERIALIZED (SELECT u.id::${idType} AS id, u.content, u.embedding, u.metadata FROM ${unnestedParts(tx, portion)}),
      stored AS MATERIALIZED (
        SELECT ${e.id} AS id, octet_length(${e.content}) AS bytes, COALESCE(${epochMillis(e.createdAt)}, 0) AS made
        FROM given AS g JOIN ${e.table} AS e ON ${e.id} = g.id
        WHERE ${e.vectorStoreId} = ${storeId} FOR UPDATE OF e
      ), changed AS (
        UPDATE ${e.table} AS e
        SET ${e.bareContent} = COALESCE(g.content, ${e.content}),
            ${e.bareEmbedding} = COALESCE(g.embedding, ${e.embedding}),
            ${e.bareMetadata} = COALESCE(g.metadata::${sql.raw(e.metadataType)}, e.${e.bareMetadata})
        FROM given AS g JOIN stored AS s ON s.id = g.id
        WHERE ${e.vectorStoreId} = ${storeId} AND ${e.id} = s.id
        RETURNING ${e.id} AS id, octet_length(${e.content}) AS bytes, ${e.embedding} AS embedding, s.bytes AS before, s.made,
                  g.embedding IS NOT NULL AS moved, g.content IS NOT NULL AS reworded
      ), searchable AS (
        INSERT INTO ${derived.vectors} (vector_store_id, id, embedding)
        SELECT ${storeId}::${storeType}, id, ${unitVector(tx.layout, sql`embedding`, null)} FROM changed WHERE moved
        ON CONFLICT (vector_store_id, id) DO UPDATE SET embedding = EXCLUDED.embedding
      ), words AS (
        DELETE FROM ${derived.keywords} WHERE vector_store_id = ${storeId} AND id IN (SELECT id FROM changed WHERE reworded)
      )
      ${sql.join(
        owned.map(
          (number) => sql`, ${sql.id(`own_${number}`)} AS (
            DELETE FROM ${derived.ownVectors(number).reference} WHERE id IN (SELECT id FROM changed WHERE moved))`,
        ),
        sql``,
      )}
      SELECT id::text AS id, before, bytes AS after, made AS "createdAt" FROM changed`.execute(tx.run);
    updated.push(...rows);
    if (vectorsNext !== null) await noteReplaced(tx, storeId, rows);
  }
  return updated;
}

const table = "vector_store_replaced";

/** While a store's next table is being filled, the copy there may be the old one and cannot be seen yet. */
async function noteReplaced(tx: Db, storeId: string, chunks: readonly { id: string }[]): Promise<void> {
  if (chunks.length === 0) return;
  await ours(tx, table)
    .insertInto(table)
    .values(chunks.map(({ id }) => ({ vector_store_id: storeId, id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Removes from a store's next table the rows that were replaced while it was being filled, inside a transaction that
 * locks the store's row.
 */
export async function removeReplaced(tx: Db, storeId: string, next: number): Promise<void> {
  await sql`
    DELETE FROM ${tx.layout.derived.ownVectors(next).reference} AS v USING ${tx.layout.ours[table].reference} AS r
    WHERE r.vector_store_id = ${storeId} AND v.id = r.id::${sql.raw(tx.layout.embeddings.idType)}`.execute(tx.run);
  await forgetReplaced(tx, storeId);
}

export async function forgetReplaced(tx: Db, storeId: string): Promise<void> {
  await ours(tx, table).deleteFrom(table).where("vector_store_id", "=", storeId).execute();
}
