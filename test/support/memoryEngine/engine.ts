import { requireOpen } from "../../../src/engines/bounds.js";
import type { Database } from "../../../src/db/database.js";
import { derivedId } from "../../../src/db/schema/ids.js";
import { addToCounts, findStore, lockStore } from "../../../src/db/tables/stores.js";
import { type Change, type Engine, EngineError, type FailureKind, type Words } from "../../../src/engines/engine.js";
import { parseExactJson } from "../../../src/words/exactJson.js";
import { type Filter, filterTypes } from "../../../src/words/filter.js";
import type { VectorStore } from "../../../src/words/store.js";
import { matching, nearest } from "./finding.js";
import { createRecords, gone } from "./records.js";
import { orFailing, within } from "./within.js";
import { type Row, type Shelf, compare, fileOf, inTurn, isSelected, passes, sizeOf, take, underWay } from "./shelf.js";

/**
 * A small, exact engine in memory: the second implementation of the contract. Like a remote engine, it shares no
 * transaction with the database: it writes chunks first, then counters, and `upkeep` repairs counters after a crash
 * between the two. Its chunks live and die with the process, and no other process repairs its counters; so it records a
 * change under way in memory too, where an engine elsewhere needs a lease in the database.
 */

export interface MemoryParts {
  db: Database;
  now: () => number;
  /** Filter operators that it refuses. */
  without?: readonly Filter["type"][];
  keywords?: boolean;
  maxDimensions?: number;
  /** How its calls fail at the moment; null: they work. */
  failing?: () => FailureKind | null;
}

export function createMemoryEngine(parts: MemoryParts): Engine {
  const { failing = () => null } = parts;
  const engine = engineOf(parts);
  const { words, records } = engine;
  return {
    ...orFailing(engine, failing),
    words: words && orFailing(words, failing),
    records: orFailing(records, failing),
  };
}

function engineOf({ db, now, without = [], keywords = true, maxDimensions = 4096 }: MemoryParts): Engine {
  const shelves: Shelves = new Map();
  return {
    name: "memory",
    can: {
      shareTransaction: false,
      operators: new Set(filterTypes.filter((each) => !without.includes(each))),
      fixedDimensions: null,
      maxDimensions,
      lengths: { min: 1e-100, max: 1e100 },
    },
    ids: {
      type: "text",
      perStore: true,
      read: (id) => (id.includes("\0") ? null : id),
      ofFile: (chunkBase, number) => `emb_${chunkBase}${number.toString(16).padStart(8, "0")}`,
      derived: (parts) => derivedId("text", "emb_", parts),
    },
    words: keywords ? wordsOf(shelves) : null,
    records: createRecords(db, (id) => shelfOf(shelves, id)),
    prepare: (store, _language, bounds) => within(bounds, () => store),
    drop: ({ hold, book }, bounds) =>
      within(bounds, async () => {
        const [id, result] = await db.transaction(async (tx) => {
          const store = await hold(tx);
          return [store.id, await book(tx, store)] as const;
        });
        shelves.delete(id);
        return result;
      }),
    write: (change, bounds) => within(bounds, () => write(db, shelves, change)),
    ...reading(shelves),
    ...indexing(shelves),
    upkeep: async (_pace, bounds) => {
      let repaired = 0;
      requireOpen(bounds ?? {});
      for (const [id, shelf] of shelves) {
        requireOpen(bounds ?? {});
        if (await repairCounters(db, { id, shelf, now: now() })) repaired += 1;
        if ((await findStore(db, { kind: "all" }, id)) === undefined) shelves.delete(id);
      }
      return repaired;
    },
  };
}

type Shelves = Map<string, Shelf>;

function shelfOf(shelves: Shelves, storeId: string): Shelf {
  const shelf = shelves.get(storeId) ?? newShelf();
  shelves.set(storeId, shelf);
  return shelf;
}

const newShelf = (): Shelf => ({ rows: new Map(), hidden: new Set(), changes: 0, turn: Promise.resolve() });

function visible(shelves: Shelves, storeId: string): [string, Row][] {
  const { rows, hidden } = shelfOf(shelves, storeId);
  return [...rows].filter(([, row]) => !hidden.has(fileOf(row)));
}

/** Writes chunks first, then the counters and the change's other records. */
async function write<Held extends { store: VectorStore }, T>(
  db: Database,
  shelves: Shelves,
  change: Change<Held, T>,
): Promise<T> {
  const { held, steps, shelf } = await db.transaction(async (tx) => {
    const locked = await change.hold(tx);
    const planned = await change.steps(tx, locked);
    return { held: locked, steps: planned, shelf: underWay(shelfOf(shelves, locked.store.id)) };
  });
  return inTurn(shelf, async () => {
    const taken = take(shelf, steps, change.now);
    return db.transaction(async (tx) => {
      const again = await change.hold(tx);
      const chunks = taken.added.size - taken.removed.chunks;
      const bytes = taken.addedBytes - taken.removed.bytes;
      const moved = { chunks, bytes, dimensions: taken.dimensions, written: taken.added.size > 0 };
      const counted = await addToCounts(tx, held.store.id, moved, change);
      if (counted === undefined) throw gone(held.store.id);
      return change.book(tx, { ...taken, store: counted }, again);
    });
  });
}

