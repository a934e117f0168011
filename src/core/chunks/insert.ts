import { findStore } from "../../db/tables/stores.js";
import { EngineError, IdConflict, IdElsewhere, Overtaken } from "../../engines/engine.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import type { Compared, NewChunk, OnConflict } from "../../words/chunk.js";
import { ApiError, TextError, conflict, notFound, tooLarge, unavailable } from "../../words/errors.js";
import { type VectorStore, isExpired } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { bookModel, embedTexts } from "../stores/embedding.js";
import { dimensionsOf, requireModel } from "../stores/model.js";
import { settlePrompts } from "../stores/settlePrompts.js";
import * as stores from "../stores/stores.js";
import { expired } from "../stores/unknown.js";
import { whileRequested } from "../stores/removal.js";
import { removeLeftUnder } from "../stores/leftChunks.js";
import { firstFileRow, isFileRow, requireNoFileNamed } from "./fileRows.js";
import { type EmbeddingInput, checkRow, field, uniqueRows } from "./rowChecks.js";

export interface Inserted {
  /** In the order of the rows. */
  ids: string[];
  /** Rows that are new. */
  added: number;
  /** Creation times of rows that took the place of another one, by id, in Unix milliseconds. */
  replaced: ReadonlyMap<string, number>;
  /** Ids of rows that are left as they were, because `skip` says so. */
  skipped: ReadonlySet<string>;
  /** Rows that were already stored with the same id and content, so they were not stored again. */
  duplicates: number;
  /** Unix milliseconds. */
  createdAt: number;
}

export interface InsertOptions {
  /** What happens when a row's id exists in the store with other content, metadata or embedding. */
  onConflict?: OnConflict;
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
  onConflict: OnConflict;
}

/**
 * Adds rows to a store, or replaces its rows: all or none. A repeated id with the same content is counted but not
 * stored again, so a request can be repeated after any failure. No database connection is held during a model call.
 * @param at the path of a row in the request, for messages
 * @throws ApiError 400 (model, dimensions, a vector of zeros, id), 404, 409 (an id that exists with other content or as
 * a chunk of a file, or that another store has for itself; metadata that names an attached file), 5xx of the model
 */
export async function insertChunks(
  deps: Deps,
  caller: Caller,
  storeId: string,
  given: readonly EmbeddingInput[],
  at: (row: number) => string,
  { onConflict = "error", claimedModel = null, signal }: InsertOptions,
): Promise<Inserted> {
  const used = await stores.use(deps, caller, storeId, "write");
  const store = given.some(({ embedding }) => embedding === null) ? await settlePrompts(deps, caller, used) : used;
  requireModel(deps, store, claimedModel, "embedding_model");
  const limits = { dimensions: dimensionsOf(deps, store), engine: deps.engine };
  const rows = given.map((row, i) => {
    if (row.model !== null) requireModel(deps, store, row.model, field(at(i), "embedding_model"));
    return checkRow(row, at(i), limits);
  });
  await deps.limiter.requireRoom(store, sumBytes(rows.map((row) => row.content)));
  const batch: Batch = { rows, first: uniqueRows(rows, at), made: new Map(), at, onConflict };
  const asking = { caller, signal };
  for (let attempt = 1; ; attempt += 1) {
    await removeLeftUnder(deps, store.id, rows, whileRequested(signal));
    const paramOf = (row: EmbeddingInput) => field(at(rows.indexOf(row)), "metadata.file_id");
    try {
      const stored = await alreadyStored(deps, store, batch, signal);
      await requireNoFileNamed(deps, store, rows, paramOf, { onConflict, signal });
      // Rows that keep changing while they need no vector are embedded too: then nothing can overtake them.
      await embedMissing(deps, store, batch, attempt < 3 ? stored : new Set(), asking);
      return await storeRows(deps, store, batch, attempt === 1 ? "shared" : "alone", signal);
    } catch (error) {
      if (error instanceof IdConflict) throw conflictOf(error, batch);
      if (error instanceof EngineError && error.kind === "gone") throw await whyGone(deps, caller, storeId, error);
      if (!(error instanceof Overtaken)) throw error;
      if (attempt === maxAttempts)
        throw unavailable("Others are changing the same rows. Try again.", { retryAfterSeconds: 1, cause: error });
    }
  }
}

const sumBytes = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

const isRepeated = ({ first }: Batch, row: EmbeddingInput, i: number) => row.id !== null && first.get(row.id) !== i;

