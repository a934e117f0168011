import { z } from "zod";
import type { Inserted } from "../../core/chunks/insert.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import { invalid } from "../../words/errors.js";
import { ExactNumber } from "../../words/exactJson.js";
import { decodeBase64Floats, encodeBase64Floats } from "../../numbers/float32.js";
import { asObject, jsonObject, optional, pageQuery, seconds } from "./common.js";
import { parse } from "./parse.js";
import { filtersField } from "./search.js";
import type { Chunk } from "../../words/chunk.js";

export const maxRowsPerBatch = 10_000;
export const tooManyRows = (limit: number) => `at most ${limit} rows per request; stream more as application/x-ndjson`;
const maxContentCharacters = 10 * 1024 * 1024;

/**
 * An embedding as numbers, or as base64 of little-endian float32 (OpenAI's `encoding_format`), which is faster to send
 * and parse.
 */
const embedding = z
  .unknown()
  .optional()
  .meta({
    oneOf: [
      { type: "array", items: { type: "number" } },
      { type: "string", contentEncoding: "base64" },
      { type: "null" },
    ],
  });

/** Vectors of two models cannot be compared, so a sender who names a model other than the store's gets an error. */
const claimedModel = optional(z.string().min(1, "must not be empty").max(256, "at most 256 characters")).describe(
  "the model that made the embedding; the request is refused if it is not the store's model",
);

const row = z
  .object({
    id: optional(z.string().min(1, "must not be empty").max(256, "at most 256 characters")),
    content: z
      .string()
      .max(maxContentCharacters, `at most ${maxContentCharacters} characters`)
      .refine((text) => text.trim() !== "", "must not be empty")
      .meta({ minLength: 1 }),
    embedding,
    metadata: optional(jsonObject),
    embedding_model: claimedModel,
  })
  .meta({ id: "EmbeddingInput" });

export const createEmbeddingBody = row;

export const returnKinds = ["full", "ids", "count"] as const;

export const createBatchBody = z
  .object({
    // `readBatch` checks each row, with its path, while the body is read.
    embeddings: z
      .array(z.unknown())
      .min(1, "must not be empty")
      .max(maxRowsPerBatch, tooManyRows(maxRowsPerBatch))
      .meta({ items: { $ref: "#/components/schemas/EmbeddingInput" } }),
    return: optional(z.enum(returnKinds)),
    embedding_model: claimedModel,
  })
  .meta({ id: "CreateEmbeddingBatchRequest" });

/**
 * Checks one row of a request; its embedding may already be a Float32Array.
 * @param path its place, e.g. `embeddings[17]`
 */
export const parseRow = (value: unknown, path: string): EmbeddingInput => toInput(parse(row, value, path), path);

/** Decodes the embedding of a checked row. @param path null: the body is the row */
export function toInput(parsed: z.output<typeof row>, path: string | null): EmbeddingInput {
  return {
    id: parsed.id ?? null,
    content: parsed.content,
    metadata: parsed.metadata ?? null,
    model: parsed.embedding_model ?? null,
    embedding:
      parsed.embedding == null
        ? null
        : decodeEmbedding(parsed.embedding, path === null ? "embedding" : `${path}.embedding`),
  };
}

/**
 * Decodes numbers or base64 into finite float32 numbers. Their count is checked later, against the store's dimensions.
 */
function decodeEmbedding(value: unknown, path: string): Float32Array {
  const vector = value instanceof Float32Array ? value : decodeVector(value, path);
  if (vector.length === 0) throw invalid(path, "must not be empty");
  for (let i = 0; i < vector.length; i += 1) {
    if (!Number.isFinite(vector[i]))
      throw invalid(`${path}[${i}]`, "expected a finite number within the range of float32 (±3.4e38)");
  }
  return vector;
}

