import { isDeepStrictEqual } from "node:util";
import { addToCounts, canHold, makeId } from "../db/vectorStores.js";
import {
  type Chunk,
  type ChunkSelection,
  type ChunkWithId,
  type NewChunk,
  compareChunks,
  deleteChunks,
  insertChunks,
  listChunks,
  reserveIds,
} from "../engines/pgvector/chunks.js";
import { conflict, invalid, notFound } from "../errors.js";
import { type Caller } from "./caller.js";
import type { Deps } from "./deps.js";
import { type PageRequest, expired, get, use } from "./vectorStores.js";

export type { Chunk, ChunkSelection };

/** One row of an insertion. Without an embedding the content is embedded here; without an id one is made. */
export interface EmbeddingInput {
  id: string | null;
  content: string;
  metadata: Record<string, unknown> | null;
  embedding: Float32Array | null;
}

export interface Inserted {
  /** In the order of the rows. */
  ids: string[];
  /** Rows whose id and content were there already and so were not added again. */
  duplicates: number;
  /** Unix milliseconds. */
  createdAt: number;
}

/**
 * Adds rows to a store: all of them or none, in one transaction. A repeated id with the same content is counted, not doubled, so a
 * request can be sent again after any failure. No database connection is held while the model is asked.
 * @param at the path of a row in the request, for messages.
 * @throws ApiError 400 (dimensions, zero vector, id), 404, 409 (an id that exists with other content), 5xx of the model.
 */
export async function insertEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  rows: readonly EmbeddingInput[],
  at: (row: number) => string,
): Promise<Inserted> {
  const store = await use(deps, caller, storeId);
  rows.forEach((row, i) => {
    checkRow(deps, row, at(i));
  });
  const { idType } = deps.db.layout.embeddings;
  const named = uniqueRows(rows, at);
  const skip = await alreadyStored(deps, store.id, rows, named, at);
  const embeddings = await embedMissing(deps, rows, skip);
  const createdAt = deps.now();

  return deps.db.transaction(async (tx) => {
    const unnamed = rows.filter((row) => row.id === null).length;
    const reserved = unnamed > 0 ? await reserveIds(tx, unnamed) : null;
    const ids = rows.map((row) => row.id ?? reserved?.shift() ?? makeId(idType, "emb_"));
    const chunks: NewChunk[] = [];
    rows.forEach((row, i) => {
      const [id, embedding] = [ids[i], embeddings[i]];
      const repeated = row.id !== null && named.get(row.id) !== i;
      if (id === undefined || embedding == null || repeated) return;
      chunks.push({ id, content: row.content, metadata: row.metadata, embedding });
    });
    const added = await insertChunks(tx, store.id, chunks, createdAt);
    const present = chunks.filter((chunk) => !added.has(chunk.id));
    if (present.length > 0) await requireSame(tx, store.id, present, named, at);
    const bytes = chunks.reduce((sum, chunk) => sum + (added.has(chunk.id) ? Buffer.byteLength(chunk.content) : 0), 0);
    const change = { chunks: added.size, bytes, dimensions: deps.config.embedding.dimensions };
    if (added.size > 0 && !(await addToCounts(tx, store.id, change, createdAt))) {
      throw store.expiresAt === null ? notFound("vector store", store.id, "vector_store_id") : expired(store.id);
    }
    return { ids, duplicates: rows.length - added.size, createdAt };
  });
}

/** A field of a row; the row of a single insertion is the body itself and has no path. */
const field = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

function checkRow(deps: Deps, row: EmbeddingInput, path: string): void {
  const { dimensions } = deps.config.embedding;
  const { embedding, id } = row;
  if (embedding !== null && embedding.length !== dimensions) {
    throw invalid(field(path, "embedding"), `expected ${dimensions} numbers, got ${embedding.length}`);
  }
  if (embedding !== null && embedding.every((value) => value === 0)) {
    throw invalid(
      field(path, "embedding"),
      "all numbers are zero; such a vector has no direction and can never be found by cosine",
    );
  }
  const { idType } = deps.db.layout.embeddings;
  if (id !== null && !canHold(idType, id)) {
    throw invalid(field(path, "id"), `the id column of this database holds ${idType} values, and this is none`);
  }
}

