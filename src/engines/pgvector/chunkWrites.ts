import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";
import { instant } from "../../db/expressions.js";
import type { ChunkSelection, Compared, FileChunks, NewChunk, Relabelling } from "../../words/chunk.js";
import { exactJson } from "../../words/exactJson.js";
import { encodeTextArray } from "./binary.js";
import { portions, selected, unnested } from "./chunkRows.js";
import { forgetReplaced } from "./chunkUpdates.js";
import type { PgvectorState } from "./state.js";
import { unitVector } from "./vectors.js";

/** A chunk with its id. */
type NamedChunk = NewChunk & { id: string };

/** Which tables of vectors a store has. */
export type OwnTables = Pick<PgvectorState, "vectorsTable" | "vectorsNext">;

/**
 * Adds chunks with their derived vectors, inside the caller's transaction. Existing ids stay as they are.
 * @param now Unix milliseconds
 * @param when a condition that is met before the first chunk is added
 * @returns the ids that were added.
 */
export async function insertChunks(
  tx: Db,
  storeId: string,
  chunks: readonly NamedChunk[],
  now: number,
  when: RawBuilder<boolean> = sql`true`,
): Promise<Set<string>> {
  const { table, id, embedding, keyColumns, insertColumns, zoned, metadataType, idType, vectorStoreIdType } =
    tx.layout.embeddings;
  const added = new Set<string>();
  for (const portion of portions(chunks)) {
    // A vector whose chunk another program has removed is overwritten.
    const { rows } = await sql<{ id: string }>`
      WITH added AS (
        INSERT INTO ${table} AS e (${insertColumns}) OVERRIDING SYSTEM VALUE
        SELECT u.id::${sql.raw(idType)}, ${storeId}::${sql.raw(vectorStoreIdType)}, u.content, u.embedding,
               u.metadata::${sql.raw(metadataType)}, ${instant(now, zoned)}
        FROM ${unnested(tx, portion)} WHERE ${when}
        ON CONFLICT (${keyColumns}) DO NOTHING
        RETURNING ${id} AS id, ${embedding} AS embedding
      ), searchable AS (
        INSERT INTO ${tx.layout.derived.vectors} (vector_store_id, id, embedding)
        SELECT ${storeId}::${sql.raw(vectorStoreIdType)}, id, ${unitVector(tx.layout, sql`embedding`, null)} FROM added
        ON CONFLICT (vector_store_id, id) DO UPDATE SET embedding = EXCLUDED.embedding
      )
      SELECT id::text AS id FROM added`.execute(tx.run);
    for (const row of rows) added.add(row.id);
  }
  return added;
}

/**
 * For each id that the store has (or any store, where ids are unique over all): how the stored chunk compares with the
 * given one. Embeddings are compared only where given. A chunk of an adopted table may have no store and no embedding.
 */
export async function compareChunks(
  db: Db,
  storeId: string,
  chunks: readonly NamedChunk[],
): Promise<Map<string, Compared>> {
  const e = db.layout.embeddings;
  const found = new Map<string, Compared>();
  for (const portion of portions(chunks)) {
    const { rows } = await sql<{ id: string; compared: Compared }>`
      SELECT ${e.id}::text AS id,
             CASE WHEN ${e.vectorStoreId}::text IS DISTINCT FROM ${storeId}::text THEN 'elsewhere'
                  WHEN ${e.content} = u.content AND COALESCE(${e.metadata}, '{}') = COALESCE(u.metadata::jsonb, '{}')
                    AND ${e.embedding} = COALESCE(u.embedding, ${e.embedding}) THEN 'same'
                  ELSE 'other' END AS compared
      FROM ${unnested(db, portion)}
      JOIN ${e.table} AS e ON ${ofStore(db, storeId)} AND ${e.id} = u.id::${sql.raw(e.idType)}`.execute(db.run);
    for (const row of rows) found.set(row.id, row.compared);
  }
  return found;
}

/** The condition that a row e may have an id that the store cannot use again. */
function ofStore({ layout: { embeddings } }: Db, storeId: string): RawBuilder<unknown> {
  return embeddings.idsPerStore ? sql`${embeddings.vectorStoreId} = ${storeId}` : sql`true`;
}

/**
 * Ids for new chunks from the id column's sequence; null if it has none and the service makes ids. The sequence does
 * not know the ids that clients chose, so taken numbers are skipped, in growing strides.
 * @param given the ids of the chunks beside them, which are not in the table yet
 */