function decodeVector(value: unknown, path: string): Float32Array {
  if (typeof value === "string") return decodeBase64(value, path);
  if (!Array.isArray(value))
    throw invalid(path, "expected an array of numbers, or base64 of float32 numbers", "invalid_type");
  const vector = new Float32Array(value.length);
  for (let i = 0; i < value.length; i += 1) {
    const given: unknown = value[i];
    const number = given instanceof ExactNumber ? given.toNumber() : given;
    if (typeof number !== "number") {
      throw invalid(
        `${path}[${i}]`,
        `expected a number, received ${number === null ? "null" : typeof number}`,
        "invalid_type",
      );
    }
    vector[i] = number;
  }
  return vector;
}

function decodeBase64(text: string, path: string): Float32Array {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw invalid(path, "is not valid base64");
  const vector = decodeBase64Floats(text);
  if (vector === null) {
    const { length } = Buffer.from(text, "base64");
    throw invalid(path, `expected base64 of float32 numbers (a multiple of 4 bytes), got ${length} bytes`);
  }
  return vector;
}

export const embeddingAnswer = z
  .object({
    id: z.string(),
    object: z.literal("embedding"),
    vector_store_id: z.string(),
    content: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.int(),
    embedding: z.union([z.array(z.number()), z.string()]).optional(),
  })
  .meta({ id: "Embedding" });

export const batchAnswer = z
  .object({
    object: z.literal("embedding.batch"),
    data: z.array(embeddingAnswer).optional(),
    ids: z.array(z.string()).optional(),
    count: z.int().describe("rows of the request that are now stored"),
    duplicates: z.int().describe("how many of these were already stored, with the same id and content"),
    created: z.int(),
  })
  .meta({ id: "EmbeddingBatch" });

export function presentInserted(storeId: string, row: EmbeddingInput, id: string, createdAt: number) {
  return {
    id,
    object: "embedding" as const,
    vector_store_id: storeId,
    content: row.content,
    metadata: row.metadata ?? {},
    created_at: seconds(createdAt),
  };
}

/** The answer to a batch. @param kind `full`: all rows; `ids`: only ids; `count`: neither */
export function presentBatch(
  storeId: string,
  rows: readonly EmbeddingInput[],
  inserted: Inserted,
  kind: (typeof returnKinds)[number],
): z.input<typeof batchAnswer> {
  return {
    object: "embedding.batch",
    ...(kind === "full"
      ? { data: rows.map((row, i) => presentInserted(storeId, row, inserted.ids[i] ?? "", inserted.createdAt)) }
      : {}),
    ...(kind === "ids" ? { ids: inserted.ids } : {}),
    count: rows.length,
    duplicates: inserted.duplicates,
    created: seconds(inserted.createdAt),
  };
}

export const listEmbeddingsQuery = pageQuery(1000).extend({
  filters: z.string().optional().describe("a filter as JSON, in either form that a search accepts"),
  include: z.enum(["embedding"]).optional(),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});

export function presentChunk(
  storeId: string,
  chunk: Chunk,
  format: "float" | "base64",
): z.input<typeof embeddingAnswer> {
  const { embedding: vector } = chunk;
  return {
    id: chunk.id,
    object: "embedding",
    vector_store_id: storeId,
    content: chunk.content,
    metadata: asObject(chunk.metadata),
    created_at: seconds(chunk.createdAt),
    ...(vector === null ? {} : { embedding: format === "base64" ? encodeBase64Floats(vector) : Array.from(vector) }),
  };
}

/** Requires ids, a filter or `all`, so that an empty body deletes nothing. */
export const deleteEmbeddingsBody = z
  .object({
    ids: optional(
      z.array(z.string()).min(1, "must not be empty").max(maxRowsPerBatch, `at most ${maxRowsPerBatch} ids`),
    ),
    filters: filtersField,
    all: optional(z.boolean()),
  })
  .meta({ id: "DeleteEmbeddingsRequest" });

export const deleteEmbeddingsQuery = z.object({
  filters: z.string().optional().describe("a filter as JSON, for clients that cannot send a body with DELETE"),
});

export const deletedEmbeddingsAnswer = z
  .object({ object: z.literal("embedding.deleted"), vector_store_id: z.string(), deleted: z.int() })
  .meta({ id: "DeletedEmbeddings" });