async function storeRows(
  deps: Deps,
  store: VectorStore,
  batch: Batch,
  turn: "shared" | "alone",
  signal: AbortSignal,
): Promise<Inserted> {
  const { rows, made, onConflict } = batch;
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
      steps: () => [{ do: "put", chunks, onConflict, turn }],
      book: async (tx, result) => {
        if (made.size > 0) await bookModel(deps, tx, store);
        return result;
      },
    },
    { signal },
  );
  if (done.added.size > 0) stores.remember(deps, done.store);
  const added = done.added.size - done.replaced.size;
  const left = onConflict === "skip" ? done.ids.filter((id) => !done.added.has(id)) : [];
  const duplicates = rows.length - done.added.size - left.length;
  deps.metrics.inserted.inc(added);
  deps.metrics.replaced.inc(done.replaced.size);
  deps.metrics.duplicates.inc(duplicates);
  const idOf = new Map(unique.map((row, i) => [row, done.ids[i] ?? ""]));
  const ids = rows.map((row) => row.id ?? idOf.get(row) ?? "");
  return { ids, added, replaced: done.replaced, skipped: new Set(left), duplicates, createdAt: now };
}

/**
 * Ids of rows without an embedding that will stay as they are stored: neither a retry nor a skipped row must pay for
 * the model.
 */
async function alreadyStored(
  deps: Deps,
  store: VectorStore,
  batch: Batch,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { rows, onConflict } = batch;
  const candidates = rows.filter((row) => row.id !== null && (onConflict === "replace" || row.embedding === null));
  if (candidates.length === 0) return new Set();
  const compared = await deps.engine.compare(
    store,
    candidates.map((row) => ({ ...row, embedding: null })),
    { signal },
  );
  const are = (...kinds: Compared[]) => [...compared].filter(([, each]) => kinds.includes(each)).map(([id]) => id);
  const different = onConflict === "error" ? are("other") : [];
  if (different.length > 0) throw conflictOf(new IdConflict(different), batch);
  const elsewhere = are("elsewhere");
  if (elsewhere.length > 0) throw conflictOf(new IdElsewhere(elsewhere), batch);
  if (onConflict === "skip") return new Set(are("same", "other"));
  if (onConflict === "replace") {
    const given = new Set(candidates.flatMap((row) => (row.embedding === null ? [] : (row.id ?? []))));
    const changing = [...are("other"), ...are("same").filter((id) => given.has(id))];
    const ofFile = await firstFileRow(deps, store, changing, signal);
    if (ofFile !== null) throw isFileRow(idField(ofFile.id, batch), ofFile.fileId);
  }
  return new Set(are("same"));
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
  requireRoom(missing.length, dimensionsOf(deps, store), deps.config.maxBodyBytes);
  const texts = missing.map((row) => row.content);
  const vectors = await embedTexts(deps, store, texts, asking).catch((error: unknown) => {
    const row = error instanceof TextError ? missing[error.index] : undefined;
    throw error instanceof TextError && row ? error.named(field(batch.at(rows.indexOf(row)), "content")) : error;
  });
  missing.forEach((row, i) => {
    const embedding = vectors[i];
    if (embedding !== undefined) made.set(row, embedding);
  });
}

/** Rows without an embedding that every request may have, whatever their vectors will take. */
const alwaysEmbedded = 10_000;
const bytesPerNumber = 4;

/** Vectors that the model makes are held in memory like those that come with a request, so they have the same limit. */
function requireRoom(vectors: number, dimensions: number, limit: number): void {
  const most = Math.max(alwaysEmbedded, Math.floor(limit / (dimensions * bytesPerNumber)));
  if (vectors <= most) return;
  const problem = `at most ${most} rows without an embedding per request; stream more as application/x-ndjson`;
  throw tooLarge(`embeddings: ${problem}`, "embeddings");
}

const idField = (id: string, { first, at }: Batch) => field(at(first.get(id) ?? 0), "id");

/** The sentence for an id of another store is the same whatever that store has, and whatever the request asks for. */
function conflictOf(error: IdConflict, batch: Batch): ApiError {
  const [id = ""] = error.ids;
  const problem =
    error instanceof IdElsewhere
      ? "cannot be used in this vector store; choose another id"
      : "exists already with other content, metadata or embedding";
  return conflict(idField(id, batch), problem);
}

async function whyGone(deps: Deps, caller: Caller, id: string, error: EngineError): Promise<ApiError> {
  stores.forget(deps, id);
  const store = await findStore(deps.db, scopeOf(caller, "write"), id);
  if (store === undefined) return notFound("vector store", id, "vector_store_id");
  return isExpired(store, deps.now()) ? expired(id) : error;
}
