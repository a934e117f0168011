import { z } from "zod";
import type { Inserted } from "../../core/chunks/insert.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import type { Chunk, OnConflict } from "../../words/chunk.js";
import { seconds } from "./common.js";
import { embeddingAnswer, presentChunk, type returnKinds } from "./embedding.js";

/** One row's answer says what became of it, a batch's how many rows; both only if the request has `on_conflict`. */
export const insertedAnswer = embeddingAnswer
  .extend({
    result: z
      .enum(["added", "replaced", "skipped", "duplicate"])
      .optional()
      .describe("what became of the row, if the request has on_conflict"),
  })
  .meta({ id: "InsertedEmbedding" });

const countAnswer = (what: string) => z.int().optional().describe(`${what}, if the request has on_conflict`);

export const batchAnswer = z
  .object({
    object: z.literal("embedding.batch"),
    data: z.array(embeddingAnswer).optional(),
    ids: z.array(z.string()).optional(),
    count: z.int().describe("rows of the request that are now stored"),
    duplicates: z.int().describe("how many of these were already stored, with the same id and content"),
    added: countAnswer("rows that are new"),
    replaced: countAnswer("rows that took the place of a stored one"),
    skipped: countAnswer("rows whose id was stored already, which were left as they were"),
    created: z.int(),
    warning: z
      .string()
      .optional()
      .describe("of a stream: what came too late for the header x-vector-store-warning")
      .meta({ examples: ['line 812.embeding: unknown parameter; did you mean "embedding"?; it was ignored'] }),
  })
  .meta({ id: "EmbeddingBatch" });

/** A row after its insertion. @param stored what the store has if the row was skipped */
function presentInserted(storeId: string, row: EmbeddingInput, i: number, { inserted, stored }: Outcome) {
  const id = inserted.ids[i] ?? "";
  const kept = stored.get(id);
  if (kept !== undefined) return presentChunk(storeId, kept, "float");
  return {
    id,
    object: "embedding" as const,
    vector_store_id: storeId,
    content: row.content,
    metadata: row.metadata ?? {},
    created_at: seconds(inserted.replaced.get(id) ?? inserted.createdAt),
  };
}

/** What an insertion did, and the skipped rows as they are stored. */
export interface Outcome {
  inserted: Inserted;
  stored: ReadonlyMap<string, Chunk>;
}

/** The answer to a single row. @param rule null: the request does not name one */
export function presentRow(
  storeId: string,
  row: EmbeddingInput,
  outcome: Outcome,
  rule: OnConflict | null,
): z.input<typeof insertedAnswer> {
  const { added, replaced, skipped } = outcome.inserted;
  const result =
    added > 0 ? "added" : replaced.size > 0 ? "replaced" : skipped.size > 0 ? "skipped" : ("duplicate" as const);
  return { ...presentInserted(storeId, row, 0, outcome), ...(rule === null ? {} : { result }) };
}

/** The answer to a batch. @param kind `full`: all rows; `ids`: only ids; `count`: neither */
export function presentBatch(
  storeId: string,
  rows: readonly EmbeddingInput[],
  outcome: Outcome,
  { kind, rule }: { kind: (typeof returnKinds)[number]; rule: OnConflict | null },
): z.input<typeof batchAnswer> {
  const { inserted } = outcome;
  const { added, replaced, skipped } = inserted;
  return {
    object: "embedding.batch",
    ...(kind === "full" ? { data: rows.map((row, i) => presentInserted(storeId, row, i, outcome)) } : {}),
    ...(kind === "ids" ? { ids: inserted.ids } : {}),
    count: rows.length,
    duplicates: inserted.duplicates,
    ...(rule === null ? {} : { added, replaced: replaced.size, skipped: skipped.size }),
    created: seconds(inserted.createdAt),
  };
}
