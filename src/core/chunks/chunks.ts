import type { Db } from "../../db/connection/database.js";
import { type VectorStore, addToCounts, canHold, findStore, lockStore, makeId } from "../../db/tables/stores.js";
import {
  type Chunk,
  type ChunkSelection,
  type NewChunk,
  compareChunks,
  deleteChunks,
  insertChunks,
  listChunks,
  reserveIds,
} from "../../engines/pgvector/chunks.js";
import { visible } from "../../engines/pgvector/filterSql.js";
import { insertKeywords } from "../../engines/pgvector/keywords/keywords.js";
import { conflict, invalid, notFound, unavailable } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { dimensionsOf, embedderOf, requireModel } from "../stores/model.js";
import { checkRow, field, uniqueRows } from "./rowChecks.js";
import { type PageRequest, expired, get, throwUnknown, updateRecent, use } from "../stores/stores.js";

export type { Chunk, ChunkSelection };

/** One row of an insertion. Without an embedding the content is embedded here; without an id one is made. */
export interface EmbeddingInput {
  id: string | null;
  content: string;
  metadata: Record<string, unknown> | null;
  embedding: Float32Array | null;
  /** The model that made the embedding, where the sender says it. */
  model: string | null;
}

export interface Inserted {
  /** In the order of the rows. */
  ids: string[];
  /** Rows whose id and content were there already and so were not added again. */
  duplicates: number;
  /** Unix milliseconds. */
  createdAt: number;
}

/** How often an insertion starts anew because others changed the very rows it repeats. */
const maxAttempts = 5;

/**
 * Adds rows to a store: all of them or none, in one transaction. A repeated id with the same content is counted, not doubled, so a
 * request can be sent again after any failure. No database connection is held while the model is asked.
 * @param at the path of a row in the request, for messages.
 * @param claimedModel the model that made all given embeddings, where the sender says it.
 * @throws ApiError 400 (model, dimensions, a vector without direction, id), 404, 409 (an id that exists with other content), 5xx of the model.
 */
export async function insertEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  given: readonly EmbeddingInput[],
  at: (row: number) => string,
  claimedModel: string | null = null,
): Promise<Inserted> {
  const store = await use(deps, caller, storeId);
  requireModel(deps, store, claimedModel, "embedding_model");
  const { idType } = deps.db.layout.embeddings;
  const dimensions = dimensionsOf(deps, store);
  const rows = given.map((row, i) => {
    if (row.model !== null) requireModel(deps, store, row.model, field(at(i), "embedding_model"));
    return checkRow(row, at(i), { dimensions, idType });
  });
  const named = uniqueRows(rows, at);
  const embeddings: Embeddings = new Map();
  for (let attempt = 1; ; attempt += 1) {
    const skip = await alreadyStored(deps, store.id, rows, named, at);
    await embedMissing(deps, caller, store, rows, named, skip, embeddings);
    try {
      const { changed, ...inserted } = await deps.db.transaction((tx) =>
        storeRows(deps, tx, caller, store.id, { rows, named, embeddings, at, dimensions }),
      );
      if (changed !== null) updateRecent(deps, changed);
      deps.metrics.inserted.inc(rows.length - inserted.duplicates);
      deps.metrics.duplicates.inc(inserted.duplicates);
      return inserted;
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (attempt === maxAttempts) {
        throw unavailable("Others are changing the same rows. Try again.", { retryAfterSeconds: 1, cause: error });
      }
    }
  }
}

/** Vectors that the model made here, by row. */
type Embeddings = Map<EmbeddingInput, Float32Array>;

/** Between our look at the stored rows and our transaction, others removed one of them or took an id: nothing was stored, look again. */
class Overtaken extends Error {}

