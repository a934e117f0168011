import { createHash } from "node:crypto";

/** What is moved into or out of vector stores: rows and stores as they are recorded, where nothing may be lost on the way. */

/** A row of a source. Metadata is JSON text, since numbers in it may be larger than JavaScript's. */
export interface TransferRow {
  /** Where it stands, for messages: `line 17 of rows.ndjson`. */
  at: string;
  /** The same for a program: of rows without an id, theirs is made from it. Unique in the source, the same in every run. */
  key: string;
  id: string | null;
  /** The source's name for the row's store; null where it has none. */
  storeId: string | null;
  content: string;
  metadata: string | null;
  /** float32 numbers in network order, as PostgreSQL sends them; null: without embedding. */
  vector: Buffer | null;
  /** Unix microseconds, as precise as the database. */
  createdAt: number | null;
}

/** A vector store of a source. What is null the source does not know. JSON is text here too. */
export interface TransferStore {
  id: string;
  name: string;
  description: string | null;
  metadata: string | null;
  ownerUserId: string | null;
  expiresAfter: string | null;
  /** Unix microseconds. */
  createdAt: number | null;
  embeddingModel: string | null;
  embeddingDimensions: number | null;
  /** The model is asked for that many dimensions. */
  asksDimensions: boolean;
  /** `SearchSettings` of db/vectorStores.ts. */
  search: string | null;
}

/** Some rows of a source, in its order. */
export interface TransferPage {
  /** Stores that the source tells of from here on. */
  stores: TransferStore[];
  rows: TransferRow[];
  /** Where to go on after this page, as JSON: kept in the checkpoint and given back to `pages`. */
  position: unknown;
  /** How much of `total` is read with this page. */
  done: number;
}

/** Where rows come from. */
export interface TransferSource {
  /** For people: no password, no more than a line. */
  name: string;
  /** Where it is, however it is read: stores that are made of it are found again by it. */
  origin: string;
  /** What tells this source, and how it is read, from any other: JSON, part of the import's fingerprint. */
  identity: unknown;
  /** Null: not known beforehand. */
  total: { amount: number; unit: "rows" | "bytes" } | null;
  /** False for a stream that cannot be read a second time: then there is no checkpoint either. */
  repeatable: boolean;
  /** Rows that are known to have no embedding, where they could be counted. */
  withoutEmbedding: number;
  /** Of every vector, where the source says so itself. */
  dimensions: number | null;
  /** Its metadata is as PostgreSQL writes jsonb. */
  canonical: boolean;
  /** Sentences for the person at the terminal: what is in the source and will not be imported. */
  notes: string[];
  /** @param after a position of an earlier run; null to begin */
  pages(after: unknown): AsyncIterable<TransferPage>;
  close(): Promise<void>;
}

/** A page is full with so many rows, or so many bytes of texts and vectors. */
export const pageLimits = { rows: 1000, bytes: 8 * 1024 * 1024 };

/** Roughly what a row holds in memory. */
export const sizeOfRow = ({ content, metadata, vector }: TransferRow): number =>
  content.length + (metadata?.length ?? 0) + (vector?.length ?? 0);

/** The sum of no rows' digests. */
export const noChecksum = "0000000000000000";

/** Sums of digests of rows, modulo 2^64, in hexadecimal: in whatever order rows come, those of the same rows are the same. */
export const addChecksums = (one: string, other: string): string =>
  sumDigests([BigInt(`0x${one}`), BigInt(`0x${other}`)]);

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

/** What is compared of a stored chunk: its store, and the digest of everything else but its time. */
export interface ChunkMark {
  storeId: string;
  digest: bigint;
}

/**
 * The digest of a chunk: the first 64 bits of SHA-256 of id, content, metadata and vector. Texts cannot hold U+0000, so it separates
 * them. PostgreSQL computes the same by itself (engines/pgvector/records.ts).
 * @param chunk its metadata as `Records.canonicalJson` gives it
 */
export function digestOf(chunk: Pick<StoredChunk, "id" | "content" | "metadata" | "vector">): bigint {
  // As pgvector sends a vector: int16 dimensions, int16 zero, then the numbers.
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE((chunk.vector.length / 4) << 16, 0);
  return createHash("sha256")
    .update(`${chunk.id}\0${chunk.content}\0${chunk.metadata}\0`)
    .update(head)
    .update(chunk.vector)
    .digest()
    .readBigUInt64BE(0);
}
