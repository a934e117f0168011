import { LRUCache } from "lru-cache";
import { filterTypes } from "../../words/filter.js";
import type { Engine } from "../engine.js";
import { findChunks, countChunks, findPlaces, listChunks } from "./chunkReads.js";
import { chunkIds } from "./chunkRows.js";
import { compareChunks } from "./chunkWrites.js";
import type { Pgvector, PgvectorParts } from "./context.js";
import { bounded, paceWithin, stepwise } from "./failures.js";
import { visible } from "./passing.js";
import { createWords } from "./keywords/words.js";
import { searchChunks } from "./nearest.js";
import { createRecords } from "./records.js";
import { extensionVersion, stateOf } from "./state.js";
import { checkIndexes } from "./upkeep/check.js";
import { countIndexedRows, indexState, summarize } from "./upkeep/indexState.js";
import { requestRangeIndexes } from "./upkeep/rangeIndexes.js";
import { type Probed, probeNext } from "./upkeep/recallProbe.js";
import { prepare, requestReindex } from "./upkeep/requests.js";
import { bringUpToDate } from "./upkeep/upkeep.js";
import { asCompared, drop, write } from "./write.js";

/** What the engine was given, with what it remembers between calls. */
export const createContext = (parts: PgvectorParts): Pgvector => ({
  ...parts,
  wideFilters: new LRUCache({ max: 1000, ttl: 60_000 }),
  ranges: new LRUCache({ max: 100 }),
});

/** PostgreSQL or PGlite with pgvector as an engine, on the database that keeps the stores. */
export const createPgvector = (parts: PgvectorParts): Engine => engineOn(createContext(parts));

export function engineOn(pg: Pgvector): Engine {
  const { db } = pg;
  const { idType, idsPerStore, dimensions } = db.layout.embeddings;
  const probed: Probed = new Map();
  return {
    name: "pgvector",
    can: {
      shareTransaction: true,
      operators: new Set(filterTypes),
      fixedDimensions: dimensions,
      maxDimensions: 16_000,
      // Between these it computes a cosine in 16,000 dimensions; it sums products in float32.
      lengths: { min: 1e-15, max: 1e19 },
    },
    ids: chunkIds(idType, idsPerStore),
    words: createWords(pg),
    records: createRecords(pg),

    prepare: (store, language, bounds) => bounded(bounds, () => prepare(pg, store, language)),
    drop: (change, bounds) => bounded(bounds, () => drop(pg, change)),
    write: (change, bounds) => bounded(bounds, () => write(pg, change)),
    compare: (store, chunks, bounds) =>
      bounded(bounds, () =>
        compareChunks(
          db,
          store.id,
          chunks.flatMap((chunk) => (chunk.id === null ? [] : [asCompared({ ...chunk, id: chunk.id })])),
        ),
      ),
    nearest: (store, query, bounds) => {
      requestRangeIndexes(pg, store, query.filter);
      return bounded(bounds, () => searchChunks(pg, store, query));
    },
    read: (store, ids, wanted, bounds) => bounded(bounds, () => findChunks(db, store.id, ids, wanted)),
    page: (store, selection, page, bounds) => {
      const filter = visible(selection.filter ?? null, stateOf(store));
      return bounded(bounds, () => listChunks(db, store.id, { ...selection, filter }, page));
    },
    places: (store, places, bounds) =>
      bounded(bounds, () => findPlaces(db, store.id, places, stateOf(store).vectorsIndexed)),
    count: (store, filter, bounds) => bounded(bounds, () => countChunks(db, store.id, filter)),

    state: (store) => indexState(pg, store),
    indexed: (store, bounds) => bounded(bounds, () => countIndexedRows(pg, store)),
    versions: (bounds) => bounded(bounds, () => extensionVersion(db)),
    summary: (bounds) => bounded(bounds, () => summarize(pg)),
    reindex: (store, bounds) => bounded(bounds, () => requestReindex(pg, store)),
    check: (bounds) => stepwise(bounds, (next) => checkIndexes(pg, next)),
    upkeep: (pace, bounds) => stepwise(bounds, (next) => bringUpToDate(pg, paceWithin(bounds, pace), next)),
    probe: (bounds) => stepwise(bounds, (next) => probeNext(pg, probed, next)),
  };
}
