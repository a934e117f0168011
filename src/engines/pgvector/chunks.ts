import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/connection/database.js";
import { canHold, epochMillis, instant } from "../../db/tables/stores.js";
import type { Filter } from "../../words/filter.js";
import { decodeVector, encodeTextArray, encodeVectorArray } from "./binary.js";
import { compileFilter } from "./filterSql.js";
import { type VectorsState, unitVector } from "./vectors.js";

export interface NewChunk {
  id: string;
  content: string;
  metadata: Record<string, unknown> | null;
  embedding: Float32Array;
}

export interface Chunk {
  id: string;
  content: string;
  metadata: unknown;
  /** Unix milliseconds. */
  createdAt: number;
  embedding: Float32Array | null;
}

/**
 * Rows of one statement. The server holds them up to three times on their way (the arrays unnested, the rows added, their vectors), each
 * time on disk when they are more than work_mem, which is 4 MB by default.
 */
const statementLimits = { rows: 1000, bytes: 3 * 1024 * 1024 };

/** Chunks in portions for one statement each, in their order. */
function* portions<T extends ChunkWithId>(chunks: readonly T[]): Generator<T[]> {
  let portion: T[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const size = chunk.content.length + (chunk.embedding?.byteLength ?? 0);
    if (portion.length === statementLimits.rows || (portion.length > 0 && bytes + size > statementLimits.bytes)) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(chunk);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

/**
 * Adds chunks to a store, with their vectors for searching, inside the caller's transaction. Ids that exist already are left as they are.
 * @returns the ids that were added.
 */
export async function insertChunks(
  tx: Db,
  storeId: string,
  chunks: readonly NewChunk[],
  now: number,
): Promise<Set<string>> {
  const { table, id, embedding, idColumn, insertColumns, zoned, metadataType, idType, vectorStoreIdType } =
    tx.layout.embeddings;
  const added = new Set<string>();
  for (const portion of portions(chunks)) {
    // A vector without its chunk, left behind by another program that removed the chunk, gives way.
    const { rows } = await sql<{ id: string }>`
      WITH added AS (
        INSERT INTO ${table} AS e (${insertColumns}) OVERRIDING SYSTEM VALUE
        SELECT u.id::${sql.raw(idType)}, ${storeId}::${sql.raw(vectorStoreIdType)}, u.content, u.embedding,
               u.metadata::${sql.raw(metadataType)}, ${instant(now, zoned)}
        FROM ${unnest(tx, portion)}
        ON CONFLICT (${idColumn}) DO NOTHING
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

/** As a chunk to add, but perhaps without its embedding yet. */
export type ChunkWithId = Omit<NewChunk, "embedding"> & { embedding: Float32Array | null };

/** Of the ids that exist already (in any store): is what is there the same as what is given? The embedding counts only where given. */
export async function compareChunks(
  db: Db,
  storeId: string,
  chunks: readonly ChunkWithId[],
): Promise<Map<string, boolean>> {
  const e = db.layout.embeddings;
  const found = new Map<string, boolean>();
  for (const portion of portions(chunks)) {
    const { rows } = await sql<{ id: string; same: boolean }>`
      SELECT ${e.id}::text AS id,
             (${e.vectorStoreId}::text = ${storeId}::text AND ${e.content} = u.content
              AND COALESCE(${e.metadata}, '{}') = COALESCE(u.metadata::jsonb, '{}')
              AND (u.embedding IS NULL OR ${e.embedding} = u.embedding)) AS same
      FROM ${unnest(db, portion)}
      JOIN ${e.table} AS e ON ${e.id} = u.id::${sql.raw(e.idType)}`.execute(db.run);
    for (const row of rows) found.set(row.id, row.same);
  }
  return found;
}

/**
 * Ids for new chunks of a table whose id column has a sequence; null where we make the ids. A sequence knows nothing of the ids that
 * clients gave themselves: numbers that are taken are passed over, in growing strides.
 */
export async function reserveIds(tx: Db, count: number): Promise<string[] | null> {
  const { idSequence, id, table } = tx.layout.embeddings;
  if (idSequence === null) return null;
  const free: string[] = [];
  for (let stride = count; free.length < count; stride = Math.min(stride * 2, 100_000)) {
    const { rows } = await sql<{ id: string }>`
      WITH reserved AS MATERIALIZED (SELECT nextval(${idSequence}::regclass) AS id FROM generate_series(1, ${stride}::int))
      SELECT r.id::text AS id FROM reserved AS r
      WHERE NOT EXISTS (SELECT 1 FROM ${table} AS e WHERE ${id} = r.id) ORDER BY r.id`.execute(tx.run);
    for (const row of rows) free.push(row.id);
  }
  return free.slice(0, count);
}

/** Stores whose counters are not those of their rows, because another program wrote to the tables. Reads the index of all rows once. */
export async function listMiscounted(db: Db): Promise<string[]> {
  const e = db.layout.embeddings;
  const { rows } = await sql<{ id: string }>`
    SELECT s.id::text AS id FROM ${db.layout.vectorStores.table} AS s
    LEFT JOIN (SELECT ${e.vectorStoreId} AS id, count(*) AS rows FROM ${e.table} AS e GROUP BY 1) AS c ON c.id::text = s.id::text
    WHERE s.chunk_count <> COALESCE(c.rows, 0)`.execute(db.run);
  return rows.map((row) => row.id);
}

/** What a store's counters should be, by reading its rows. */
export async function countChunks(db: Db, storeId: string): Promise<{ chunks: number; bytes: number }> {
  const e = db.layout.embeddings;
  const { rows } = await sql<{ chunks: number; bytes: number }>`
    SELECT count(*) AS chunks, COALESCE(sum(octet_length(${e.content})), 0)::bigint AS bytes
    FROM ${e.table} AS e WHERE ${e.vectorStoreId} = ${storeId}`.execute(db.run);
  return rows[0] ?? { chunks: 0, bytes: 0 };
}

export interface ChunkSelection {
  filter: Filter | null;
  ids: readonly string[] | null;
  file?: ChunksOfFile;
}

/** The chunks of a file: their metadata names it, and their ids lie side by side where we made them. */
export interface ChunksOfFile {
  fileId: string;
  /** The first and the last id that they can have; null: any. */
  range: { first: string; last: string } | null;
}

/** Removes the selected chunks of a store and all that is derived from them, inside the caller's transaction. */
export async function deleteChunks(
  tx: Db,
  store: VectorsState & { id: string },
  selection: ChunkSelection,
): Promise<{ chunks: number; bytes: number }> {
  const e = tx.layout.embeddings;
  const { derived } = tx.layout;
  const owned = [store.vectorsTable, store.vectorsNext].filter((number) => number !== null);
  const gone = sql`vector_store_id = ${store.id} AND id IN (SELECT id FROM gone)`;
  const { rows } = await sql<{ chunks: number; bytes: number }>`
    WITH gone AS (
      DELETE FROM ${e.table} AS e WHERE ${selected(tx, store.id, selection)}
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

/** Takes keys out of the metadata of a file's chunks and puts others in, inside the caller's transaction. */
export async function mergeMetadata(
  tx: Db,
  storeId: string,
  file: ChunksOfFile,
  change: { remove: readonly string[]; set: Record<string, unknown> },
): Promise<void> {
  const e = tx.layout.embeddings;
  await sql`
    UPDATE ${e.table} AS e
    SET ${e.bareMetadata} = ((${e.metadata} - ${encodeTextArray(change.remove)}::text[]) || ${JSON.stringify(change.set)}::jsonb)::${sql.raw(e.metadataType)}
    WHERE ${selected(tx, storeId, { filter: null, ids: null, file })}`.execute(tx.run);
}

/** Removes all chunks of a store that is about to go, and its own table with them. */
export async function deleteAllChunks(tx: Db, store: VectorsState & { id: string }): Promise<void> {
  const e = tx.layout.embeddings;
  const { derived } = tx.layout;
  await sql`DELETE FROM ${e.table} AS e WHERE ${e.vectorStoreId} = ${store.id}`.execute(tx.run);
  await sql`DELETE FROM ${derived.vectors} WHERE vector_store_id = ${store.id}`.execute(tx.run);
  await sql`DELETE FROM ${derived.keywords} WHERE vector_store_id = ${store.id}`.execute(tx.run);
  for (const number of [store.vectorsTable, store.vectorsNext]) {
    if (number !== null) await sql`DROP TABLE IF EXISTS ${derived.ownVectors(number).reference}`.execute(tx.run);
  }
}

/** Chunks of a store by their ids, in no order. */
export async function findChunks(db: Db, storeId: string, ids: readonly string[], options: { withEmbedding: boolean }) {
  return (
    await listChunks(
      db,
      storeId,
      { filter: null, ids },
      { limit: ids.length, order: "asc", after: null, before: null, withEmbedding: options.withEmbedding },
    )
  ).chunks;
}

/** One page of a store's chunks in the order of ids, which is the order of writing for ids that we made. */
export async function listChunks(
  db: Db,
  storeId: string,
  selection: ChunkSelection,
  page: { limit: number; order: "asc" | "desc"; after: string | null; before: string | null; withEmbedding: boolean },
): Promise<{ chunks: Chunk[]; hasMore: boolean }> {
  const e = db.layout.embeddings;
  const backwards = page.before !== null && page.after === null;
  const direction = sql.raw((page.order === "asc") === backwards ? "DESC" : "ASC");
  const beyond = (cursor: string | null, later: boolean) =>
    cursor === null
      ? sql`true`
      : sql`${e.id} ${sql.raw((page.order === "asc") === later ? ">" : "<")} ${cursor}::${sql.raw(e.idType)}`;
  const { rows } = await sql<Omit<Chunk, "embedding"> & { embedding: Uint8Array | null }>`
    SELECT ${e.id}::text AS id, ${e.content} AS content, ${e.metadata} AS metadata,
           COALESCE(${epochMillis(e.createdAt)}, 0) AS "createdAt",
           ${page.withEmbedding ? sql`vector_send(${e.embedding})` : sql`NULL`} AS embedding
    FROM ${e.table} AS e
    WHERE ${selected(db, storeId, selection)} AND ${beyond(page.after, true)} AND ${beyond(page.before, false)}
    ORDER BY ${e.id} ${direction}
    LIMIT ${page.limit + 1}`.execute(db.run);
  const chunks = rows.slice(0, page.limit).map((row) => ({
    ...row,
    embedding: row.embedding === null ? null : decodeVector(row.embedding),
  }));
  return { chunks: backwards ? chunks.reverse() : chunks, hasMore: rows.length > page.limit };
}

function ofFile(db: Db, { fileId, range }: ChunksOfFile): RawBuilder<boolean> {
  const e = db.layout.embeddings;
  const named = sql<boolean>`${e.metadata} @> ${JSON.stringify({ file_id: fileId })}::jsonb`;
  if (range === null) return named;
  const type = sql.raw(e.idType);
  // COALESCE: no index on metadata is to be taken instead of the range.
  return sql`(${e.id} >= ${range.first}::${type} AND ${e.id} <= ${range.last}::${type} AND COALESCE(${named}, false))`;
}

function selected(db: Db, storeId: string, { filter, ids, file }: ChunkSelection): RawBuilder<boolean> {
  const e = db.layout.embeddings;
  const possible = ids?.filter((id) => canHold(e.idType, id)) ?? null;
  return sql`(${e.vectorStoreId} = ${storeId}
    AND ${filter === null ? sql`true` : compileFilter(filter, e.metadata)}
    AND ${file === undefined ? sql`true` : ofFile(db, file)}
    AND ${possible === null ? sql`true` : sql`${e.id} = ANY(${encodeTextArray(possible)}::text[]::${sql.raw(e.idType)}[])`})`;
}

/** Rows as one parameter per column, in binary. */
function unnest(db: Db, chunks: readonly ChunkWithId[]): RawBuilder<unknown> {
  const ids = encodeTextArray(chunks.map((each) => each.id));
  const contents = encodeTextArray(chunks.map((each) => each.content));
  const metadatas = encodeTextArray(
    // litellm-pgvector writes {} too; an adopted column may refuse null.
    chunks.map((each) => JSON.stringify(each.metadata ?? {})),
  );
  const embeddings = encodeVectorArray(
    db.layout.embeddings.vectorOid,
    chunks.map((each) => each.embedding),
  );
  return sql`unnest(${ids}::text[], ${contents}::text[], ${embeddings}::vector[], ${metadatas}::text[])
    AS u(id, content, embedding, metadata)`;
}
