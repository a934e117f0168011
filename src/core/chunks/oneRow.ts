import type { Db } from "../../db/database.js";
import type { Done, Step } from "../../engines/engine.js";
import type { Caller } from "../../words/caller.js";
import type { Amendment, Chunk } from "../../words/chunk.js";
import { TextError, notFound } from "../../words/errors.js";
import { type VectorStore, ownerOfStore } from "../../words/store.js";
import { recordOnOthers } from "../stores/onOthers.js";
import type { Deps } from "../deps.js";
import { checkVector } from "../stores/checkVector.js";
import { bookModel, embedTexts } from "../stores/embedding.js";
import { settlePrompts } from "../stores/settlePrompts.js";
import { findRow } from "../stores/findRow.js";
import { dimensionsOf, requireModel } from "../stores/model.js";
import * as stores from "../stores/stores.js";
import { filesOfRows, isFileRow, requireNoOtherFileNamed } from "./fileRows.js";

/** One row of a store by its id; imported as `oneRow`. */

/** What a request changes of a row. */
export interface RowChange extends Amendment {
  /** The model that made the embedding, if the sender says so. */
  model: string | null;
}

const param = "embedding_id";
function throwUnknownRow(id: string): never {
  throw notFound("embedding", id.slice(0, 100), param);
}

/**
 * A row, of a file too, but not of one that is still being ingested.
 * @returns also the file that it is a chunk of
 * @throws ApiError 404
 */
export async function find(
  deps: Deps,
  caller: Caller,
  storeId: string,
  id: string,
  embeddings: boolean,
  signal: AbortSignal,
): Promise<{ row: Chunk; fileId: string | null }> {
  const store = await stores.find(deps, caller, storeId, "read");
  const row = await findIn(deps, store, id, embeddings, signal);
  return { row, fileId: await fileOf(deps, store, row) };
}

const fileOf = async (deps: Deps, store: VectorStore, row: Chunk): Promise<string | null> =>
  (await filesOfRows(deps, store, [row])).get(row.id) ?? null;

async function findIn(
  { engine }: Deps,
  store: VectorStore,
  id: string,
  embeddings: boolean,
  signal: AbortSignal,
): Promise<Chunk> {
  return (await findRow(engine, store, id, { embeddings, signal })) ?? throwUnknownRow(id);
}

/**
 * Changes what is given of a row, in one step; its creation time stays. New content without an embedding is embedded by
 * the store's model, without a database connection.
 * @returns the row as it is now
 * @throws ApiError 400 (model, dimensions), 404, 409 (a chunk of a file; the name of one), 5xx of the model
 */
export async function change(
  deps: Deps,
  caller: Caller,
  storeId: string,
  id: string,
  { model, ...given }: RowChange,
  signal: AbortSignal,
): Promise<Chunk> {
  const store = await stores.use(deps, caller, storeId, "write");
  requireModel(deps, store, model, "embedding_model");
  const dimensions = dimensionsOf(deps, store);
  if (given.embedding !== null) checkVector(given.embedding, { dimensions, ...deps.engine.can.lengths }, "embedding");
  const row = await findOwn(deps, store, id, signal);
  if (given.metadata !== null) await requireNoOtherFileNamed(deps, store, given.metadata, row.metadata);
  const reworded = given.content !== null && given.content !== row.content;
  const more = Buffer.byteLength(given.content ?? "") - Buffer.byteLength(row.content);
  if (reworded && more > 0) await deps.limiter.requireRoom(store, more);
  const embeds = reworded && given.embedding === null;
  const settled = embeds ? await settlePrompts(deps, caller, store) : store;
  const embed = (text: string) =>
    embedTexts(deps, settled, [text], { caller, signal }).catch((error: unknown) => {
      throw error instanceof TextError ? error.named("content") : error;
    });
  const made = embeds ? await embed(given.content ?? "") : [];
  const amendment = {
    ...given,
    content: reworded ? given.content : null,
    embedding: given.embedding ?? made[0] ?? null,
  };
  const book = async (tx: Db) => {
    if (made.length > 0) await bookModel(deps, tx, settled);
  };
  const done = await write(deps, caller, store.id, { do: "amend", id: row.id, ...amendment }, signal, book);
  if (!done.replaced.has(row.id)) throwUnknownRow(id);
  stores.remember(deps, done.store);
  const [now] = await deps.engine.read(done.store, [row.id], { embeddings: false }, { signal });
  if (now === undefined) throwUnknownRow(id);
  return now;
}

/** Removes a row. @throws ApiError 404, 409 (a chunk of a file) */
export async function remove(
  deps: Deps,
  caller: Caller,
  storeId: string,
  id: string,
  signal: AbortSignal,
): Promise<string> {
  const store = await stores.use(deps, caller, storeId, "write");
  const row = await findOwn(deps, store, id, signal);
  stores.forget(deps, store.id);
  const { removed } = await write(deps, caller, store.id, { do: "remove", which: { ids: [row.id] } }, signal);
  if (removed.chunks === 0) throwUnknownRow(id);
  return row.id;
}

/** A row that may be changed. @throws ApiError 404, 409 */
async function findOwn(deps: Deps, store: VectorStore, id: string, signal: AbortSignal): Promise<Chunk> {
  const row = await findIn(deps, store, id, false, signal);
  const fileId = await fileOf(deps, store, row);
  if (fileId !== null) throw isFileRow(param, fileId);
  return row;
}

const write = (
  deps: Deps,
  caller: Caller,
  id: string,
  step: Step,
  signal: AbortSignal,
  book: (tx: Db) => Promise<void> = () => Promise.resolve(),
): Promise<Done> =>
  deps.engine.write(
    {
      now: deps.now(),
      as: "use",
      hold: async (tx) => ({ store: await stores.lock(tx, caller, id, "write") }),
      steps: () => [step],
      book: async (tx, done, held) => {
        await book(tx);
        const action = step.do === "remove" ? "embeddings.delete" : "embeddings.update";
        const act = { action, target: id, details: { rows: 1 } };
        if (done.removed.chunks + done.replaced.size > 0)
          await recordOnOthers(tx, caller, deps.now(), ownerOfStore(held.store), act);
        return done;
      },
    },
    { signal },
  );
