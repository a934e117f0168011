import { findStore } from "../../db/tables/stores.js";
import { EngineError, IdConflict, Overtaken } from "../../engines/engine.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import type { NewChunk } from "../../words/chunk.js";
import { ApiError, conflict, notFound, unavailable } from "../../words/errors.js";
import { type VectorStore, isExpired } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { dimensionsOf, embedderOf, requireModel } from "../stores/model.js";
import * as stores from "../stores/stores.js";
import { expired } from "../stores/unknown.js";
import { type EmbeddingInput, checkRow, field, uniqueRows } from "./rowChecks.js";

export interface Inserted {
  /** In the order of the rows. */
  ids: string[];
  /** Rows that were already stored with the same id and content, so they were not added again. */
  duplicates: number;
  /** Unix milliseconds. */
  createdAt: number;
}

export interface InsertOptions {
  /** The model that made all given embeddings, if the sender says so. */
  claimedModel?: string | null;
  /** Ends the insertion when the client has left. What the engine is storing at that moment may still be stored. */
  signal: AbortSignal;
}

/** How often an insertion starts again because others changed the rows that it repeats. */
const maxAttempts = 5;

/** The rows of one insertion. */
interface Batch {
  rows: readonly EmbeddingInput[];
  /** For each given id, the index of its first row; later rows with that id repeat it. */
  first: ReadonlyMap<string, number>;
  /** Vectors that the model made for rows without one. */
  made: Map<EmbeddingInput, Float32Array>;
  /** Where a row is in the request, for messages. */
  at: (row: number) => string;
}

/**
 * Adds rows to a store: all or none. A repeated id with the same content is counted but not added again, so a request
 * can be repeated after any failure. No database connection is held during a model call.
 * @param at the path of a row in the request, for messages
 * @throws ApiError 400 (model, dimensions, a vector of zeros, id), 404, 409 (an id that exists with other content), 5xx
 * of the model
 */
export async function insertChunks(
  deps: Deps,
  caller: Caller,
  storeId: string,
  given: readonly EmbeddingInput[],
  at: (row: number) => string,
  { claimedModel = null, signal }: InsertOptions,
): Promise<Inserted> {
  const store = await stores.use(deps, caller, storeId);
  requireModel(deps, store, claimedModel, "embedding_model");
  const limits = { dimensions: dimensionsOf(deps, store), engine: deps.engine };
  const rows = given.map((row, i) => {
    if (row.model !== null) requireModel(deps, store, row.model, field(at(i), "embedding_model"));
    return checkRow(row, at(i), limits);
  });
  const batch: Batch = { rows, first: uniqueRows(rows, at), made: new Map(), at };
  const asking = { caller, signal };
  for (let attempt = 1; ; attempt += 1) {
    await embedMissing(deps, store, batch, await alreadyStored(deps, store, batch, signal), asking);
    try {
      return await storeRows(deps, store, batch, signal);
    } catch (error) {
      if (error instanceof IdConflict) throw conflictOf(error.ids, batch);
      if (error instanceof EngineError && error.kind === "gone") throw await whyGone(deps, caller, storeId, error);
      if (!(error instanceof Overtaken)) throw error;
      if (attempt === maxAttempts)
        throw unavailable("Others are changing the same rows. Try again.", { retryAfterSeconds: 1, cause: error });
    }
  }
}

const isRepeated = ({ first }: Batch, row: EmbeddingInput, i: number) => row.id !== null && first.get(row.id) !== i;

async function storeRows(deps: Deps, store: VectorStore, batch: Batch, signal: AbortSignal): Promise<Inserted> {
  const { rows, made } = batch;
  const unique = rows.filter((row, i) => !isRepeated(batch, row, i));
  const chunks = unique.map((row): NewChunk => {
    const { id, content, metadata } = row;
    const embeddingMade = row.embedding === null;
    return { id, content, metadata, embedding: row.embedding ?? made.get(row) ?? null, embeddingMade };
  });
  const now = deps.now();
  const done = await deps.engine.write(
    {
      now,
      as: "use",
      hold: () => Promise.resolve({ store }),
      steps: () => [{ do: "put", chunks, onConflict: "error" }],
      book: (_tx, result) => Promise.resolve(result),
    },
    { signal },
  );
  if (done.added.size > 0) stores.remember(deps, done.store);
  const duplicates = rows.length - done.added.size;
  deps.metrics.inserted.inc(done.added.size);
  deps.metrics.duplicates.inc(duplicates);
  const idOf = new Map(unique.map((row, i) => [row, done.ids[i] ?? ""]));
  return { ids: rows.map((row) => row.id ?? idOf.get(row) ?? ""), duplicates, createdAt: now };
}

/** Ids of rows without an embedding that are already stored: a retry must not pay for the model twice. */
async function alreadyStored(
  deps: Deps,
  store: VectorStore,
  batch: Batch,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const candidates = batch.rows.filter((row) => row.id !== null && row.embedding === null);
  if (candidates.length === 0) return new Set();
  const found = await deps.engine.compare(store, candidates, { signal });
  const different = [...found].filter(([, same]) => !same).map(([id]) => id);
  if (different.length > 0) throw conflictOf(different, batch);
  return new Set(found.keys());
}

/** Embeds the rows that came without an embedding, each once, unless they are already stored or embedded. */
async function embedMissing(
  deps: Deps,
  store: VectorStore,
  batch: Batch,
  stored: ReadonlySet<string>,
  asking: { caller: Caller; signal: AbortSignal },
): Promise<void> {
  const { rows, made } = batch;
  const missing = rows.filter(
    (row, i) =>
      row.embedding === null &&
      !made.has(row) &&
      !isRepeated(batch, row, i) &&
      !(row.id !== null && stored.has(row.id)),
  );
  if (missing.length === 0) return;
  const vectors = await embedderOf(deps, store).embed(
    missing.map((row) => row.content),
    asking,
  );
  missing.forEach((row, i) => {
    const embedding = vectors[i];
    if (embedding !== undefined) made.set(row, embedding);
  });
}

function conflictOf([id = ""]: readonly string[], { first, at }: Batch): ApiError {
  return conflict(field(at(first.get(id) ?? 0), "id"), "exists already with other content, metadata or embedding");
}

async function whyGone(deps: Deps, caller: Caller, id: string, error: EngineError): Promise<ApiError> {
  stores.forget(deps, id);
  const store = await findStore(deps.db, scopeOf(caller), id);
  if (store === undefined) return notFound("vector store", id, "vector_store_id");
  return isExpired(store, deps.now()) ? expired(id) : error;
}
