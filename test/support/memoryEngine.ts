import { addToCounts, findStore } from "../../src/db/tables/stores.js";
import type { Database } from "../../src/db/database.js";
import {
  type Change,
  type Done,
  type Engine,
  EngineError,
  IdConflict,
  Overtaken,
  type Records,
  type Step,
} from "../../src/engines/engine.js";
import { fromNetworkOrder, normalized, toNetworkOrder } from "../../src/numbers/float32.js";
import type { ChunkSelection, FoundChunk, NewChunk } from "../../src/words/chunk.js";
import type { Filter } from "../../src/words/filter.js";
import { newId } from "../../src/words/ids.js";
import { digestOf } from "../../src/words/rows.js";
import type { VectorStore } from "../../src/words/store.js";
import { matches } from "./filterBruteForce.js";
import { derivedId } from "../../src/db/schema/ids.js";

/**
 * An engine in memory, exact and small: the second implementation of the contract. It lives apart from the database, as a remote engine
 * does, and so shares no transaction with it: chunks first, then counters, and `upkeep` repairs what a crash between the two left.
 */

interface Row {
  content: string;
  /** JSON text. */
  metadata: string;
  vector: Float32Array;
  /** Unix microseconds. */
  createdAt: number;
}

interface Shelf {
  rows: Map<string, Row>;
  hidden: Set<string>;
}

export interface MemoryParts {
  db: Database;
  now: () => number;
  /** Filter operators that it claims not to know. */
  without?: readonly Filter["type"][];
  keywords?: boolean;
}

const operators: readonly Filter["type"][] = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or"];

