import type { Filter } from "./filter.js";

/** A chunk to write: a text, its embedding, and metadata to filter by. */
export interface NewChunk {
  /** Null: the engine makes one. */
  id: string | null;
  content: string;
  metadata: Record<string, unknown> | null;
  /** Null: the chunk is already stored, and the change only confirms that it still is. */
  embedding: Float32Array | null;
  /**
   * True: a model made the embedding for this write. It is not compared with the stored one: models seldom give equal
   * numbers twice.
   */
  embeddingMade?: boolean;
}

/** Tells chunks of several stores apart: two stores may have chunks with the same id. No id holds U+0000. */
export const keyOfChunk = ({ storeId, id }: { storeId: string; id: string }): string => `${storeId}\0${id}`;

/** What happens to a stored chunk when another one with its id is put. */
export const conflictRules = ["error", "skip", "replace"] as const;
export type OnConflict = (typeof conflictRules)[number];

/**
 * `same`: equal content and metadata, and an equal embedding if one is given. `other`: another chunk of this store.
 * `elsewhere`: a chunk of another store, equal or not, where ids are unique over all stores.
 */
export type Compared = "same" | "other" | "elsewhere";

/** What changes of a chunk. Null: stays as it is. */
export interface Amendment {
  content: string | null;
  metadata: Record<string, unknown> | null;
  embedding: Float32Array | null;
}

/** Removes keys from the metadata of a file's chunks, then sets others. */
export interface Relabelling {
  remove: readonly string[];
  set: Readonly<Record<string, unknown>>;
  /** The same in the object that a key of the metadata has, in chunks where it has one. */
  within?: { key: string; remove: readonly string[]; set: Readonly<Record<string, unknown>> };
}

/** A chunk as stored. */
export interface Chunk {
  id: string;
  content: string;
  /** A JSON value; an object unless another program wrote it. */
  metadata: unknown;
  /** Unix milliseconds. */
  createdAt: number;
  /** Null if not asked for. */
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
  /** Its rank among the nearest vectors and among the keyword matches, from 1; null: not in that list. */
  vectorRank: number | null;
  keywordRank: number | null;
  /** The search's own score, if a rerank model gave `score`. */
  vectorScore?: number;
}

/** A chunk's place in its document, from its metadata. */
export interface ChunkPlace {
  /** The metadata key that names the document, e.g. `file_id`. */
  key: string;
  document: string;
  /** `chunk_index`. */
  index: number;
}

/**
 * The chunks of a file: their metadata names the file, and their ids begin with `chunkBase` where the engine made them.
 */
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
  /** Not the chunks of these files. A row that only names such a file in its metadata is no chunk of it. */
  notOf?: readonly FileChunks[] | null;
}
