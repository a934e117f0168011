import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.js";
import { asWritten, canHold, derivedId } from "../../db/schema/ids.js";
import type { IdType } from "../../db/schema/ids.js";
import type { Amendment, ChunkSelection, FileChunks, NewChunk } from "../../words/chunk.js";
import { exactJson } from "../../words/exactJson.js";
import type { ChunkIds } from "../engine.js";
import { encodeTextArray, encodeVectorArray } from "./binary.js";
import { compileFilter } from "../../db/filterSql.js";

/** Ids of chunks in the record. An adopted table's id column may have any of three types. */
export const chunkIds = (type: IdType, perStore: boolean): ChunkIds => ({
  type,
  perStore,
  read: (id) => asWritten(type, id),
  ofFile: (chunkBase, number) => fileChunkId(type, chunkBase, number),
  derived: (parts) => derivedId(type, "emb_", parts),
});

/**
 * The id of a file's chunk: the file's 96 time-ordered bits, then the chunk's number in 32 bits. So a file's chunks are
 * adjacent in the order of ids, are found without an index on metadata, and rewriting a chunk hits the same row.
 * @returns null if ids are numbers, which are assigned as for any other chunk
 */
function fileChunkId(type: IdType, chunkBase: string, number: number): string | null {
  if (type === "bigint") return null;
  const hex = chunkBase + number.toString(16).padStart(8, "0");
  return type === "text" ? `emb_${hex}` : hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The condition that a row e of the record is in a store and selected. */
export function selected(db: Db, storeId: string, { filter, ids, file, notOf }: ChunkSelection): RawBuilder<boolean> {
  const e = db.layout.embeddings;
  const possible = ids?.filter((id) => canHold(e.idType, id));
  return sql`(${e.vectorStoreId} = ${storeId}
    AND ${filter == null ? sql`true` : compileFilter(filter, e.metadata)}
    AND ${file == null ? sql`true` : isOfFile(db, file)}
    AND ${notOf == null || notOf.length === 0 ? sql`true` : isOfNone(db, notOf)}
    AND ${possible === undefined ? sql`true` : hasId(db, possible)})`;
}

/** The condition that a row e has one of these ids. */
export const hasId = (db: Db, ids: readonly string[]): RawBuilder<boolean> => {
  const { id, idType } = db.layout.embeddings;
  return sql<boolean>`${id} = ANY(${encodeTextArray(ids)}::text[]::${sql.raw(idType)}[])`;
};

function isOfFile(db: Db, { fileId, chunkBase }: FileChunks): RawBuilder<boolean> {
  const e = db.layout.embeddings;
  const named = sql<boolean>`${e.metadata} @> ${JSON.stringify({ file_id: fileId })}::jsonb`;
  const first = fileChunkId(e.idType, chunkBase, 0);
  const last = fileChunkId(e.idType, chunkBase, 0xffffffff);
  if (first === null || last === null) return named;
  const type = sql.raw(e.idType);
  // COALESCE keeps the planner from using an index on metadata instead of the range of ids.
  return sql`(${e.id} >= ${first}::${type} AND ${e.id} <= ${last}::${type} AND COALESCE(${named}, false))`;
}

/** Joined by the file's id, so that a store may have any number of files. */
function isOfNone(db: Db, files: readonly FileChunks[]): RawBuilder<boolean> {
  const e = db.layout.embeddings;
  const texts = (of: (file: FileChunks) => string | null) => sql`${encodeTextArray(files.map(of))}::text[]`;
  const type = sql.raw(e.idType);
  const first = texts(({ chunkBase }) => fileChunkId(e.idType, chunkBase, 0));
  const last = texts(({ chunkBase }) => fileChunkId(e.idType, chunkBase, 0xffffffff));
  return sql`NOT EXISTS (
    SELECT 1 FROM unnest(${texts(({ fileId }) => fileId)}, ${first}, ${last}) AS f(file_id, first, last)
    WHERE f.file_id = ${e.metadata} ->> 'file_id'
      AND (f.first IS NULL OR (${e.id} >= f.first::${type} AND ${e.id} <= f.last::${type})))`;
}

/**
 * Chunks as a table expression u with the columns id, content, embedding and metadata: one binary parameter for each
 * column.
 */
export const unnested = (db: Db, chunks: readonly (NewChunk & { id: string })[]): RawBuilder<unknown> =>
  // {} for no metadata, as litellm-pgvector writes it; an adopted column may refuse null.
  unnestedParts(
    db,
    chunks.map((each) => ({ ...each, metadata: each.metadata ?? {} })),
  );

/** The same of chunks of which only some parts are given; the others are null. */
export function unnestedParts(db: Db, chunks: readonly (Amendment & { id: string })[]): RawBuilder<unknown> {
  const ids = encodeTextArray(chunks.map((each) => each.id));
  const contents = encodeTextArray(chunks.map((each) => each.content));
  const metadatas = encodeTextArray(chunks.map(({ metadata }) => (metadata === null ? null : exactJson(metadata))));
  const embeddings = encodeVectorArray(
    db.layout.embeddings.vectorOid,
    chunks.map((each) => each.embedding),
  );
  return sql`unnest(${ids}::text[], ${contents}::text[], ${embeddings}::vector[], ${metadatas}::text[])
    AS u(id, content, embedding, metadata)`;
}

/**
 * Limits of one statement. The server holds its rows up to three times (the arrays, the rows, their vectors), each on
 * disk if it exceeds work_mem, 4 MB by default.
 */
const statementLimits = { rows: 1000, bytes: 3 * 1024 * 1024 };

/** Splits chunks into portions for one statement each, in order. */
export function* portions<T extends Pick<Amendment, "content" | "embedding">>(chunks: readonly T[]): Generator<T[]> {
  let portion: T[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const size = (chunk.content?.length ?? 0) + (chunk.embedding?.byteLength ?? 0);
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
