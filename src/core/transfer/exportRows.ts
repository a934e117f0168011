import { readKeptStores } from "../../db/tables/keptStores.js";
import { findStore } from "../../db/tables/stores.js";
import type { Filter } from "../../words/filter.js";
import { type TransferRow, type TransferStore, digestOf, pageLimits, sumDigests } from "../../words/rows.js";
import { requireOperators } from "../search/filters.js";
import { throwUnknown } from "../stores/unknown.js";
import type { TransferDeps } from "./importRequest.js";

export interface ExportRequest {
  /** Null: all stores. */
  stores: readonly string[] | null;
  filter: Filter | null;
  withVectors: boolean;
}

/** The last row written, and its store. */
export interface ExportPosition {
  storeId: string;
  /** Null: no row of the store has been written yet. */
  after: string | null;
}

export interface ExportPage {
  /** The store of all these rows. */
  store: TransferStore;
  rows: TransferRow[];
  position: ExportPosition;
  /** The sum of the rows' digests, as an import prints it. Rows without vectors do not count. */
  checksum: string;
}

const all = { kind: "all" } as const;

const nullIfAborted = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error;
  return null;
};

/** The stores to export, and the total of their rows. @throws ApiError 404 */
export async function storesToExport(
  deps: TransferDeps,
  { stores, filter }: ExportRequest,
): Promise<{ stores: TransferStore[]; rows: number }> {
  requireOperators(deps.engine, filter);
  for (const id of stores ?? []) if ((await findStore(deps.db, all, id)) === undefined) throwUnknown(id);
  const kept = await readKeptStores(deps.db, stores);
  const known = await Promise.all(kept.map((store) => findStore(deps.db, all, store.id)));
  const { embedder } = deps.litellm;
  const found = kept.map((store, i) => {
    const { embeddedBy = null } = known[i] ?? {};
    // Name the model explicitly: the target's settings may name another one.
    const model = embeddedBy ?? embedder.model;
    return {
      ...store,
      embeddingModel: store.embeddingModel ?? (embedder.builtIn && model === embedder.model ? null : model),
    };
  });
  return { stores: found, rows: known.reduce((sum, store) => sum + (store?.chunkCount ?? 0), 0) };
}

/**
 * All rows of the stores in the order of ids, a page at a time; the first page of a store may be empty. Each page shows
 * the moment it was read: rows added or removed meanwhile may or may not be in it. Chunks of a file that is being
 * ingested are left out, so a file is exported completely or not at all.
 * @param after where an earlier run stopped; null to begin
 * @param signal ends the export: the page under way is not waited for
 */
export async function* exportRows(
  deps: TransferDeps,
  stores: readonly TransferStore[],
  request: ExportRequest,
  after: ExportPosition | null,
  signal: AbortSignal,
): AsyncGenerator<ExportPage> {
  const begin = after === null ? 0 : stores.findIndex((store) => store.id === after.storeId);
  for (const [i, store] of stores.entries()) {
    if (i < begin) continue;
    let last = i === begin ? (after?.after ?? null) : null;
    const without = new Set<string>();
    for (let limit = 50; ; limit = Math.min(limit * 2, pageLimits.rows)) {
      const now = await findStore(deps.db, all, store.id);
      // Deleted meanwhile.
      if (now === undefined) break;
      const { filter, withVectors: vectors } = request;
      const wanted = { after: last, limit, filter, vectors, without };
      const page = await deps.engine.records.page(now, wanted, { signal }).catch(nullIfAborted(signal));
      if (page === null) return;
      // A file that was hidden once stays left out: the export may already have passed its first chunks.
      for (const file of page.hidden) without.add(file);
      last = page.chunks.at(-1)?.id ?? last;
      yield {
        store,
        rows: page.chunks.map((chunk) => ({ ...chunk, at: chunk.id, key: chunk.id })),
        position: { storeId: store.id, after: last },
        checksum: sumDigests(
          page.chunks.flatMap(({ metadata, vector, ...chunk }) =>
            vector === null ? [] : [digestOf({ ...chunk, vector, metadata: metadata ?? "{}" })],
          ),
        ),
      };
      if (!page.hasMore) break;
    }
  }
}
