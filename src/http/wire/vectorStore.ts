import { z } from "zod";
import type { AskedModel } from "../../core/stores/chooseModel.js";
import type { AttachInput } from "../../core/files/attach.js";
import type { DetailedStore } from "../../core/stores/details.js";
import { mostUsualResults } from "../../core/stores/searchSettings.js";
import type { StoreInput } from "../../core/stores/stores.js";
import type { Cutting } from "../../words/document.js";
import { asObject, modelName, optional, pageQuery, seconds } from "./common.js";
import { type Scalar, scalars as metadata } from "./scalars.js";
import { askedPrompts, presentPrompts, promptsIn, readPrompts, shownPrompts } from "./prompts.js";
import { chunkingStrategy, readStrategy } from "./storeFile.js";
import { noPrompts, readPrefix } from "../../words/prompts.js";
import { recalls, searchModes, type StoreChanges } from "../../words/store.js";

const expiresAfter = z.object({
  anchor: z.literal("last_active_at"),
  days: z.int().min(1, "must be at least 1").max(365, "must be at most 365"),
});

const name = z.string().max(256, "at most 256 characters");

export const listStoresQuery = pageQuery(100).extend({
  name: name
    .refine((value) => !value.includes("\0"), "must not contain U+0000")
    .optional()
    .describe("only stores with exactly this name, upper and lower case told apart"),
});

/** The weights of the two lists of a hybrid search, as in OpenAI's file_search tool. */
export const hybridWeights = z
  .object({
    embedding_weight: z.number().min(0, "must be at least 0").max(1, "must be at most 1"),
    text_weight: z.number().min(0, "must be at least 0").max(1, "must be at most 1"),
  })
  .refine((weights) => weights.embedding_weight + weights.text_weight > 0, "at least one weight must be above 0");

const language = z
  .string()
  .min(1, "must not be empty")
  .max(63, "at most 63 characters")
  .describe(
    'how keyword search compares words: "simple", or a text search configuration of the database such as "english"',
  );

/** Defaults for searches of the store. null removes a setting. */
const searchSettings = {
  search_mode: z.enum(searchModes).nullish(),
  recall: z.enum(recalls).nullish(),
  language: language.nullish(),
  hybrid_search: hybridWeights.nullish(),
  rerank: z.boolean().nullish(),
  rerank_model: modelName.nullish(),
  max_num_results: z
    .int()
    .min(1, "must be at least 1")
    .max(mostUsualResults, `must be at most ${mostUsualResults}`)
    .nullish()
    .describe("number of results of a search that does not say how many it wants"),
};

/** How many an engine takes at most is its own affair; the use case asks it. */
const dimensions = z
  .int()
  .min(1, "must be at least 1")
  .describe("numbers per vector; at most as many as the engine takes: 16,000 with pgvector")
  // For generated clients; pgvector is the only engine so far.
  .meta({ maximum: 16_000 });

export const createStoreBody = z
  .object({
    embedding_model: optional(modelName),
    embedding_dimensions: optional(dimensions),
    embedding_dimension: optional(dimensions).describe("OGX's name for `embedding_dimensions`"),
    ...askedPrompts,
    ...searchSettings,
    name: optional(name),
    description: optional(z.string().max(4096, "at most 4096 characters")),
    metadata: optional(metadata),
    expires_after: optional(expiresAfter),
    file_ids: optional(z.array(z.string()).max(500, "at most 500 files")),
    chunking_strategy: optional(chunkingStrategy),
  })
  .refine(
    ({ embedding_dimensions: ours, embedding_dimension: ogx }) =>
      ours === undefined || ogx === undefined || ours === ogx,
    { path: ["embedding_dimension"], message: "differs from `embedding_dimensions`; give one of them" },
  )
  .meta({ id: "CreateVectorStoreRequest" });

/**
 * In an update, null clears `metadata` and `expires_after`; a null name changes nothing, because a store always has a
 * name.
 */
export const updateStoreBody = z
  .object({
    name: optional(name),
    metadata: metadata.nullish(),
    expires_after: expiresAfter.nullish(),
    ...searchSettings,
    embedding_model: fixed("embedding_model"),
    embedding_dimensions: fixed("embedding_dimensions"),
    query_prefix: askedPrompts.query_prefix,
    document_prefix: fixed("document_prefix"),
    input_type: fixed("input_type"),
  })
  .meta({ id: "UpdateVectorStoreRequest" });

/** A field that cannot be changed later. Ignoring it would let its sender believe that it was changed. */
function fixed(field: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value == null, `a store keeps the ${field} that it was created with; create another store`)
    .meta({ type: "null" });
}

type Settings = Pick<z.output<typeof updateStoreBody>, keyof typeof searchSettings>;

export function readCreate(
  body: z.output<typeof createStoreBody>,
  auto: Cutting,
): StoreInput & { model: AskedModel; files: AttachInput[] } {
  const { metadata: values } = body;
  const model = values?.embedding_model;
  return {
    name: body.name ?? "",
    description: body.description ?? null,
    metadata: values ?? null,
    expiresAfter: body.expires_after ?? null,
    model: {
      model: body.embedding_model ?? null,
      dimensions: body.embedding_dimensions ?? body.embedding_dimension ?? null,
      inMetadata: {
        model: typeof model === "string" && model !== "" ? model : null,
        dimensions: dimensionsIn(values),
      },
      prompts: { ...promptsIn(values), ...readPrompts(body) },
    },
    search: present(readSettings(body)),
    files: [...new Set(body.file_ids)].map((fileId) => ({
      fileId,
      attributes: null,
      settings: readStrategy(body.chunking_strategy, auto),
    })),
  };
}

