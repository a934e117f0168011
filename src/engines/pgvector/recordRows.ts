import { CompiledQuery, type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";
import { epochMicros, exactText, exactly } from "../../db/expressions.js";
import { keyOfChunk } from "../../words/chunk.js";
import type { ChunkMark, StoredChunk, RecordPage, RecordPageRequest } from "../../words/rows.js";
import type { VectorStore } from "../../words/store.js";
import { encodeTextArray, sentVector } from "./binary.js";
import { hasId, selected } from "./chunkRows.js";
import { encodeCopy } from "./copyRows.js";
import { visible } from "./passing.js";
import { stateOf } from "./state.js";

export const idsOf = (chunks: readonly { id: string }[]): string[] => chunks.map((chunk) => chunk.id);

/**
 * Adds new chunks, of any stores, with their derived vectors, inside the caller's transaction.
 * @throws the database's error 23505 (as ApiError 409) if one of the ids exists.
 */
export async function copyChunks(tx: Db, chunks: readonly StoredChunk[]): Promise<void> {
  const e = tx.layout.embeddings;
  const copy = sql`COPY ${e.table} (${e.insertColumns}) FROM STDIN (FORMAT binary)`.compile(tx.run);
  await tx.run.executeQuery(CompiledQuery.raw(copy.sql, [encodeCopy(tx.layout, chunks)]));
  // OFFSET 0 makes the planner normalise once: each use of the record's vector reads it from TOAST. A vector left
  // behind by another program that deleted its chunk is overwritten.
  await sql`
    INSERT INTO ${tx.layout.derived.vectors} (vector_store_id, id, embedding)
    SELECT store_id, id, CASE WHEN vector_norm(unit) > 0 THEN unit::${sql.raw(tx.layout.derived.vectorType)} END
    FROM (SELECT ${e.vectorStoreId} AS store_id, ${e.id} AS id, l2_normalize(${e.embedding}) AS unit
          FROM ${e.table} AS e WHERE ${isOneOf(tx, chunks)} OFFSET 0) AS u
    ON CONFLICT (vector_store_id, id) DO UPDATE SET embedding = EXCLUDED.embedding`.execute(tx.run);
}

type Named = Pick<StoredChunk, "id" | "storeId">;

/** The condition that a row e has the id of one of these chunks, in its store, or in any if ids are over all stores. */
function isOneOf(db: Db, chunks: readonly Named[]): RawBuilder<unknown> {
  const { vectorStoreId, vectorStoreIdType, id, idType, idsPerStore } = db.layout.embeddings;
  if (!idsPerStore) return hasId(db, idsOf(chunks));
  const storeIds = chunks.map(({ storeId }) => storeId);
  const [storeId] = storeIds;
  // Reads the index once, where a join would descend it for each row.
  if (storeId !== undefined && storeIds.every((each) => each === storeId))
    return sql`${vectorStoreId} = ${storeId} AND ${hasId(db, idsOf(chunks))}`;
  return sql`(${vectorStoreId}, ${id}) IN (
    SELECT u.store_id::${sql.raw(vectorStoreIdType)}, u.id::${sql.raw(idType)}
    FROM unnest(${encodeTextArray(storeIds)}::text[], ${encodeTextArray(idsOf(chunks))}::text[]) AS u(store_id, id))`;
}

/**
 * The marks of the chunks that exist, computed by the database from what it stores. An adopted one may have no
 * embedding, and is then like no chunk that can be added.
 */
export async function marksOf(db: Db, chunks: readonly Named[]): Promise<Map<string, ChunkMark>> {
  const e = db.layout.embeddings;
  const text = (column: unknown) => sql`convert_to(${column}::text, 'UTF8') || '\\x00'::bytea`;
  const { rows } = await sql<{ id: string; storeId: string; digest: string }>`
    SELECT ${exactText(e.id)} AS id, ${e.vectorStoreId}::text AS "storeId",
           left(encode(sha256(${text(e.id)} || ${text(e.content)} || ${text(sql`COALESCE(${e.metadata}, '{}')`)}
             || COALESCE(vector_send(${e.embedding}), '')), 'hex'), 16) AS digest
    FROM ${e.table} AS e WHERE ${isOneOf(db, chunks)}`.execute(db.run);
  const keyOf = e.idsPerStore ? keyOfChunk : ({ id }: Named) => id;
  const marks = new Map<string, ChunkMark>();
  for (const { id, storeId, digest } of rows)
    marks.set(keyOf({ id: exactly(id), storeId }), { storeId, digest: BigInt(`0x${digest}`) });
  return new Map(
    chunks.flatMap((chunk) => {
      const mark = marks.get(keyOf(chunk));
      return mark === undefined ? [] : [[keyOfChunk(chunk), mark]];
    }),
  );
}

/**
 * JSON texts as this database returns them, with its own key order, white space and number format.
 * @throws ApiError or the database's error if it does not accept one of them as JSON.
 */
export async function canonicalJson(db: Db, texts: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    SELECT u.text::jsonb::text AS text FROM unnest(${encodeTextArray(texts)}::text[]) WITH ORDINALITY AS u(text, n) ORDER BY u.n`.execute(
    db.run,
  );
  return rows.map((row) => row.text);
}

/** The vectors of the chunks that exist; null for one with other content or metadata, or in another store. */
export async function storedVectors(
  db: Db,
  chunks: readonly Omit<StoredChunk, "vector">[],
): Promise<Map<string, Buffer | null>> {
  const e = db.layout.embeddings;
  const column = (values: readonly string[]) => sql`${encodeTextArray(values)}::text[]`;
  const inStore = e.idsPerStore ? sql`${e.vectorStoreId} = u.store_id::${sql.raw(e.vectorStoreIdType)}` : sql`true`;
  const { rows } = await sql<{ n: number; vector: string | null }>`
    SELECT u.n, CASE WHEN ${e.vectorStoreId}::text = u.store_id AND ${e.content} = u.content
                       AND COALESCE(${e.metadata}, '{}') = u.metadata::jsonb
                      THEN ${sentVector(e.embedding)} END AS vector
    FROM unnest(${column(idsOf(chunks))}, ${column(chunks.map((each) => each.storeId))},
                ${column(chunks.map((each) => each.content))}, ${column(chunks.map((each) => each.metadata))})
      WITH ORDINALITY AS u(id, store_id, content, metadata, n)
    JOIN ${e.table} AS e ON ${inStore} AND ${e.id} = u.id::${sql.raw(e.idType)}`.execute(db.run);
  const found = new Map(rows.map(({ n, vector }) => [n, vector]));
  return new Map(
    chunks.flatMap((chunk, i) => {
      const vector = found.get(i + 1);
      return vector === undefined ? [] : [[keyOfChunk(chunk), vector === null ? null : decodeSent(vector)]];
    }),
  );
}

/** The numbers of `sentVector`, in network order. */
const decodeSent = (text: string): Buffer => Buffer.from(text, "base64").subarray(4);

/** A page of a store's chunks as they are recorded. */
export async function readPage(
  db: Db,
  store: VectorStore,
  { after, limit, filter, vectors, without }: RecordPageRequest,
): Promise<RecordPage> {
  const e = db.layout.embeddings;
  const hidden = stateOf(store).hiddenFiles;
  const shown = visible(filter, { hiddenFiles: [...new Set([...hidden, ...without])] });
  const { rows } = await sql<{
    id: string;
    content: string;
    metadata: string | null;
    vector: string | null;
    createdAt: number;
  }>`
    SELECT ${exactText(e.id)} AS id, ${exactText(e.content)} AS content, ${e.metadata}::text AS metadata,
           COALESCE(${epochMicros(e.createdAt)}, 0) AS "createdAt",
           ${vectors ? sentVector(e.embedding) : sql`NULL`} AS vector
    FROM ${e.table} AS e
    WHERE ${selected(db, store.id, { filter: shown })}
      AND ${after === null ? sql`true` : sql`${e.id} > ${after}::${sql.raw(e.idType)}`}
    ORDER BY ${e.id} LIMIT ${limit + 1}`.execute(db.run);
  const chunks = rows.slice(0, limit).map((row) => ({
    ...row,
    id: exactly(row.id),
    content: exactly(row.content),
    storeId: store.id,
    vector: row.vector === null ? null : decodeSent(row.vector),
  }));
  return { chunks, hasMore: rows.length > limit, hidden };
}
