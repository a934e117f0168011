import { readKeptStores } from "../../db/tables/keptStores.js";
import { canHold, findStore } from "../../db/tables/stores.js";
import { visible } from "../../engines/pgvector/filterSql.js";
import { digestOf, readChunks } from "../../engines/pgvector/records.js";
import type { Filter } from "../../words/filter.js";
import { type TransferRow, type TransferStore, pageLimits, sumDigests } from "../../words/rows.js";
import { throwUnknown } from "../stores/stores.js";
import type { TransferDeps } from "./importRequest.js";

export interface ExportRequest {
  /** Null: all stores. */
  stores: readonly string[] | null;
  filter: Filter | null;
  withVectors: boolean;
}

/** The last row that was written, and its store. */
export interface ExportPosition {
  storeId: string;
  /** Null: the store is begun, and no row of it is written. */
  after: string | null;
}

export interface ExportPage {
  /** The store that all rows are of. */
  store: TransferStore;
  rows: TransferRow[];
  position: ExportPosition;
  /** Sum of the rows' digests, as an import prints it; without vectors there are none to compare. */
  checksum: string;
}

const all = { kind: "all" } as const;

/** The stores that are to be written, and how many rows they have. @throws ApiError 404 */
export async function storesToExport(
  deps: TransferDeps,
  { stores }: ExportRequest,
): Promise<{ stores: TransferStore[]; rows: number }> {
  const { idType } = deps.db.layout.vectorStores;
  for (const id of stores ?? []) {
    if (!canHold(idType, id) || (await findStore(deps.db, all, id)) === undefined) throwUnknown(id);
  }
  const { embedder } = deps.litellm;
  // Elsewhere the settings may name another model.
  const model = embedder.builtIn ? null : embedder.model;
  const found = (await readKeptStores(deps.db, stores)).map((store) => ({
    ...store,
    embeddingModel: store.embeddingModel ?? model,
  }));
  const counts = await Promise.all(found.map((store) => findStore(deps.db, all, store.id)));
  return { stores: found, rows: counts.reduce((sum, store) => sum + (store?.chunkCount ?? 0), 0) };
}

/**
 * All rows of the stores, in the order of ids, a page at a time; the first page of each store may be empty. Each page is of its own moment:
 * rows that come or go meanwhile may be in it or not. Chunks of a file that is being ingested are not: a file is there whole or not at all.
 * @param after where an earlier run has stopped; null to begin
 */
export async function* exportRows(
  deps: TransferDeps,
  stores: readonly TransferStore[],
  request: ExportRequest,
  after: ExportPosition | null,
): AsyncGenerator<ExportPage> {
  const begin = after === null ? 0 : stores.findIndex((store) => store.id === after.storeId);
  for (const [i, store] of stores.entries()) {
    if (i < begin) continue;
    let last = i === begin ? (after?.after ?? null) : null;
    const hidden = new Set<string>();
    for (let limit = 50; ; limit = Math.min(limit * 2, pageLimits.rows)) {
      const now = await findStore(deps.db, all, store.id);
      // Deleted meanwhile.
      if (now === undefined) break;
      // Also what was hidden a while ago: earlier rows of it are behind us.
      for (const file of now.hiddenFiles) hidden.add(file);
      const filter = visible(request.filter, { hiddenFiles: [...hidden] });
      const page = await readChunks(deps.db, store.id, { after: last, limit, filter, withVector: request.withVectors });
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