export function createMemoryEngine({ db, now, without = [], keywords = true }: MemoryParts): Engine {
  const shelves = new Map<string, Shelf>();
  const shelfOf = (storeId: string): Shelf => {
    const shelf = shelves.get(storeId) ?? { rows: new Map<string, Row>(), hidden: new Set<string>() };
    shelves.set(storeId, shelf);
    return shelf;
  };
  const visible = (storeId: string) => {
    const { rows, hidden } = shelfOf(storeId);
    return [...rows].filter(([, row]) => !hidden.has(fileOf(row)));
  };

  async function write<Held extends { store: VectorStore }, T>(change: Change<Held, T>): Promise<T> {
    const { held, steps } = await db.transaction(async (tx) => {
      const locked = await change.hold(tx);
      return { held: locked, steps: await change.steps(tx, locked) };
    });
    const taken = take(shelfOf(held.store.id), steps, change.now);
    return db.transaction(async (tx) => {
      const again = await change.hold(tx);
      const chunks = taken.added.size - taken.removed.chunks;
      const bytes = taken.addedBytes - taken.removed.bytes;
      const counted = await addToCounts(tx, held.store.id, { chunks, bytes, dimensions: taken.dimensions }, change);
      if (counted === undefined) throw gone(held.store.id);
      return change.book(tx, { ...taken, store: counted }, again);
    });
  }

  return {
    name: "memory",
    can: {
      shareTransaction: false,
      operators: new Set(operators.filter((each) => !without.includes(each))),
      fixedDimensions: null,
    },
    ids: {
      type: "text",
      read: (id) => (id.includes("\0") ? null : id),
      ofFile: (chunkBase, number) => `emb_${chunkBase}${number.toString(16).padStart(8, "0")}`,
      derived: (parts) => derivedId("text", "emb_", parts),
    },
    words: keywords
      ? {
          languages: ["simple"],
          problemWith: (language) => Promise.resolve(language === "simple" ? null : "there is only 'simple'"),
          matching: (store, { text, filter, limit }, bounds) =>
            inBounds(bounds, () => matching(store.id, visible(store.id), text, filter).slice(0, limit)),
        }
      : null,
    records: createRecords(db, shelves, shelfOf),
    prepare: (store) => Promise.resolve(store),
    drop: async ({ hold, book }) => {
      const [id, result] = await db.transaction(async (tx) => {
        const store = await hold(tx);
        return [store.id, await book(tx, store)] as const;
      });
      shelves.delete(id);
      return result;
    },
    write: (change, bounds) => inBounds(bounds, () => write(change)),
    compare: (store, chunks, bounds) => inBounds(bounds, () => compare(shelfOf(store.id), chunks)),
    nearest: (store, { embedding, filter, limit }, bounds) =>
      inBounds(bounds, () => nearest(store.id, visible(store.id), embedding, filter).slice(0, limit)),
    read: (store, ids, { embeddings }, bounds) =>
      inBounds(bounds, () =>
        [...shelfOf(store.id).rows].filter(([id]) => ids.includes(id)).map(([id, row]) => chunkOf(id, row, embeddings)),
      ),
    page: (store, selection, { limit, order, after, before, embeddings }, bounds) =>
      inBounds(bounds, () => {
        const backwards = before !== null && after === null;
        const all = visible(store.id)
          .filter(([id, row]) => isSelected(id, row, selection))
          .sort(([a], [b]) => (a < b === (order === "asc") ? -1 : 1))
          .filter(([id]) => after === null || (order === "asc" ? id > after : id < after))
          .filter(([id]) => before === null || (order === "asc" ? id < before : id > before));
        const chosen = backwards ? all.slice(-limit) : all.slice(0, limit);
        return { chunks: chosen.map(([id, row]) => chunkOf(id, row, embeddings)), hasMore: all.length > limit };
      }),
    places: (store, places, bounds) =>
      inBounds(bounds, () =>
        places.flatMap((place) =>
          visible(store.id)
            .map(([, row]) => ({ row, metadata: JSON.parse(row.metadata) as Record<string, unknown> }))
            .filter(({ metadata }) => metadata[place.key] === place.document && metadata.chunk_index === place.index)
            .map(({ row }) => ({ ...place, content: row.content })),
        ),
      ),
    count: (store, filter, bounds) =>
      inBounds(bounds, () => sizeOf([...shelfOf(store.id).rows].filter(([, row]) => passes(row, filter)))),
    state: () => ({ index: "none", keywords: keywords ? "ready" : "off" }),
    indexed: () => Promise.resolve(null),
    summary: () =>
      Promise.resolve({
        stores: { none: shelves.size, waiting: 0, building: 0, ready: 0 },
        keywordsBuilding: 0,
        builds: [],
      }),
    reindex: (store) => Promise.resolve(store),
    check: () => Promise.resolve(),
    upkeep: async () => {
      let repaired = 0;
      for (const id of shelves.keys()) if (await repairCounters(id)) repaired += 1;
      return repaired;
    },
  };

  /** After a crash between a put and its counters. */
  async function repairCounters(id: string): Promise<boolean> {
    const store = await findStore(db, { kind: "all" }, id);
    if (store === undefined) return shelves.delete(id);
    const { chunks, bytes } = sizeOf([...shelfOf(id).rows]);
    const change = { chunks: chunks - store.chunkCount, bytes: bytes - store.contentBytes, dimensions: null };
    if (change.chunks === 0 && change.bytes === 0) return false;
    await addToCounts(db, id, change, { as: "correction", now: now() });
    return true;
  }
}

async function inBounds<T>(
  { signal, deadline }: { signal?: AbortSignal | undefined; deadline?: number | undefined } = {},
  work: () => T | Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (deadline !== undefined && deadline <= performance.now())
    throw new EngineError("away", 503, "The engine did not answer in time.");
  return work();
}

const gone = (id: string) => new EngineError("gone", 404, `The vector store '${id}' was deleted or has expired.`);

const objectOf = (row: Row) => (JSON.parse(row.metadata) ?? {}) as Record<string, unknown>;
const fileOf = (row: Row) => {
  const file = objectOf(row).file_id;
  return typeof file === "string" ? file : "";
};
const passes = (row: Row, filter: Filter | null | undefined) =>
  matches(filter == null ? null : { typed: filter }, objectOf(row));

const sizeOf = (rows: readonly (readonly [string, Row])[]) => ({
  chunks: rows.length,
  bytes: rows.reduce((sum, [, row]) => sum + Buffer.byteLength(row.content), 0),
});

function isSelected(id: string, row: Row, { filter, ids, file }: ChunkSelection): boolean {
  return (ids == null || ids.includes(id)) && (file == null || fileOf(row) === file.fileId) && passes(row, filter);
}

