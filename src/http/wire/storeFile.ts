import { z } from "zod";
import type { BatchWithCounts } from "../../core/files/fileBatches.js";
import type { AttachInput } from "../../core/files/attach.js";
import { modelName, optional, pageQuery, readPage, seconds, storeParams } from "./common.js";
import { attributes, scalarAnswer } from "./scalars.js";
import { filtersText, parseFilterText } from "./filters.js";
import { isObject, sameJson } from "../../words/exactJson.js";
import type { Cutting } from "../../words/document.js";
import { type Attributes, type IngestSettings, type StoreFile, fileStatuses } from "../../words/file.js";

export const storeFileParams = storeParams.extend({ file_id: z.string().describe("id of the file") });
export const batchParams = storeParams.extend({ batch_id: z.string().describe("id of the file batch") });

/** OpenAI's `filter` is a status, so a filter by attributes has the name that it has in all other requests. */
export const listStoreFilesQuery = pageQuery(100).extend({
  filter: z.enum(fileStatuses).optional().describe("only files with this status"),
  filters: filtersText("by attributes"),
});

/** What of a store's files a query asks for, and which page of it. @throws ApiError 400 */
export function readFileList({ filter, filters, ...page }: z.output<typeof listStoreFilesQuery>) {
  return { selection: { status: filter ?? null, filter: parseFilterText(filters) }, page: readPage(page) };
}

const staticSizes = z
  .object({ max_chunk_size_tokens: z.int().min(100).max(4096), chunk_overlap_tokens: z.int().min(0) })
  .refine((value) => value.chunk_overlap_tokens * 2 <= value.max_chunk_size_tokens, {
    path: ["chunk_overlap_tokens"],
    error: ({ input }) =>
      `at most half of max_chunk_size_tokens, which is ${(input as { max_chunk_size_tokens: number }).max_chunk_size_tokens}`,
  });

const strategies =
  'expected {"type": "auto"} or {"type": "static", "static": {"max_chunk_size_tokens": 100…4096, "chunk_overlap_tokens": at most half of it}}';
const noContext =
  "'contextual' (OGX's) needs a chat model that describes every chunk, which is not part of this service; ";

export const chunkingStrategy = z.union(
  [z.object({ type: z.literal("auto") }), z.object({ type: z.literal("static"), static: staticSizes })],
  { error: ({ input }) => (isObject(input) && input.type === "contextual" ? noContext : "") + strategies },
);
type Strategy = z.output<typeof chunkingStrategy>;

/**
 * OpenAI's chunking strategy, default "auto", as settings; these have no vision model.
 * @param auto what "auto" means here
 */
export function readStrategy(strategy: Strategy | undefined, auto: Cutting): IngestSettings {
  const cutting: Cutting =
    strategy?.type === "static"
      ? {
          by: "tokens",
          size: strategy.static.max_chunk_size_tokens,
          overlap: strategy.static.chunk_overlap_tokens,
        }
      : auto;
  return { cutting, visionModel: null, visionPrompt: null };
}

/** OGX's clients repeat the store's model whenever they attach files. */
const sameModel = optional(modelName).describe("the store's model, if you name it; any other is refused");

const attachFields = {
  file_id: z.string().min(1, "must not be empty").max(200, "at most 200 characters"),
  attributes: optional(attributes),
  chunking_strategy: optional(chunkingStrategy),
};

/** OpenAI's request attaches a file; litellm-vector-store's, with `texts`, adds texts. */
export const addFileBody = z
  .object({
    ...attachFields,
    file_id: optional(attachFields.file_id),
    texts: optional(
      z
        .array(
          z
            .string()
            .max(1_000_000, "at most 1000000 characters")
            .refine((text) => text.trim() !== "", "must not be empty"),
        )
        .min(1, "must not be empty")
        .max(1000, "at most 1000 texts"),
    ),
    metadatas: optional(z.array(attributes.nullable()).max(1000, "at most 1000")),
    embedding_model: sameModel,
  })
  .refine((body) => (body.file_id === undefined) !== (body.texts === undefined), "give either `file_id` or `texts`")
  .refine((body) => body.texts === undefined || body.attributes === undefined, {
    path: ["attributes"],
    message: "are of a `file_id`; give each text its own in `metadatas`",
  })
  .refine((body) => body.file_id === undefined || body.metadatas === undefined, {
    path: ["metadatas"],
    message: "are of `texts`; give a file `attributes`",
  })
  .refine((body) => (body.metadatas?.length ?? 0) <= (body.texts?.length ?? Infinity), {
    path: ["metadatas"],
    message: "has more entries than `texts`; each entry belongs to the text at its position",
  })
  .meta({ id: "AddFileRequest" });

export function readAttach(
  fileId: string,
  body: { attributes?: Attributes | undefined; chunking_strategy?: Strategy | undefined },
  auto: Cutting,
): AttachInput {
  return { fileId, attributes: body.attributes ?? null, settings: readStrategy(body.chunking_strategy, auto) };
}

export const updateFileBody = z
  .object({ attributes: attributes.nullable() })
  .meta({ id: "UpdateVectorStoreFileRequest" });

const mostFiles = 2000;

