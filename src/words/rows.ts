import { createHash } from "node:crypto";
import type { Filter } from "./filter.js";
import type { ForeignPermission, ForeignUse } from "./takenOver.js";

/** Rows and stores exactly as recorded, for imports and exports, which must not lose anything. */

/** A row of a source. Metadata is JSON text, because JavaScript cannot hold all its numbers exactly. */
export interface TransferRow {
  /** Its place, for messages: `line 17 of rows.ndjson`. */
  at: string;
  /** Unique in the source and the same in every run; the id of a row without one is derived from it. */
  key: string;
  id: string | null;
  /** The source's name for the row's store; null if it has none. */
  storeId: string | null;
  content: string;
  metadata: string | null;
  /** float32 numbers in network order; null: no embedding. */
  vector: Buffer | null;
  /** Unix microseconds, as precise as the database. */
  createdAt: number | null;
}

/** A vector store of a source. Null: the source does not say. JSON is text here too. */
export interface TransferStore {
  id: string;
  name: string;
  description: string | null;
  metadata: string | null;
  ownerUserId: string | null;
  ownerTeamId: string | null;
  ownerKeyId: string | null;
  expiresAfter: string | null;
  /** Unix microseconds. */
  createdAt: number | null;
  embeddingModel: string | null;
  embeddingDimensions: number | null;
  /** Whether model calls ask for that many dimensions. */
  asksDimensions: boolean;
  /** `Prompts` as JSON text; null: none. */
  prompts: string | null;
  /** `SearchSettings` as JSON text. */
  search: string | null;
}

/** Some rows of a source, in its order. */
export interface TransferPage {
  /** Stores that the source describes from here on. */
  stores: TransferStore[];
  rows: TransferRow[];
  /** Where to continue after this page, as a JSON value: kept in the checkpoint and passed to `pages`. */
  position: unknown;
  /** How much of `total` has been read, including this page. */
  done: number;
  /** Who may use the stores and who used them, after all rows. Absent: a page of rows. */
  people?: { permissions: ForeignPermission[]; uses: ForeignUse[] };
}

/** Where rows come from. */
export interface TransferSource {
  /** For people: one line, without a password. */
  name: string;
  /** Where the source is, however it is read: the ids of new stores are derived from it. */
  origin: string;
  /** Identifies the source and how it is read: a JSON value, part of the import's fingerprint. */
  identity: unknown;
  /** Null: unknown beforehand. */
  total: { amount: number; unit: "rows" | "bytes" } | null;
  /** False for a stream that cannot be read a second time, so there is no checkpoint. */
  repeatable: boolean;
  /** Rows without an embedding, as far as they could be counted. */
  withoutEmbedding: number;
  /** Of every vector; null: the source does not say. */
  dimensions: number | null;
  /** Whether its metadata is already written as PostgreSQL writes jsonb. */
  canonical: boolean;
  /** @param after a position of an earlier run; null to begin */
  pages(after: unknown): AsyncIterable<TransferPage>;
  close(): Promise<void>;
}

/** A page is full with this many rows, or this many bytes of texts and vectors. */
export const pageLimits = { rows: 1000, bytes: 8 * 1024 * 1024 };

/** Roughly the bytes of a row in memory. */
export const sizeOfRow = ({ content, metadata, vector }: TransferRow): number =>
  content.length + (metadata?.length ?? 0) + (vector?.length ?? 0);

/** The checksum of no rows. */
export const noChecksum = "0000000000000000";

/** Adds two checksums: sums of row digests modulo 2^64, in hexadecimal. The order of rows does not matter. */
export const addChecksums = (one: string, other: string): string =>
  sumDigests([BigInt(`0x${one}`), BigInt(`0x${other}`)]);

/** The sum of row digests as a checksum: modulo 2^64, 16 hexadecimal digits. */
export function sumDigests(digests: Iterable<bigint>): string {
  let sum = 0n;
  for (const digest of digests) sum += digest;
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

/** A chunk exactly as it is recorded: texts and bytes, nothing parsed, so nothing can be lost. */
export interface StoredChunk {
  id: string;
  storeId: string;
  content: string;
  /** JSON text. */
  metadata: string;
  /** float32 numbers in network order. */
  vector: Buffer;
  /** Unix microseconds. */
  createdAt: number;
}

/** What is compared of a stored chunk: its store, and the digest of everything else except its time. */
export interface ChunkMark {
  storeId: string;
  digest: bigint;
}

/**
 * The digest of a chunk: the first 64 bits of SHA-256 of id, content, metadata and vector. Texts cannot hold U+0000, so
 * it separates them. A vector enters as its number of dimensions (int16), zero (int16) and its float32 numbers, all in
 * network order. An engine may compute the same digest from what it stores, as engines/pgvector/recordRows.ts does.
 * @param chunk with its metadata as `Records.canonicalJson` returns it
 */
export function digestOf(chunk: Pick<StoredChunk, "id" | "content" | "metadata" | "vector">): bigint {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE((chunk.vector.length / 4) << 16, 0);
  return createHash("sha256")
    .update(`${chunk.id}\0${chunk.content}\0${chunk.metadata}\0`)
    .update(head)
    .update(chunk.vector)
    .digest()
    .readBigUInt64BE(0);
}

/** Which of a store's stored chunks to read. */
export interface RecordPageRequest {
  /** The last id of the page before; null for the first. */
  after: string | null;
  limit: number;
  filter: Filter | null;
  vectors: boolean;
  /** Files whose chunks are left out as if they were hidden. */
  without: ReadonlySet<string>;
}

export interface RecordPage {
  chunks: (Omit<StoredChunk, "metadata" | "vector"> & { metadata: string | null; vector: Buffer | null })[];
  hasMore: boolean;
  /** Files that were hidden at this moment. */
  hidden: readonly string[];
}
