import { z } from "zod";
import type { Chunk } from "../../words/chunk.js";
import { asObject, seconds } from "./common.js";

const flag = z.enum(["true", "false"]).optional();

export const contentQuery = z.object({
  page: z
    .string()
    .min(1, "must not be empty")
    .max(1000, "at most 1000 characters")
    .optional()
    .describe("`next_page` of the previous page"),
  include_embeddings: flag.describe("`true` adds each chunk's vector (OGX's name)"),
  include_metadata: flag.describe("`true` adds each chunk's metadata and id (OGX's name)"),
});

const part = z.object({
  type: z.literal("text"),
  text: z.string(),
  embedding: z.array(z.number()).nullable().describe("the chunk's vector; null unless asked for"),
  metadata: z.record(z.string(), z.unknown()).nullable().describe("the chunk's metadata; null unless asked for"),
  chunk_metadata: z
    .object({ chunk_id: z.string(), document_id: z.string(), created_timestamp: z.int() })
    .nullable()
    .describe("OGX's facts about the chunk; null unless metadata is asked for"),
});

export const contentAnswer = z
  .object({
    object: z.literal("vector_store.file_content.page"),
    data: z.array(part),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  })
  .meta({ id: "VectorStoreFileContent" });

/** OpenAI's page of a file's content, one text per chunk, with OGX's fields. */
export function presentContent(
  fileId: string,
  page: { chunks: readonly Chunk[]; hasMore: boolean },
  { include_metadata: metadata }: z.output<typeof contentQuery>,
): z.input<typeof contentAnswer> {
  return {
    object: "vector_store.file_content.page",
    data: page.chunks.map((chunk) => ({
      type: "text",
      text: chunk.content,
      embedding: chunk.embedding === null ? null : Array.from(chunk.embedding),
      metadata: metadata === "true" ? asObject(chunk.metadata) : null,
      chunk_metadata:
        metadata === "true"
          ? { chunk_id: chunk.id, document_id: fileId, created_timestamp: seconds(chunk.createdAt) }
          : null,
    })),
    has_more: page.hasMore,
    next_page: page.hasMore ? (page.chunks.at(-1)?.id ?? null) : null,
  };
}