export const createBatchOfFilesBody = z
  .object({
    file_ids: optional(z.array(z.string()).min(1, "must not be empty").max(mostFiles, `at most ${mostFiles} files`)),
    files: optional(
      z.array(z.object(attachFields)).min(1, "must not be empty").max(mostFiles, `at most ${mostFiles} files`),
    ),
    attributes: optional(attributes),
    chunking_strategy: optional(chunkingStrategy),
    embedding_model: sameModel,
  })
  .refine((body) => (body.file_ids === undefined) !== (body.files === undefined), "give either `file_ids` or `files`")
  .superRefine(({ files = [] }, context) => {
    const first = new Map<string, (typeof files)[number]>();
    for (const [i, file] of files.entries()) {
      const before = first.get(file.file_id);
      first.set(file.file_id, before ?? file);
      if (before === undefined || sameJson(before, file)) continue;
      const message = "is given twice, with other attributes or another chunking_strategy";
      context.addIssue({ code: "custom", path: ["files", i, "file_id"], message });
    }
  })
  .meta({ id: "CreateFileBatchRequest" });

/** With `files`, the shared `attributes` and `chunking_strategy` are ignored, as OpenAI does. */
export const readBatch = (body: z.output<typeof createBatchOfFilesBody>, auto: Cutting): AttachInput[] =>
  body.files === undefined
    ? [...new Set(body.file_ids)].map((id) => readAttach(id, body, auto))
    : body.files.map((file) => readAttach(file.file_id, file, auto));

export const storeFileAnswer = z
  .object({
    id: z.string(),
    object: z.literal("vector_store.file"),
    usage_bytes: z.int(),
    created_at: z.int(),
    vector_store_id: z.string(),
    status: z.enum(fileStatuses),
    last_error: z
      .object({ code: z.enum(["server_error", "unsupported_file", "invalid_file"]), message: z.string() })
      .nullable(),
    chunking_strategy: z.union([
      z.object({
        type: z.literal("static"),
        static: z.object({ max_chunk_size_tokens: z.int(), chunk_overlap_tokens: z.int() }),
      }),
      z.object({ type: z.literal("other") }),
    ]),
    attributes: z.record(z.string(), scalarAnswer).nullable(),
    filename: z.string(),
    content_sha256: z.string().nullable().describe("SHA-256 of the file's bytes, in hexadecimal"),
    chunks: z.int().describe("number of the file's chunks in the vector store"),
    progress: z.object({
      stage: z.enum(["queued", "parsing", "embedding", "done"]),
      chunks_done: z.int(),
      chunks_total: z.int().nullable().describe("null until the whole document has been read"),
      waiting_for: z.string().optional().describe("what ingestion is waiting for at the moment"),
    }),
    same_as: z
      .string()
      .optional()
      .describe("the id of a file with the same content, which shares its chunks with this one"),
  })
  .meta({ id: "VectorStoreFile" });

/** OpenAI's vector store file object, plus the progress of its ingestion. */
export function presentStoreFile(file: StoreFile): z.input<typeof storeFileAnswer> {
  const { by, size, overlap } = file.settings.cutting;
  const failed = file.status === "failed";
  return {
    id: file.fileId,
    object: "vector_store.file",
    usage_bytes: file.contentBytes,
    created_at: seconds(file.createdAt),
    vector_store_id: file.vectorStoreId,
    status: file.status,
    last_error: failed ? { code: file.errorCode ?? "server_error", message: file.errorMessage ?? "" } : null,
    chunking_strategy:
      by === "tokens"
        ? { type: "static", static: { max_chunk_size_tokens: size, chunk_overlap_tokens: overlap } }
        : { type: "other" },
    attributes: file.attributes,
    filename: file.filename,
    content_sha256: file.contentHash === null ? null : Buffer.from(file.contentHash).toString("hex"),
    chunks: file.chunkCount,
    progress: {
      stage: file.stage,
      chunks_done: file.chunkCount,
      chunks_total: file.chunksTotal,
      ...(failed || file.errorMessage === null ? {} : { waiting_for: file.errorMessage }),
    },
    ...(file.sameAs === null ? {} : { same_as: file.sameAs }),
  };
}

export const detachedAnswer = z
  .object({ id: z.string(), object: z.literal("vector_store.file.deleted"), deleted: z.literal(true) })
  .meta({ id: "DeletedVectorStoreFile" });

export const batchOfFilesAnswer = z
  .object({
    id: z.string(),
    object: z.literal("vector_store.files_batch"),
    created_at: z.int(),
    vector_store_id: z.string(),
    status: z.enum(fileStatuses),
    file_counts: z.object({
      in_progress: z.int(),
      completed: z.int(),
      failed: z.int(),
      cancelled: z.int(),
      total: z.int(),
    }),
  })
  .meta({ id: "VectorStoreFileBatch" });

/** A batch has failed if all its files have. */
export function presentFileBatch(batch: BatchWithCounts): z.input<typeof batchOfFilesAnswer> {
  const { in_progress, completed, failed, cancelled } = batch.counts;
  const total = in_progress + completed + failed + cancelled;
  const ended = batch.cancelled ? "cancelled" : total > 0 && failed === total ? "failed" : "completed";
  return {
    id: batch.id,
    object: "vector_store.files_batch",
    created_at: seconds(batch.createdAt),
    vector_store_id: batch.vectorStoreId,
    status: in_progress > 0 ? "in_progress" : ended,
    file_counts: { in_progress, completed, failed, cancelled, total },
  };
}