export async function reserveIds(
  tx: Db,
  storeId: string,
  count: number,
  given: ReadonlySet<string | null>,
): Promise<string[] | null> {
  const { idSequence, id, table } = tx.layout.embeddings;
  if (idSequence === null) return null;
  const free: string[] = [];
  for (let stride = count; free.length < count; stride = Math.min(stride * 2, 100_000)) {
    const { rows } = await sql<{ id: string }>`
      WITH reserved AS MATERIALIZED (SELECT nextval(${idSequence}::regclass) AS id FROM generate_series(1, ${stride}::int))
      SELECT r.id::text AS id FROM reserved AS r
      WHERE NOT EXISTS (SELECT 1 FROM ${table} AS e WHERE ${ofStore(tx, storeId)} AND ${id} = r.id) ORDER BY r.id`.execute(
      tx.run,
    );
    for (const row of rows) if (!given.has(row.id)) free.push(row.id);
  }
  return free.slice(0, count);
}

/**
 * Removes the selected chunks with everything derived from them, inside the caller's transaction.
 * @param most no more than this many
 */
export async function deleteChunks(
  tx: Db,
  storeId: string,
  { vectorsTable, vectorsNext }: OwnTables,
  selection: ChunkSelection,
  most?: number,
): Promise<{ chunks: number; bytes: number }> {
  const e = tx.layout.embeddings;
  const { derived } = tx.layout;
  const owned = [vectorsTable, vectorsNext].filter((number) => number !== null);
  const chosen = selected(tx, storeId, selection);
  const gone = sql`vector_store_id = ${storeId} AND id IN (SELECT id FROM gone)`;
  const { rows } = await sql<{ chunks: number; bytes: number }>`
    WITH gone AS (
      DELETE FROM ${e.table} AS e WHERE ${
        most === undefined
          ? chosen
          : sql`${e.vectorStoreId} = ${storeId} AND ${e.id} = ANY(ARRAY(
        SELECT ${e.id} FROM ${e.table} AS e WHERE ${chosen} ORDER BY ${e.id} LIMIT ${most}))`
      }
      RETURNING ${e.id} AS id, octet_length(${e.content}) AS bytes
    ), vectors AS (DELETE FROM ${derived.vectors} WHERE ${gone}), words AS (DELETE FROM ${derived.keywords} WHERE ${gone})
    ${sql.join(
      owned.map(
        (number) => sql`, ${sql.id(`own_${number}`)} AS (
          DELETE FROM ${derived.ownVectors(number).reference} WHERE id IN (SELECT id FROM gone))`,
      ),
      sql``,
    )}
    SELECT count(*) AS chunks, COALESCE(sum(bytes), 0)::bigint AS bytes FROM gone`.execute(tx.run);
  return rows[0] ?? { chunks: 0, bytes: 0 };
}

/** Removes all chunks of a store that is about to be deleted, and its own tables. */
export async function deleteAllChunks(tx: Db, storeId: string, own: OwnTables): Promise<void> {
  const e = tx.layout.embeddings;
  const { derived } = tx.layout;
  await sql`DELETE FROM ${e.table} AS e WHERE ${e.vectorStoreId} = ${storeId}`.execute(tx.run);
  await sql`DELETE FROM ${derived.vectors} WHERE vector_store_id = ${storeId}`.execute(tx.run);
  await sql`DELETE FROM ${derived.keywords} WHERE vector_store_id = ${storeId}`.execute(tx.run);
  await forgetReplaced(tx, storeId);
  for (const number of [own.vectorsTable, own.vectorsNext]) {
    if (number !== null) await sql`DROP TABLE IF EXISTS ${derived.ownVectors(number).reference}`.execute(tx.run);
  }
}

/** Relabels a file's chunks, inside the caller's transaction. */
export async function mergeMetadata(tx: Db, storeId: string, file: FileChunks, change: Relabelling): Promise<void> {
  const e = tx.layout.embeddings;
  const { within } = change;
  const merged = (json: RawBuilder<unknown>, { remove, set }: Omit<Relabelling, "within">) =>
    sql`((${json} - ${encodeTextArray(remove)}::text[]) || ${exactJson(set)}::jsonb)`;
  const outer = merged(e.metadata, change);
  const inner = within === undefined ? null : sql`(${e.metadata} -> ${within.key}::text)`;
  const whole =
    within === undefined || inner === null
      ? outer
      : sql`(CASE WHEN jsonb_typeof(${inner}) = 'object'
          THEN ${outer} || jsonb_build_object(${within.key}::text, ${merged(inner, within)}) ELSE ${outer} END)`;
  await sql`
    UPDATE ${e.table} AS e SET ${e.bareMetadata} = ${whole}::${sql.raw(e.metadataType)}
    WHERE ${selected(tx, storeId, { file })}`.execute(tx.run);
}