async function storeRows(
  deps: Deps,
  tx: Db,
  caller: Caller,
  storeId: string,
  batch: {
    rows: readonly EmbeddingInput[];
    named: ReadonlyMap<string, number>;
    embeddings: Embeddings;
    at: (row: number) => string;
    dimensions: number;
  },
): Promise<Inserted & { changed: VectorStore | null }> {
  const { rows, named, embeddings, at, dimensions } = batch;
  const createdAt = deps.now();
  const unnamed = rows.filter((row) => row.id === null).length;
  const reserved = unnamed > 0 ? await reserveIds(tx, unnamed) : null;
  const ids = rows.map((row) => row.id ?? reserved?.shift() ?? makeId(tx.layout.embeddings.idType, "emb_"));
  const chunks = rows.flatMap((row, i): NewChunk[] => {
    const [id, embedding] = [ids[i], row.embedding ?? embeddings.get(row)];
    const repeated = row.id !== null && named.get(row.id) !== i;
    if (id === undefined || embedding === undefined || repeated) return [];
    return [{ id, content: row.content, metadata: row.metadata, embedding }];
  });
  // Everybody in the same order: of two batches that share ids, one waits for the other, never each for the other.
  if (named.size > 0) chunks.sort((a, b) => (a.id < b.id ? -1 : 1));

  const added = await insertChunks(tx, storeId, chunks, createdAt);
  if (chunks.some((chunk) => !added.has(chunk.id) && !named.has(chunk.id))) throw new Overtaken("a new id was taken");
  const present = [...named].flatMap(([id, i]) => {
    const row = rows[i];
    return row === undefined || added.has(id) ? [] : [{ ...row, id }];
  });
  if (present.length > 0) {
    // Only embeddings that the client gave are compared: a model seldom makes exactly the same numbers twice.
    const found = await compareChunks(tx, storeId, present);
    refuseOther(found, named, at);
    if (found.size < present.length) throw new Overtaken("a stored row was removed");
  }
  const bytes = chunks.reduce((sum, chunk) => sum + (added.has(chunk.id) ? Buffer.byteLength(chunk.content) : 0), 0);
  const inserted = { ids, duplicates: rows.length - added.size, createdAt };
  if (added.size === 0) return { ...inserted, changed: null };
  const changed = await addToCounts(tx, storeId, { chunks: added.size, bytes, dimensions }, createdAt);
  if (changed === undefined) {
    const still = await findStore(tx, scopeOf(caller), storeId);
    throw still === undefined ? notFound("vector store", storeId, "vector_store_id") : expired(storeId);
  }
  await keepKeywords(tx, changed, [...added]);
  return { ...inserted, changed };
}

/** Only here, where the store's row is held, it is certain whether those who make a store's keywords see these rows or we have to. */
async function keepKeywords(tx: Db, store: VectorStore, ids: readonly string[]): Promise<void> {
  if (store.keywordsLanguage !== null) await insertKeywords(tx, store.id, store.keywordsLanguage, ids);
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

/** Asks the model for the embeddings of the rows that came without, once each, except those that are stored or were asked for already. */
async function embedMissing(
  deps: Deps,
  caller: Caller,
  store: VectorStore,
  rows: readonly EmbeddingInput[],
  named: ReadonlyMap<string, number>,
  skip: ReadonlySet<string>,
  embeddings: Embeddings,
): Promise<void> {
  const missing = rows.filter(
    (row, i) =>
      row.embedding === null &&
      !embeddings.has(row) &&
      (row.id === null || (named.get(row.id) === i && !skip.has(row.id))),
  );
  if (missing.length === 0) return;
  const made = await embedderOf(deps, store).embed(
    missing.map((row) => row.content),
    { caller },
  );
  missing.forEach((row, i) => {
    const embedding = made[i];
    if (embedding !== undefined) embeddings.set(row, embedding);
  });
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
  return listChunks(deps.db, store.id, { ...selection, filter: visible(selection.filter, store) }, page);
}

/**
 * Removes the selected rows of a store, all or none, and counts them out of it.
 * @returns how many were removed.
 * @throws ApiError 404, 400 (expired; or a filter that no row can fail, which a script makes by mistake: all rows are `filter: null`).
 */
export async function deleteEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: ChunkSelection,
): Promise<number> {
  if (selection.filter !== null && selectsAll(selection.filter)) {
    throw invalid("filters", 'is empty and would select every row; to delete all, say "all": true');
  }
  const store = await use(deps, caller, storeId);
  deps.recentStores.delete(store.id);
  return deps.db.transaction(async (tx) => {
    // One deletion at a time: two that meet the same rows in different orders would wait for each other.
    const locked = (await lockStore(tx, scopeOf(caller), store.id)) ?? throwUnknown(store.id);
    const gone = await deleteChunks(tx, locked, selection);
    if (gone.chunks === 0) return 0;
    const change = { chunks: -gone.chunks, bytes: -gone.bytes, dimensions: null };
    if (!(await addToCounts(tx, store.id, change, deps.now()))) throw expired(store.id);
    return gone.chunks;
  });
}

function selectsAll(filter: Filter): boolean {
  if (filter.type === "and") return filter.filters.every(selectsAll);
  if (filter.type === "or") return filter.filters.some(selectsAll);
  return filter.type === "nin" && filter.value.length === 0;
}
