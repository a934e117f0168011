import { keyOfChunk } from "../../words/chunk.js";
import { ApiError, TextError, invalid } from "../../words/errors.js";
import { toNetworkOrder } from "../../numbers/float32.js";
import type { TransferRow } from "../../words/rows.js";
import { ownWork } from "../../words/caller.js";
import { bookModel, embedTexts } from "../stores/embedding.js";
import { dimensionsOf } from "../stores/model.js";
import { settlePrompts } from "../stores/settlePrompts.js";
import type { ImportRequest, TransferDeps } from "./importRequest.js";
import { rowId } from "./rowIds.js";
import type { PlacedChunk } from "./writePage.js";
import type { VectorStore } from "../../words/store.js";

/** A row and its target store. */
export interface AssignedRow {
  row: TransferRow;
  store: VectorStore;
}

/**
 * Checks a row. Texts are stored as UTF-8, which has no lone surrogates, and none holds U+0000: the database refuses
 * it, and digests separate texts by it (words/rows.ts).
 * @throws ApiError 400 naming the row: text that cannot be stored, a vector of another length, or no vector
 * without `--embed`
 */
export function checkRow(deps: TransferDeps, { row, store }: AssignedRow, request: ImportRequest): void {
  for (const [name, text] of [
    ["id", row.id],
    ["content", row.content],
  ] as const) {
    if (text?.includes("\0") === true)
      throw invalid(row.at, `its ${name} holds the character U+0000, which cannot be stored`);
    if (text?.isWellFormed() === false)
      throw invalid(row.at, `its ${name} holds half a character (a lone surrogate), which cannot be stored`);
  }
  const expected = dimensionsOf(deps, store);
  if (row.vector === null) {
    if (!request.embed)
      throw invalid(
        row.at,
        `it has no embedding. With --embed the store's model embeds its content, which may cost money`,
      );
    if (row.content.trim() === "")
      throw invalid(row.at, "it has neither an embedding nor a content that could be embedded");
  } else if (row.vector.length !== 4 * expected) {
    throw invalid(
      row.at,
      `its embedding has ${row.vector.length / 4} dimensions, and the vector store '${store.id}' has ${expected}. Vectors of two models cannot be compared: put these into a new store with --store-name`,
    );
  }
}

/** Rows as they will be stored. @throws ApiError naming the row whose metadata is not JSON; 5xx of the model */
export async function toChunks(
  deps: TransferDeps,
  assigned: readonly AssignedRow[],
  { canonical, request }: { canonical: boolean; request: ImportRequest },
): Promise<{ chunks: PlacedChunk[]; embedded: number }> {
  const metadata = canonical ? assigned.map(({ row }) => row.metadata ?? "{}") : await canonicalOf(deps, assigned);
  const { ids } = deps.engine;
  const chunks = assigned.map(({ row, store }, i) => ({
    at: row.at,
    id: rowId(row, request.idPrefix, { ids, storeId: store.id }),
    storeId: store.id,
    content: row.content,
    metadata: metadata[i] ?? "{}",
    vector: row.vector,
    createdAt: row.createdAt ?? deps.now() * 1000,
    store,
  }));
  const without = chunks.filter((chunk) => chunk.vector === null);
  // A dry run asks no model.
  const asked = request.dryRun ? new Map<string, Buffer>() : await vectorsFor(deps, without);
  return {
    chunks: chunks.flatMap((chunk): PlacedChunk[] => {
      const vector = chunk.vector ?? asked.get(keyOfChunk(chunk));
      return vector === undefined ? [] : [{ ...chunk, vector }];
    }),
    embedded: without.length,
  };
}

type ChunkToEmbed = Omit<PlacedChunk, "vector"> & { store: VectorStore };

/** Vectors by `keyOfChunk`. Rows that are stored already keep their vectors, so that nothing is paid for twice. */
async function vectorsFor(deps: TransferDeps, chunks: readonly ChunkToEmbed[]): Promise<Map<string, Buffer>> {
  const vectors = new Map<string, Buffer>();
  if (chunks.length === 0) return vectors;
  const present = await deps.engine.records.vectors(chunks);
  const missing = new Map<VectorStore, ChunkToEmbed[]>();
  for (const chunk of chunks) {
    const stored = present.get(keyOfChunk(chunk));
    // A placeholder is enough for a row stored without a vector: it will be refused as a conflict anyway.
    if (stored !== undefined)
      vectors.set(keyOfChunk(chunk), stored ?? Buffer.alloc(4 * dimensionsOf(deps, chunk.store)));
    else missing.set(chunk.store, [...(missing.get(chunk.store) ?? []), chunk]);
  }
  for (const [store, own] of missing) {
    const texts = own.map((chunk) => chunk.content);
    const settled = await settlePrompts(deps, ownWork, store);
    const made = await embedTexts(deps, settled, texts, { caller: ownWork }).catch((error: unknown) => {
      throw error instanceof TextError ? error.named(own[error.index]?.at ?? "") : error;
    });
    await bookModel(deps, deps.db, settled);
    own.forEach((chunk, i) => {
      const vector = made[i];
      if (vector !== undefined) vectors.set(keyOfChunk(chunk), toNetworkOrder(vector));
    });
  }
  return vectors;
}

/** The engine's form of each row's metadata, in one request. If that fails, halves the rows to find the faulty one. */
async function canonicalOf(deps: TransferDeps, assigned: readonly AssignedRow[]): Promise<string[]> {
  const given = assigned.flatMap(({ row }) => row.metadata ?? []);
  if (given.length === 0) return assigned.map(() => "{}");
  try {
    const texts = await deps.engine.records.canonicalJson(assigned.map(({ row }) => row.metadata ?? "{}"));
    return texts.map((text) => (text === "null" ? "{}" : text));
  } catch (error) {
    if (error instanceof ApiError && error.status >= 500) throw error;
    const [only, ...others] = assigned;
    if (only !== undefined && others.length === 0)
      throw invalid(
        only.row.at,
        `its metadata is not JSON that ${deps.engine.records.keeper} can store: ${(error as Error).message}`,
      );
    const half = Math.ceil(assigned.length / 2);
    return [...(await canonicalOf(deps, assigned.slice(0, half))), ...(await canonicalOf(deps, assigned.slice(half)))];
  }
}
