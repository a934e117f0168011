import type { VectorStore } from "../../db/tables/stores.js";
import { canonicalJson, storedVectors } from "../../engines/pgvector/records.js";
import { ownWork } from "../../words/caller.js";
import { ApiError, invalid } from "../../words/errors.js";
import { toNetworkOrder } from "../../numbers/float32.js";
import type { TransferRow } from "../../words/rows.js";
import { dimensionsOf, embedderOf } from "../stores/model.js";
import type { ImportRequest, TransferDeps } from "./importRequest.js";
import { rowId } from "./rowIds.js";
import type { PlacedChunk } from "./writePage.js";

/** A row and the store that it goes to. */
export interface AssignedRow {
  row: TransferRow;
  store: VectorStore;
}

/** @throws ApiError 400 naming the row: what no database would take, a vector of another length, or none where none may be asked for. */
export function checkRow(deps: TransferDeps, { row, store }: AssignedRow, request: ImportRequest): void {
  for (const [name, text] of [
    ["id", row.id],
    ["content", row.content],
  ] as const) {
    if (text?.includes("\0") === true)
      throw invalid(row.at, `its ${name} holds the character U+0000, which PostgreSQL cannot store`);
    if (text?.isWellFormed() === false)
      throw invalid(row.at, `its ${name} holds half a character (a lone surrogate), which PostgreSQL cannot store`);
  }
  const expected = dimensionsOf(deps, store);
  if (row.vector === null) {
    if (!request.embed)
      throw invalid(
        row.at,
        `it has no embedding. With --embed its content is embedded by the store's model, which may cost money`,
      );
    if (row.content.trim() === "")
      throw invalid(row.at, "it has neither an embedding nor a content that could be embedded");
  } else if (row.vector.length !== 4 * expected) {
    throw invalid(
      row.at,
      `its embedding has ${row.vector.length / 4} dimensions, and the vector store '${store.id}' has ${expected}. Vectors of two models cannot be compared: give these a store of their own with --store-name`,
    );
  }
}

/** Rows as they are to be stored. @throws ApiError naming the row whose metadata is no JSON; 5xx of the model. */
export async function toChunks(
  deps: TransferDeps,
  assigned: readonly AssignedRow[],
  { canonical, request }: { canonical: boolean; request: ImportRequest },
): Promise<{ chunks: PlacedChunk[]; embedded: number }> {
  const metadata = canonical ? assigned.map(({ row }) => row.metadata ?? "{}") : await canonicalOf(deps, assigned);
  const { idType } = deps.db.layout.embeddings;
  const chunks = assigned.map(({ row, store }, i) => ({
    at: row.at,
    id: rowId(row, request.idPrefix, { idType, storeId: store.id }),
    storeId: store.id,
    content: row.content,
    metadata: metadata[i] ?? "{}",
    vector: row.vector,
    createdAt: row.createdAt ?? deps.now() * 1000,
    store,
  }));
  const without = chunks.filter((chunk) => chunk.vector === null);
  // In a dry run no model is asked.
  const asked = request.dryRun ? new Map<string, Buffer>() : await vectorsFor(deps, without);
  return {
    chunks: chunks.flatMap((chunk): PlacedChunk[] => {
      const vector = chunk.vector ?? asked.get(chunk.id);
      return vector === undefined ? [] : [{ ...chunk, vector }];
    }),
    embedded: without.length,
  };
}

type ChunkToEmbed = Omit<PlacedChunk, "vector"> & { store: VectorStore };

/** Vectors by id: of rows that are there already those that are there, so that nothing is paid for twice. */
async function vectorsFor(deps: TransferDeps, chunks: readonly ChunkToEmbed[]): Promise<Map<string, Buffer>> {
  const vectors = new Map<string, Buffer>();
  if (chunks.length === 0) return vectors;
  const present = await storedVectors(deps.db, chunks);
  const missing = new Map<VectorStore, ChunkToEmbed[]>();
  for (const chunk of chunks) {
    const stored = present.get(chunk.id);
    // With other content it will be found to be in the way, whatever its vector is.
    if (stored !== undefined) vectors.set(chunk.id, stored ?? Buffer.alloc(4 * dimensionsOf(deps, chunk.store)));
    else missing.set(chunk.store, [...(missing.get(chunk.store) ?? []), chunk]);
  }
  for (const [store, own] of missing) {
    const made = await embedderOf(deps, store).embed(
      own.map((chunk) => chunk.content),
      { caller: ownWork },
    );
    own.forEach((chunk, i) => {
      const vector = made[i];
      if (vector !== undefined) vectors.set(chunk.id, toNetworkOrder(vector));
    });
  }
  return vectors;
}

/** In one question to the database; only where that fails, by halves, to find the row. */
async function canonicalOf(deps: TransferDeps, assigned: readonly AssignedRow[]): Promise<string[]> {
  const given = assigned.flatMap(({ row }) => row.metadata ?? []);
  if (given.length === 0) return assigned.map(() => "{}");
  try {
    const texts = await canonicalJson(
      deps.db,
      assigned.map(({ row }) => row.metadata ?? "{}"),
    );
    return texts.map((text) => (text === "null" ? "{}" : text));
  } catch (error) {
    if (error instanceof ApiError && error.status >= 500) throw error;
    const [only, ...others] = assigned;
    if (only !== undefined && others.length === 0)
      throw invalid(only.row.at, `its metadata is not JSON that PostgreSQL can store: ${(error as Error).message}`);
    const half = Math.ceil(assigned.length / 2);
    return [...(await canonicalOf(deps, assigned.slice(0, half))), ...(await canonicalOf(deps, assigned.slice(half)))];
  }
}
