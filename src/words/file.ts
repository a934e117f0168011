import type { Payer } from "./caller.js";
import type { Cutting } from "./document.js";
import type { ExactNumber } from "./exactJson.js";

/** OpenAI's File object as recorded. Times are Unix milliseconds. */
export interface StoredFile {
  id: string;
  filename: string;
  purpose: string;
  /** Size in bytes. */
  bytes: number;
  /** SHA-256. */
  contentHash: Buffer;
  /** The key of the bytes in the storage. */
  content: string;
  inDirectory: boolean;
  createdAt: number;
  expiresAt: number | null;
}

export const fileStatuses = ["in_progress", "completed", "failed", "cancelled"] as const;
export type FileStatus = (typeof fileStatuses)[number];

/** How a file becomes chunks. Two files with equal bytes and settings have the same chunks. */
export interface IngestSettings {
  cutting: Cutting;
  visionModel: string | null;
  visionPrompt: string | null;
}

/**
 * How a file's text became the chunks that are stored. Later attempts repeat it, whatever the settings and the model's
 * limits are by then, because chunks are known by their numbers.
 */
export interface CuttingPlan {
  /** The model that embedded them. */
  model: string;
  /** In the unit of the file's `cutting`. */
  size: number;
  overlap: number;
  /** By the place of a chunk in the document, from 0: where the model's refusal cut it again, in UTF-16 units. */
  splits: Readonly<Record<string, readonly number[]>>;
}

export type Attributes = Record<string, string | number | ExactNumber | boolean>;

/** OpenAI's `last_error` of a vector store file. */
export interface LastError {
  code: "server_error" | "unsupported_file" | "invalid_file";
  message: string;
}

/** Names a file within a vector store. */
export interface StoreFileKey {
  vectorStoreId: string;
  fileId: string;
}

/** A file attached to a vector store, as recorded. Times are Unix milliseconds. */
export interface StoreFile extends StoreFileKey {
  batchId: string | null;
  filename: string;
  contentHash: Buffer | null;
  createdAt: number;
  status: FileStatus;
  /** Of a file in progress: it waits for what does not pass by itself. */
  errorCode: LastError["code"] | null;
  errorMessage: string | null;
  attributes: Attributes | null;
  settings: IngestSettings;
  /** The attached file whose chunks this one shares, because content and settings are equal. */
  sameAs: string | null;
  /** Other files of the same name leave the store once this one is complete. */
  replaces: boolean;
  chunkCount: number;
  contentBytes: number;
  /** Null until the file has been read completely. */
  chunksTotal: number | null;
  stage: "queued" | "parsing" | "embedding" | "done";
  /** The ids of its chunks begin with this. */
  chunkBase: string;
  /** The version of reading and chunking that made its chunks. */
  madeBy: number | null;
  /** Null: no chunk is stored, or by a version that cut as `settings` says. */
  plan: CuttingPlan | null;
  /** The worker that ingests it; null: none. */
  lease: string | null;
  attempts: number;
  /** Who pays for its model calls; null: the service. */
  payer: Payer | null;
}

/** A file to attach. */
export interface NewStoreFile extends Pick<
  StoreFile,
  | "vectorStoreId"
  | "fileId"
  | "batchId"
  | "filename"
  | "contentHash"
  | "createdAt"
  | "attributes"
  | "settings"
  | "replaces"
  | "chunkBase"
  | "payer"
> {
  /** Why it cannot be ingested; null: it can. */
  error: LastError | null;
}

/** Two files of a store that agree in all of this are the same document with the same chunks. */
export type SameDocument = Pick<StoreFile, "vectorStoreId" | "filename" | "contentHash" | "attributes" | "settings">;

/** How many files have each status. */
export interface FileCounts {
  in_progress: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Chunks that belong to files, and the bytes of their contents. */
  chunks: number;
  bytes: number;
}

export const noFiles: FileCounts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, chunks: 0, bytes: 0 };

/** The files of a store, with the store's own counters at the same moment. */
export interface StoreCounts extends FileCounts {
  storeChunks: number;
  storeBytes: number;
}

/** OpenAI's file batch: files that were attached together. `createdAt` in Unix milliseconds. */
export interface FileBatch {
  id: string;
  vectorStoreId: string;
  createdAt: number;
  cancelled: boolean;
}

/** OpenAI's Upload object: a file that arrives in parts. Times are Unix milliseconds. */
export interface Upload {
  id: string;
  filename: string;
  purpose: string;
  /** The size that its sender announced. */
  bytes: number;
  mimeType: string;
  status: "pending" | "completed" | "cancelled" | "expired";
  createdAt: number;
  expiresAt: number;
  /** Seconds until the file expires; null: it does not. */
  fileExpiresAfter: number | null;
  fileId: string | null;
}

export interface UploadPart {
  id: string;
  uploadId: string;
  content: string;
  inDirectory: boolean;
  bytes: number;
  createdAt: number;
}