const chunkOf = (id: string, row: Row, embeddings: boolean) => ({
  id,
  content: row.content,
  metadata: JSON.parse(row.metadata) as unknown,
  createdAt: Math.floor(row.createdAt / 1000),
  embedding: embeddings ? row.vector : null,
});

function found(storeId: string, scored: { id: string; row: Row; score: number }[]): (FoundChunk & { place: number })[] {
  return scored
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .map(({ id, row, score }, i) => {
      const { content } = row;
      return {
        id,
        storeId,
        content,
        metadata: objectOf(row),
        score,
        vectorRank: null,
        keywordRank: null,
        place: i + 1,
      };
    });
}

function nearest(
  storeId: string,
  rows: readonly [string, Row][],
  embedding: Float32Array,
  filter: Filter | null,
): FoundChunk[] {
  const unit = normalized(embedding);
  const scored = rows
    .filter(([, row]) => passes(row, filter))
    .map(([id, row]) => {
      const cosine = normalized(row.vector).reduce((sum, each, i) => sum + each * (unit[i] ?? 0), 0);
      return { id, row, score: Math.min(1, Math.max(0, (1 + cosine) / 2)) };
    });
  return found(storeId, scored).map(({ place, ...chunk }) => ({ ...chunk, vectorRank: place }));
}