export function readUpdate(body: z.output<typeof updateStoreBody>): StoreChanges {
  const search = readSettings(body);
  return {
    name: body.name,
    metadata: body.metadata,
    expiresAfter: body.expires_after,
    queryPrefix: body.query_prefix === undefined ? undefined : readPrefix(body.query_prefix),
    ...(Object.keys(search).length === 0 ? {} : { search }),
  };
}

/** The settings that the body names; null for those that it removes. */
function readSettings(body: Settings): NonNullable<StoreChanges["search"]> {
  const { hybrid_search: weights } = body;
  const all = {
    mode: body.search_mode,
    recall: body.recall,
    language: body.language,
    embeddingWeight: weights == null ? weights : weights.embedding_weight,
    textWeight: weights == null ? weights : weights.text_weight,
    rerank: body.rerank,
    rerankModel: body.rerank_model,
    limit: body.max_num_results,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const present = (settings: NonNullable<StoreChanges["search"]>): StoreInput["search"] =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));

/** The dimensions in the metadata, where LiteLLM passes only strings on; NaN if they are not a number. */
function dimensionsIn(values: Record<string, Scalar> | undefined): number | null {
  const value = values?.embedding_dimensions;
  if (value === undefined) return null;
  if (typeof value === "string") return /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  return typeof value === "number" ? value : NaN;
}

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
    embedding_model: z.string(),
    embedding_dimensions: z.int(),
    ...shownPrompts,
    search_mode: z.enum(searchModes).optional(),
    recall: z.enum(recalls).optional(),
    language: z.string().optional(),
    hybrid_search: z.object({ embedding_weight: z.number(), text_weight: z.number() }).optional(),
    rerank: z.boolean().optional(),
    rerank_model: z.string().optional(),
    max_num_results: z.int().optional().describe("number of results of a search that does not say how many it wants"),
    index: z
      .object({
        state: z
          .enum(["none", "waiting", "building", "ready"])
          .describe("`none`: a store this small is searched row by row, which is as fast"),
        keywords: z.enum(["off", "building", "ready"]),
        indexed: z.int().optional(),
        fresh: z.int().optional().describe("new rows that are searched one by one until they move into the index"),
      })
      .describe("state of the store's indexes; results are complete in every state"),
    warnings: z.array(z.string()).optional().describe("settings in `metadata` that are not used, and why"),
  })
  .meta({ id: "VectorStore" });

export const deletedStoreAnswer = z
  .object({ id: z.string(), object: z.literal("vector_store.deleted"), deleted: z.literal(true) })
  .meta({ id: "DeletedVectorStore" });

/**
 * OpenAI's vector store object. An embedding posted without a file counts as one completed file, as litellm-pgvector
 * counts it, and `usage_bytes` is the size of all contents in UTF-8.
 */
export function presentStore(store: DetailedStore, now: number): z.input<typeof storeAnswer> {
  const { in_progress, failed, cancelled, chunks, ...files } = store.details.files;
  const completed = files.completed + Math.max(0, store.chunkCount - chunks);
  const policy = expiresAfter.safeParse(store.expiresAfter);
  const { search, details } = store;
  const { counts, state } = details;
  return {
    id: store.id,
    object: "vector_store",
    created_at: seconds(store.createdAt),
    name: store.name,
    ...(store.description === null ? {} : { description: store.description }),
    usage_bytes: store.contentBytes,
    file_counts: { in_progress, completed, failed, cancelled, total: in_progress + completed + failed + cancelled },
    status:
      store.expiresAt !== null && store.expiresAt <= now ? "expired" : in_progress > 0 ? "in_progress" : "completed",
    ...(policy.success ? { expires_after: policy.data } : {}),
    expires_at: store.expiresAt === null ? null : seconds(store.expiresAt),
    last_active_at: store.lastActiveAt === null ? null : seconds(store.lastActiveAt),
    metadata: asObject(store.metadata),
    embedding_model: details.model,
    embedding_dimensions: details.dimensions,
    ...presentPrompts(store.prompts ?? noPrompts),
    ...(search.mode === undefined ? {} : { search_mode: search.mode }),
    ...(search.recall === undefined ? {} : { recall: search.recall }),
    ...(search.language === undefined ? {} : { language: search.language }),
    ...(search.embeddingWeight === undefined || search.textWeight === undefined
      ? {}
      : { hybrid_search: { embedding_weight: search.embeddingWeight, text_weight: search.textWeight } }),
    ...(search.rerank === undefined ? {} : { rerank: search.rerank }),
    ...(search.rerankModel === undefined ? {} : { rerank_model: search.rerankModel }),
    ...(search.limit === undefined ? {} : { max_num_results: search.limit }),
    index: { state: state.index, keywords: state.keywords, ...counts },
    ...(details.warnings.length === 0 ? {} : { warnings: details.warnings }),
  };
}