/** The first row of each given id. @throws ApiError 400 when an id is repeated with other content. */
function uniqueRows(rows: readonly EmbeddingInput[], at: (row: number) => string): Map<string, number> {
  const first = new Map<string, number>();
  rows.forEach((row, i) => {
    if (row.id === null) return;
    const earlier = first.get(row.id);
    if (earlier === undefined) {
      first.set(row.id, i);
    } else if (!isDeepStrictEqual({ ...row }, { ...rows[earlier] })) {
      throw invalid(field(at(i), "id"), `repeats the id of ${at(earlier)} with other content`);
    }
  });
  return first;
}

/** Ids that are stored already and whose rows came without an embedding: a retry must not pay for the model twice. */
async function alreadyStored(
  deps: Deps,
  storeId: string,
  rows: readonly EmbeddingInput[],
  named: ReadonlyMap<string, number>,
  at: (row: number) => string,
): Promise<Set<string>> {
  const candidates = rows.flatMap((row) => (row.id !== null && row.embedding === null ? [{ ...row, id: row.id }] : []));
  if (candidates.length === 0) return new Set();
  const found = await compareChunks(deps.db, storeId, candidates);
  refuseOther(found, named, at);
  return new Set(found.keys());
}

/** The embedding of every row, asking the model for those that came without; null for rows in `skip`. */
async function embedMissing(
  deps: Deps,
  rows: readonly EmbeddingInput[],
  skip: ReadonlySet<string>,
): Promise<(Float32Array | null)[]> {
  const missing = rows.filter((row) => row.embedding === null && (row.id === null || !skip.has(row.id)));
  const made = missing.length === 0 ? [] : await deps.litellm.embedder.embed(missing.map((row) => row.content));
  const byRow = new Map(missing.map((row, i) => [row, made[i]]));
  return rows.map((row) => row.embedding ?? byRow.get(row) ?? null);
}

async function requireSame(
  tx: Parameters<typeof compareChunks>[0],
  storeId: string,
  present: readonly ChunkWithId[],
  named: ReadonlyMap<string, number>,
  at: (row: number) => string,
): Promise<void> {
  refuseOther(await compareChunks(tx, storeId, present), named, at);
}

function refuseOther(
  found: ReadonlyMap<string, boolean>,
  named: ReadonlyMap<string, number>,
  at: (row: number) => string,
): void {
  for (const [id, same] of found) {
    if (!same)
      throw conflict(field(at(named.get(id) ?? 0), "id"), "exists already with other content, metadata or embedding");
  }
}

/** A page of a store's rows, for checking a migration. `after` and `before` are ids of rows, present or not. */
export async function listEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: ChunkSelection,
  page: PageRequest & { withEmbedding: boolean },
) {
  const store = await get(deps, caller, storeId);
  const { idType } = deps.db.layout.embeddings;
  for (const param of ["after", "before"] as const) {
    const id = page[param];
    if (id !== null && !canHold(idType, id))
      throw invalid(param, `is not an id of this database, whose ids are ${idType}`);
  }
  return listChunks(deps.db, store.id, selection, page);
}

/** Removes the selected rows of a store, all or none, and counts them out of it. @returns how many were removed. */
export async function deleteEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: ChunkSelection,
): Promise<number> {
  const store = await use(deps, caller, storeId);
  return deps.db.transaction(async (tx) => {
    const gone = await deleteChunks(tx, store.id, selection);
    if (gone.chunks === 0) return 0;
    await addToCounts(tx, store.id, { chunks: -gone.chunks, bytes: -gone.bytes, dimensions: null }, deps.now());
    return gone.chunks;
  });
}
