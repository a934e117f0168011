import { z } from "zod";
import type { VectorStore } from "../../core/vectorStores.js";
import { asObject, isObject, optional, seconds } from "./common.js";

type Scalar = string | number | boolean;

const limits = { pairs: 16, keyLength: 64, valueLength: 512 };

/**
 * OpenAI's limits: 16 pairs, keys of 64 and values of 512 characters. Numbers and booleans keep their type. Not a z.record, which
 * drops a key called "__proto__" and looks at every one of a million pairs before it counts them.
 */
const metadata = z
  .custom<Record<string, Scalar>>(isObject, { error: "expected an object" })
  .superRefine((value, context) => {
    const problem = (message: string, path: string[]) => {
      context.addIssue({ code: "custom", message, path });
    };
    const keys = Object.keys(value);
    if (keys.length > limits.pairs) {
      problem(`at most ${limits.pairs} pairs, got ${keys.length}`, []);
      return;
    }
    for (const key of keys) {
      const item: unknown = value[key];
      if (key.length > limits.keyLength) problem(`a key may have at most ${limits.keyLength} characters`, [key]);
      else if (!isScalar(item))
        problem(`expected a string of at most ${limits.valueLength} characters, a number or a boolean`, [key]);
    }
  })
  .meta({
    type: "object",
    maxProperties: limits.pairs,
    propertyNames: { maxLength: limits.keyLength },
    additionalProperties: {
      anyOf: [{ type: "string", maxLength: limits.valueLength }, { type: "number" }, { type: "boolean" }],
    },
  });

const isScalar = (value: unknown): value is Scalar =>
  typeof value === "string"
    ? value.length <= limits.valueLength
    : typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));

const expiresAfter = z.object({
  anchor: z.literal("last_active_at"),
  days: z.int().min(1, "must be at least 1").max(365, "must be at most 365"),
});

const name = z.string().max(256, "at most 256 characters");

const chunkingStrategy = z.union(
  [
    z.object({ type: z.literal("auto") }),
    z.object({
      type: z.literal("static"),
      static: z
        .object({ max_chunk_size_tokens: z.int().min(100).max(4096), chunk_overlap_tokens: z.int().min(0) })
        .refine((value) => value.chunk_overlap_tokens * 2 <= value.max_chunk_size_tokens),
    }),
  ],
  {
    error:
      'expected {"type": "auto"} or {"type": "static", "static": {"max_chunk_size_tokens": 100…4096, "chunk_overlap_tokens": at most half of it}}',
  },
);

export const createStoreBody = z
  .object({
    name: optional(name),
    description: optional(z.string().max(4096, "at most 4096 characters")),
    metadata: optional(metadata),
    expires_after: optional(expiresAfter),
    file_ids: optional(
      z
        .array(z.string())
        .max(500, "at most 500 files")
        .refine((ids) => ids.length === 0, "this server has no files yet; add content with POST …/embeddings/batch"),
    ),
    chunking_strategy: optional(chunkingStrategy),
  })
  .meta({ id: "CreateVectorStoreRequest" });

/** In an update, null clears `metadata` and `expires_after`; a null name changes nothing, since a store always has one. */
export const updateStoreBody = z
  .object({ name: optional(name), metadata: metadata.nullish(), expires_after: expiresAfter.nullish() })
  .meta({ id: "UpdateVectorStoreRequest" });

export const storeAnswer = z
  .object({
    id: z.string(),
    object: z.literal("vector_store"),
    created_at: z.int(),
    name: z.string(),
    description: z.string().optional(),
    usage_bytes: z.int(),
    file_counts: z.object({
      in_progress: z.int(),
      completed: z.int(),
      failed: z.int(),
      cancelled: z.int(),
      total: z.int(),
    }),
    status: z.enum(["expired", "in_progress", "completed"]),
    expires_after: expiresAfter.optional(),
    expires_at: z.int().nullable(),
    last_active_at: z.int().nullable(),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "VectorStore" });

export const deletedStoreAnswer = z
  .object({ id: z.string(), object: z.literal("vector_store.deleted"), deleted: z.literal(true) })
  .meta({ id: "DeletedVectorStore" });

/**
 * OpenAI's vector store object. An embedding posted without a file counts as one completed file, as litellm-pgvector counts it, and
 * `usage_bytes` is the size of all contents in UTF-8.
 */
export function presentStore(store: VectorStore, now: number): z.input<typeof storeAnswer> {
  const count = store.chunkCount;
  const policy = expiresAfter.safeParse(store.expiresAfter);
  return {
    id: store.id,
    object: "vector_store",
    created_at: seconds(store.createdAt),
    name: store.name,
    ...(store.description === null ? {} : { description: store.description }),
    usage_bytes: store.contentBytes,
    file_counts: { in_progress: 0, completed: count, failed: 0, cancelled: 0, total: count },
    status: store.expiresAt !== null && store.expiresAt <= now ? "expired" : "completed",
    ...(policy.success ? { expires_after: policy.data } : {}),
    expires_at: store.expiresAt === null ? null : seconds(store.expiresAt),
    last_active_at: store.lastActiveAt === null ? null : seconds(store.lastActiveAt),
    metadata: asObject(store.metadata),
  };
}