function matching(storeId: string, rows: readonly [string, Row][], text: string, filter: Filter | null): FoundChunk[] {
  const wordsOf = (given: string) => new Set(given.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  const asked = wordsOf(text);
  const scored = rows
    .filter(([, row]) => passes(row, filter))
    .map(([id, row]) => {
      const has = wordsOf(row.content);
      return { id, row, score: [...asked].filter((word) => has.has(word)).length / Math.max(1, asked.size) };
    })
    .filter(({ score }) => score > 0);
  return found(storeId, scored).map(({ place, ...chunk }) => ({ ...chunk, keywordRank: place }));
}

function compare({ rows }: Shelf, chunks: readonly NewChunk[]): Map<string, boolean> {
  const same = new Map<string, boolean>();
  for (const chunk of chunks) {
    const row = chunk.id === null ? undefined : rows.get(chunk.id);
    if (chunk.id !== null && row !== undefined) same.set(chunk.id, isSame(row, chunk));
  }
  return same;
}

function isSame(row: Row, { content, metadata, embedding, embeddingMade = false }: NewChunk): boolean {
  const compared = embedding === null || embeddingMade ? null : toNetworkOrder(embedding);
  return (
    row.content === content &&
    row.metadata === JSON.stringify(metadata ?? {}) &&
    (compared === null || toNetworkOrder(row.vector).equals(compared))
  );
}

type Taken = Omit<Done, "store"> & { dimensions: number | null };

function take(shelf: Shelf, steps: readonly Step[], now: number): Taken {
  const done = { ids: [] as string[], added: new Set<string>(), addedBytes: 0, removed: { chunks: 0, bytes: 0 } };
  let dimensions: number | null = null;
  const remove = (id: string, row: Row) => {
    shelf.rows.delete(id);
    done.removed.chunks += 1;
    done.removed.bytes += Buffer.byteLength(row.content);
  };
  for (const step of steps) {
    switch (step.do) {
      case "put":
        if (step.onConflict === "error") requireSame(shelf, step.chunks);
        for (const chunk of step.chunks) {
          const id = chunk.id ?? newId("emb_");
          done.ids.push(id);
          const before = shelf.rows.get(id);
          if (chunk.embedding === null || (before !== undefined && step.onConflict !== "replace")) continue;
          if (before !== undefined) remove(id, before);
          const metadata = JSON.stringify(chunk.metadata ?? {});
          shelf.rows.set(id, { content: chunk.content, metadata, vector: chunk.embedding, createdAt: now * 1000 });
          done.added.add(id);
          done.addedBytes += Buffer.byteLength(chunk.content);
          dimensions ??= chunk.embedding.length;
        }
        break;
      case "remove":
        for (const [id, row] of [...shelf.rows]) if (isSelected(id, row, step.which)) remove(id, row);
        break;
      case "relabel":
        for (const row of shelf.rows.values()) {
          if (fileOf(row) !== step.file.fileId) continue;
          const kept = Object.entries(objectOf(row)).filter(([key]) => !step.remove.includes(key));
          row.metadata = JSON.stringify({ ...Object.fromEntries(kept), ...step.set });
        }
        break;
      case "hide":
        shelf.hidden.add(step.fileId);
        break;
      case "show":
        shelf.hidden.delete(step.fileId);
        break;
    }
  }
  return { ...done, dimensions };
}

function requireSame(shelf: Shelf, chunks: readonly NewChunk[]): void {
  const same = compare(shelf, chunks);
  const different = [...same].filter(([, each]) => !each).map(([id]) => id);
  if (different.length > 0) throw new IdConflict(different);
  if (chunks.some((chunk) => chunk.embedding === null && !same.has(chunk.id ?? "")))
    throw new Overtaken("a stored chunk was removed");
}

function createRecords(db: Database, shelves: Map<string, Shelf>, shelfOf: (id: string) => Shelf): Records {
  const rowOf = (id: string) => {
    for (const [storeId, { rows }] of shelves) {
      const row = rows.get(id);
      if (row !== undefined) return { storeId, row };
    }
    return undefined;
  };
  const markOf = (id: string) => {
    const stored = rowOf(id);
    if (stored === undefined) return undefined;
    const { content, metadata, vector } = stored.row;
    return { storeId: stored.storeId, digest: digestOf({ id, content, metadata, vector: toNetworkOrder(vector) }) };
  };
  const marks: Records["marks"] = (chunks) => {
    const entries = chunks.map(({ id }) => [id, markOf(id)] as const);
    return Promise.resolve(new Map(entries.flatMap(([id, mark]) => (mark === undefined ? [] : [[id, mark]]))));
  };
  return {
    canonicalJson: (texts) => Promise.resolve(texts.map((text) => JSON.stringify(JSON.parse(text)))),
    marks,
    vectors: (chunks) =>
      Promise.resolve(
        new Map(
          chunks.flatMap(({ id, storeId, content, metadata }) => {
            const stored = rowOf(id);
            if (stored === undefined) return [];
            const { row } = stored;
            const same = stored.storeId === storeId && row.content === content && row.metadata === metadata;
            return [[id, same ? toNetworkOrder(row.vector) : null]];
          }),
        ),
      ),
    add: async (chunks, { readBack, now }) => {
      if (chunks.some(({ id }) => rowOf(id) !== undefined)) throw new Overtaken("one of the ids exists by now");
      const undo = () => {
        for (const { id, storeId } of chunks) shelfOf(storeId).rows.delete(id);
      };
      for (const { id, storeId, content, metadata, vector, createdAt } of chunks)
        shelfOf(storeId).rows.set(id, { content, metadata, vector: fromNetworkOrder(vector), createdAt });
      try {
        if (readBack !== null) readBack(await marks(chunks));
        await db.transaction(async (tx) => {
          for (const id of [...new Set(chunks.map((chunk) => chunk.storeId))].sort()) {
            const own = chunks.filter((chunk) => chunk.storeId === id);
            const bytes = own.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
            const change = { chunks: own.length, bytes, dimensions: (own[0]?.vector.length ?? 0) / 4 };
            if ((await addToCounts(tx, id, change, { as: "use", now })) === undefined) throw gone(id);
          }
        });
      } catch (error) {
        undo();
        throw error;
      }
    },
    page: (store, { after, limit, filter, vectors, without }) => {
      const { rows, hidden } = shelfOf(store.id);
      const all = [...rows]
        .filter(([id, row]) => (after === null || id > after) && passes(row, filter))
        .filter(([, row]) => !hidden.has(fileOf(row)) && !without.has(fileOf(row)))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const chunks = all.slice(0, limit).map(([id, { content, metadata, vector, createdAt }]) => {
        return { id, storeId: store.id, content, metadata, vector: vectors ? toNetworkOrder(vector) : null, createdAt };
      });
      return Promise.resolve({ chunks, hasMore: all.length > limit, hidden: [...hidden] });
    },
  };
}
