import type { IdType } from "../../db/schema/layout.js";
import type { ChunksOfFile } from "../../engines/pgvector/chunks.js";
import { uuidV7 } from "../../words/ids.js";

/**
 * Ids of a file's chunks: the first 96 bits of a time-ordered id are the file's own, the last 32 the chunk's number. So the chunks of a
 * file lie side by side in the order of ids, are found without an index on metadata, and a chunk that is written again is the same row.
 */

/** 24 hexadecimal digits. */
export const newChunkBase = (now: number): string => uuidV7(now).replaceAll("-", "").slice(0, 24);

/** The id of the chunk with this number, from 0; null where the database's ids are numbers, which are made as for any other row. */
export function chunkId(idType: IdType, base: string, number: number): string | null {
  const hex = base + number.toString(16).padStart(8, "0");
  switch (idType) {
    case "text":
      return `emb_${hex}`;
    case "uuid":
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    case "bigint":
      return null;
  }
}

/** The chunks of a file, as the engine finds them. */
export function chunksOf(idType: IdType, file: { fileId: string; chunkBase: string }): ChunksOfFile {
  const first = chunkId(idType, file.chunkBase, 0);
  const last = chunkId(idType, file.chunkBase, 0xffffffff);
  return { fileId: file.fileId, range: first === null || last === null ? null : { first, last } };
}
