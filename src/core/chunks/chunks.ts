import { listFileChunks } from "../../db/tables/storeFiles.js";
import type { ChunkPage } from "../../engines/engine.js";
import type { Caller } from "../../words/caller.js";
import type { Chunk, ChunkSelection } from "../../words/chunk.js";
import { invalid } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";
import { type VectorStore, ownerOfStore } from "../../words/store.js";
import { recordOnOthers } from "../stores/onOthers.js";
import type { Deps } from "../deps.js";
import { requireOperators } from "../search/filters.js";
import * as stores from "../stores/stores.js";
import { filesOfRows, firstFileRow, isFileRow } from "./fileRows.js";

/** Reading and removing chunks; imported as `chunks`. */

/**
 * A page of a store's chunks, for checking a migration. `after` and `before` are ids of chunks, which need not exist.
 * @returns also the files that they are chunks of, by their ids
 * @throws ApiError 404, 400 naming the field
 */
export async function list(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: ChunkSelection,
  page: stores.PageRequest & { embeddings: boolean },
  signal: AbortSignal,
): Promise<ChunkPage & { files: ReadonlyMap<string, string> }> {
  const store = await stores.find(deps, caller, storeId, "read");
  requireOperators(deps.engine, selection.filter ?? null);
  for (const param of ["after", "before"] as const) {
    const id = page[param];
    if (id !== null && deps.engine.ids.read(id) === null)
      throw invalid(param, `is not an id of a row; ids here are ${deps.engine.ids.type} values`);
  }
  const found = await deps.engine.page(store, selection, page, { signal });
  return { ...found, files: await filesOfRows(deps, store, found.chunks) };
}

/** These chunks of a store by id, as far as it has them. @throws ApiError 404 */
export async function read(
  deps: Deps,
  caller: Caller,
  storeId: string,
  ids: Iterable<string>,
  signal: AbortSignal,
): Promise<Map<string, Chunk>> {
  const wanted = [...ids];
  if (wanted.length === 0) return new Map();
  const store = await stores.find(deps, caller, storeId, "read");
  const found = await deps.engine.read(store, wanted, { embeddings: false }, { signal });
  return new Map(found.map((chunk) => [chunk.id, chunk]));
}

/**
 * Removes the selected rows of a store, all or none, and moves its counters. Chunks of attached files stay: without
 * them a file would say `completed` and never be found, nor be ingested again.
 * @returns how many were removed
 * @throws ApiError 404, 400 (expired; or a filter that matches every chunk, probably by mistake: use `filter: null` to
 * select all), 409 if an id is that of a file's chunk
 */
export async function remove(
  deps: Deps,
  caller: Caller,
  storeId: string,
  selection: ChunkSelection,
  signal: AbortSignal,
): Promise<number> {
  const { filter = null } = selection;
  if (filter !== null && selectsAll(filter))
    throw invalid("filters", 'is empty and would select every row; to delete all, say "all": true');
  requireOperators(deps.engine, filter);
  const store = await stores.use(deps, caller, storeId, "write");
  const { id } = store;
  await requireOwnRows(deps, store, selection.ids ?? [], signal);
  stores.forget(deps, id);
  return deps.engine.write(
    {
      now: deps.now(),
      as: "use",
      // One deletion at a time: two that lock the same chunks in different orders would deadlock.
      hold: async (tx) => ({ store: await stores.lock(tx, caller, id, "write") }),
      steps: async (tx) => {
        // Rows that are named by their ids have been looked at; a store can have a hundred thousand files.
        const notOf = selection.ids == null ? await listFileChunks(tx, id) : null;
        return [{ do: "remove", which: { ...selection, notOf } }];
      },
      book: async (tx, { removed }, held) => {
        const act = { action: "embeddings.delete", target: id, details: { rows: removed.chunks } };
        await recordOnOthers(tx, caller, deps.now(), ownerOfStore(held.store), act);
        return removed.chunks;
      },
    },
    { signal },
  );
}

/** @throws ApiError 409 naming the id of a file's chunk */
async function requireOwnRows(deps: Deps, store: VectorStore, given: readonly string[], signal: AbortSignal) {
  const ids = given.map((id) => deps.engine.ids.read(id));
  const ofFile = await firstFileRow(
    deps,
    store,
    ids.filter((id) => id !== null),
    signal,
  );
  if (ofFile !== null) throw isFileRow(`ids[${ids.indexOf(ofFile.id)}]`, ofFile.fileId, ofFile.id);
}

function selectsAll(filter: Filter): boolean {
  if (filter.type === "and") return filter.filters.every(selectsAll);
  if (filter.type === "or") return filter.filters.some(selectsAll);
  return filter.type === "nin" && filter.value.length === 0;
}