/** Repairs counters after a crash between a put and its counters. @returns whether they were wrong */
const repairCounters = (
  db: Database,
  { id, shelf, now }: { id: string; shelf: Shelf; now: number },
): Promise<boolean> =>
  db.transaction(async (tx) => {
    const store = await lockStore(tx, { kind: "all" }, id);
    // A change under way will move the counters itself. While the store is locked, none can book.
    if (store === undefined || shelf.changes > 0) return false;
    const { chunks, bytes } = sizeOf([...shelf.rows]);
    const change = { chunks: chunks - store.chunkCount, bytes: bytes - store.contentBytes, dimensions: null };
    if (change.chunks === 0 && change.bytes === 0) return false;
    await addToCounts(tx, id, change, { as: "correction", now });
    return true;
  });

const wordsOf = (shelves: Shelves): Words => ({
  languages: ["plain"],
  usualLanguage: "plain",
  problemWith: (language, bounds) => within(bounds, () => (language === "plain" ? null : "there is only 'plain'")),
  matching: (store, { text, language, filter, limit }, bounds) =>
    within(bounds, () => {
      if (language !== "plain") throw new EngineError("refused", 400, `The language '${language}' is unknown.`);
      return matching(store.id, visible(shelves, store.id), text, filter).slice(0, limit);
    }),
});

const reading = (shelves: Shelves): Pick<Engine, "compare" | "nearest" | "read" | "page" | "places" | "count"> => ({
  compare: (store, chunks, bounds) => within(bounds, () => compare(shelfOf(shelves, store.id), chunks)),
  nearest: (store, { embedding, filter, limit }, bounds) =>
    within(bounds, () => nearest(store.id, visible(shelves, store.id), embedding, filter).slice(0, limit)),
  read: (store, ids, { embeddings }, bounds) =>
    within(bounds, () => {
      const rows = [...shelfOf(shelves, store.id).rows].filter(([id]) => ids.includes(id));
      return rows.map(([id, row]) => chunkOf(id, row, embeddings));
    }),
  page: (store, selection, { limit, order, after, before, embeddings }, bounds) =>
    within(bounds, () => {
      const backwards = before !== null && after === null;
      const all = visible(shelves, store.id)
        .filter(([id, row]) => isSelected(id, row, selection))
        .sort(([a], [b]) => (a < b === (order === "asc") ? -1 : 1))
        .filter(([id]) => after === null || (order === "asc" ? id > after : id < after))
        .filter(([id]) => before === null || (order === "asc" ? id < before : id > before));
      const chosen = backwards ? all.slice(-limit) : all.slice(0, limit);
      return { chunks: chosen.map(([id, row]) => chunkOf(id, row, embeddings)), hasMore: all.length > limit };
    }),
  places: (store, places, bounds) =>
    within(bounds, () =>
      places.flatMap((place) =>
        visible(shelves, store.id)
          .map(([, row]) => ({ row, metadata: parseExactJson(row.metadata) as Record<string, unknown> }))
          .filter(({ metadata }) => metadata[place.key] === place.document && metadata.chunk_index === place.index)
          .map(({ row }) => ({ ...place, content: row.content })),
      ),
    ),
  count: (store, filter, bounds) =>
    within(bounds, () => sizeOf([...shelfOf(shelves, store.id).rows].filter(([, row]) => passes(row, filter)))),
});

/** Without an index: every search compares every row. */
const indexing = (
  shelves: Shelves,
): Pick<Engine, "state" | "indexed" | "versions" | "summary" | "reindex" | "check" | "probe"> => ({
  state: () => ({ index: "none", keywords: "ready" }),
  indexed: (_store, bounds) => within(bounds, () => null),
  versions: (bounds) => within(bounds, () => ({ memory: "1" })),
  summary: (bounds) =>
    within(bounds, () => {
      const stores = { none: shelves.size, waiting: 0, building: 0, ready: 0 };
      return { stores, keywordsBuilding: 0, builds: [] };
    }),
  reindex: (store, bounds) => within(bounds, () => store),
  check: (bounds) => within(bounds, () => undefined),
  probe: (bounds) => within(bounds, () => undefined),
});

const chunkOf = (id: string, row: Row, embeddings: boolean) => ({
  id,
  content: row.content,
  metadata: parseExactJson(row.metadata),
  createdAt: Math.floor(row.createdAt / 1000),
  embedding: embeddings ? row.vector : null,
});
