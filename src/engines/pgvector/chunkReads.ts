import { sql } from "kysely";
import type { Db } from "../../db/database.js";
import { epochMillis } from "../../db/expressions.js";
import type { Chunk, ChunkPlace, ChunkSelection } from "../../words/chunk.js";
import type { Filter } from "../../words/filter.js";
import type { ChunkPage, Page, Wanted } from "../engine.js";
import { decodeSentVector, sentVector } from "./binary.js";
import { selected } from "./chunkRows.js";

/** Chunks of a store by id, in no particular order. */
export async function findChunks(
  db: Db,
  storeId: string,
  ids: readonly string[],
  { embeddings }: Wanted,
): Promise<Chunk[]> {
  const page = { limit: ids.length, order: "asc", after: null, before: null, embeddings } as const;
  return (await listChunks(db, storeId, { ids }, page)).chunks;
}

/** One page of a store's chunks in the order of ids, which is the order of writing for ids that the service made. */
export async function listChunks(
  db: Db,
  storeId: string,
  selection: ChunkSelection,
  page: Page & Wanted,
): Promise<ChunkPage> {
  const e = db.layout.embeddings;
  const backwards = page.before !== null && page.after === null;
  const direction = sql.raw((page.order === "asc") === backwards ? "DESC" : "ASC");
  const beyond = (cursor: string | null, later: boolean) =>
    cursor === null
      ? sql`true`
      : sql`${e.id} ${sql.raw((page.order === "asc") === later ? ">" : "<")} ${cursor}::${sql.raw(e.idType)}`;
  const { rows } = await sql<Omit<Chunk, "embedding"> & { embedding: string | null }>`
    SELECT ${e.id}::text AS id, ${e.content} AS content, ${e.metadata} AS metadata,
           COALESCE(${epochMillis(e.createdAt)}, 0) AS "createdAt",
           ${page.embeddings ? sentVector(e.embedding) : sql`NULL`} AS embedding
    FROM ${e.table} AS e
    WHERE ${selected(db, storeId, selection)} AND ${beyond(page.after, true)} AND ${beyond(page.before, false)}
    ORDER BY ${e.id} ${direction}
    LIMIT ${page.limit + 1}`.execute(db.run);
  const chunks = rows.slice(0, page.limit).map((row) => ({
    ...row,
    embedding: row.embedding === null ? null : decodeSentVector(row.embedding),
  }));
  return { chunks: backwards ? chunks.reverse() : chunks, hasMore: rows.length > page.limit };
}

/** The true values of a store's counters, from reading its chunks. */
export async function countChunks(
  db: Db,
  storeId: string,
  filter: Filter | null,
): Promise<{ chunks: number; bytes: number }> {
  const e = db.layout.embeddings;
  const { rows } = await sql<{ chunks: number; bytes: number }>`
    SELECT count(*) AS chunks, COALESCE(sum(octet_length(${e.content})), 0)::bigint AS bytes
    FROM ${e.table} AS e WHERE ${selected(db, storeId, { filter })}`.execute(db.run);
  return rows[0] ?? { chunks: 0, bytes: 0 };
}

/** Documents per lookup: each adds a comparison to every row that is read. */
const mostDocuments = 100;

/**
 * Contents of the chunks at these places, where they exist.
 * @param indexed whether metadata has its index: if so, each document is looked up in it; if not, the store is read
 *   once.
 */
export async function findPlaces(
  db: Db,
  storeId: string,
  places: readonly ChunkPlace[],
  indexed: boolean,
): Promise<(ChunkPlace & { content: string })[]> {
  const e = db.layout.embeddings;
  const found: (ChunkPlace & { content: string })[] = [];
  for (const key of new Set(places.map((each) => each.key))) {
    const own = places.filter((each) => each.key === key);
    const documents = [...new Set(own.map((each) => each.document))].slice(0, mostDocuments);
    const inDocuments = indexed
      ? sql.join(
          documents.map((document) => sql`${e.metadata} @> ${JSON.stringify({ [key]: document })}::jsonb`),
          sql` OR `,
        )
      : sql`${e.metadata} ->> ${key}::text = ANY(${documents}::text[])`;
    const indexes = JSON.stringify([...new Set(own.map((each) => each.index))]);
    const { rows } = await sql<{ document: string; index: number; content: string }>`
      SELECT ${e.metadata} ->> ${key}::text AS document, (${e.metadata} ->> 'chunk_index')::float8 AS index, ${e.content} AS content
      FROM ${e.table} AS e
      WHERE ${e.vectorStoreId} = ${storeId} AND (${inDocuments})
        AND jsonb_typeof(${e.metadata} -> ${key}::text) = 'string' AND jsonb_typeof(${e.metadata} -> 'chunk_index') = 'number'
        AND ${indexes}::jsonb @> (${e.metadata} -> 'chunk_index')
      ORDER BY ${e.id}`.execute(db.run);
    found.push(...rows.map((row) => ({ key, ...row })));
  }
  return found;
}
