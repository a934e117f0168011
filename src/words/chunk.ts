import type { Filter } from "./filter.js";

/** A chunk to write: a text, its embedding, and metadata to filter by. */
export interface NewChunk {
  /** Null: the engine makes one. */
  id: string | null;
  content: string;
  metadata: Record<string, unknown> | null;
  /** Null: the chunk was found to be stored already, and the change only confirms that it still is. */
  embedding: Float32Array | null;
  /** A model made the embedding just now. Such a one is not compared with what is stored: a model seldom makes equal numbers twice. */
  embeddingMade?: boolean;
}

/** A chunk as stored. */
export interface Chunk {
  id: string;
  content: string;
  /** A JSON value; an object unless another program wrote it. */
  metadata: unknown;
  /** Unix milliseconds. */
  createdAt: number;
  /** Null where it was not asked for. */
  embedding: Float32Array | null;
}

/** A chunk that a search found. */
export interface FoundChunk {
  id: string;
  storeId: string;
  content: string;
  metadata: unknown;
  /** 0…1, higher is better; docs/search.md says what it means in each search mode. */
  score: number;
  /** Its place among the nearest vectors and among the matching words, from 1; null: not found that way. */
  vectorRank: number | null;
  keywordRank: number | null;
  /** The score of the search, where a rerank model gave `score`. */
  vectorScore?: number;
}

/** A chunk's place in its document, as its metadata says it. */
export interface ChunkPlace {
  /** The metadata key that names the document, e.g. `file_id`. */
  key: string;
  document: string;
  /** `chunk_index`. */
  index: number;
}

/** The chunks of a file: their metadata names the file, and their ids begin with `chunkBase` where the engine made them. */
export interface FileChunks {
  fileId: string;
  /** 24 hexadecimal digits; see `newChunkBase`. */
  chunkBase: string;
}

/** Which chunks of a store: all that meet every condition given here. */
export interface ChunkSelection {
  filter?: Filter | null;
  ids?: readonly string[] | null;
  file?: FileChunks | null;
}
