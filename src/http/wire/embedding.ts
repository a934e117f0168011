import { z } from "zod";
import type { RowChange } from "../../core/chunks/oneRow.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import { invalid } from "../../words/errors.js";
import { encodeBase64Floats } from "../../numbers/float32.js";
import { asObject, jsonObject, optional, pageQuery, seconds, storeParams } from "./common.js";
import type { Parse } from "./parse.js";
import { filtersField, filtersText } from "./filters.js";
import { decodeEmbedding, embedding } from "./vector.js";
import type { Chunk } from "../../words/chunk.js";
import { conflictField } from "./conflictRule.js";

/** A row takes this much memory beside its text and its vector, so that tiny rows cannot fill it. */
const leastRowBytes = 1024;
/** The rows that a body of at most `limit` bytes may have: as many as fit, each counted as at least 1 KB. */
export const rowsWithin = (limit: number) => Math.floor(limit / leastRowBytes);
export const tooManyRows = (limit: number) => `at most ${limit} rows per request; stream more as application/x-ndjson`;
const maxContentCharacters = 10 * 1024 * 1024;

/** Vectors of two models cannot be compared, so a sender who names a model other than the store's gets an error. */
const claimedModel = optional(z.string().min(1, "must not be empty").max(256, "at most 256 characters")).describe(
  "the model that made the embedding; the request is refused if it is not the store's model",
);

const content = z
  .string()
  .max(maxContentCharacters, `at most ${maxContentCharacters} characters`)
  .refine((text) => text.trim() !== "", "must not be empty")
  .meta({ minLength: 1 });

const row = z
  .object({
    id: optional(z.string().min(1, "must not be empty").max(256, "at most 256 characters")),
    content,
    embedding,
    metadata: optional(jsonObject),
    embedding_model: claimedModel,
  })
  .meta({ id: "EmbeddingInput" });

export const createEmbeddingBody = row.extend({ on_conflict: conflictField }).meta({ id: "CreateEmbeddingRequest" });

export const returnKinds = ["full", "ids", "count"] as const;

export const createBatchBody = z
  .object({
    // `readBatch` checks each row, with its path, while the body is read.
    embeddings: z
      .array(z.unknown())
      .min(1, "must not be empty")
      .describe("the rows, as many as a body of MAX_BODY_MB has room for; all are stored, or none")
      .meta({ items: { $ref: "#/components/schemas/EmbeddingInput" } }),
    return: optional(z.enum(returnKinds)),
    on_conflict: conflictField,
    embedding_model: claimedModel,
  })
  .meta({ id: "CreateEmbeddingBatchRequest" });

/**
 * Checks one row of a request; its embedding may already be a Float32Array.
 * @param path its place, e.g. `embeddings[17]`
 */
export const parseRow = (value: unknown, path: string, parse: Parse): EmbeddingInput =>
  toInput(parse(row, value, path), path);

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

export const embeddingAnswer = z
  .object({
    id: z.string(),
    object: z.literal("embedding"),
    vector_store_id: z.string(),
    content: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.int(),
    embedding: z.union([z.array(z.number()), z.string()]).optional(),
    file_id: z.string().optional().describe("of a chunk of a file: the file, with which alone it changes and leaves"),
  })
  .meta({ id: "Embedding" });

export const listEmbeddingsQuery = pageQuery(1000).extend({
  filters: filtersText("by metadata"),
  include: z.enum(["embedding"]).optional(),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});

export function presentChunk(
  storeId: string,
  chunk: Chunk,
  format: "float" | "base64",
  fileId: string | null = null,
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
    ...(fileId === null ? {} : { file_id: fileId }),
  };
}

export const rowQuery = listEmbeddingsQuery.pick({ include: true, encoding_format: true });

export const rowParams = storeParams.extend({
  embedding_id: z.string().describe("id of the row, percent-encoded: a/b#1 is a%2Fb%231"),
});

export const changeEmbeddingBody = z
  .object({
    content: optional(content).describe("the new text; the store's model embeds it unless embedding is given too"),
    metadata: optional(jsonObject).describe("the new metadata, which replaces the whole of the old; {} removes all"),
    embedding,
    embedding_model: claimedModel,
  })
  .meta({ id: "ChangeEmbeddingRequest" });

/** @throws ApiError 400 if nothing is to change, or the embedding cannot be read */
export function readChange(body: z.output<typeof changeEmbeddingBody>): RowChange {
  const vector = body.embedding == null ? null : decodeEmbedding(body.embedding, "embedding");
  const change = { content: body.content ?? null, metadata: body.metadata ?? null, embedding: vector };
  if (Object.values(change).every((each) => each === null))
    throw invalid(null, "Give what to change: content, metadata or embedding.");
  return { ...change, model: body.embedding_model ?? null };
}

export const deletedEmbeddingAnswer = z
  .object({ id: z.string(), object: z.literal("embedding.deleted"), deleted: z.boolean() })
  .meta({ id: "DeletedEmbedding" });

/** Each is looked up in the store and among the files; millions fill the memory of the embedded database. */
const mostIds = 25_000;
const tooManyIds = `at most ${mostIds.toLocaleString("en")} ids per request; send several requests, or filters`;

/** Requires ids, a filter or `all`, so that an empty body deletes nothing. */
export const deleteEmbeddingsBody = z
  .object({
    ids: optional(z.array(z.string()).min(1, "must not be empty").max(mostIds, tooManyIds)),
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
