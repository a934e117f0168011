import type { Database } from "../../../src/db/database.js";
import { addToCounts } from "../../../src/db/tables/stores.js";
import { type AddOptions, EngineError, Overtaken, type Records } from "../../../src/engines/engine.js";
import { fromNetworkOrder, toNetworkOrder } from "../../../src/numbers/float32.js";
import { keyOfChunk } from "../../../src/words/chunk.js";
import { exactJson, parseExactJson } from "../../../src/words/exactJson.js";
import { type StoredChunk, digestOf } from "../../../src/words/rows.js";
import { type Row, type Shelf, fileOf, passes, underWay } from "./shelf.js";
import { within } from "./within.js";

type Named = Pick<StoredChunk, "id" | "storeId">;

export const gone = (id: string) =>
  new EngineError("gone", 404, `The vector store '${id}' was deleted or has expired.`);

function moveCounters(db: Database, into: readonly string[], chunks: readonly StoredChunk[], now: number) {
  return db.transaction(async (tx) => {
    for (const id of into) {
      const own = chunks.filter((chunk) => chunk.storeId === id);
      const bytes = own.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
      const change = { chunks: own.length, bytes, dimensions: (own[0]?.vector.length ?? 0) / 4 };
      if ((await addToCounts(tx, id, change, { as: "use", now })) === undefined) throw gone(id);
    }
  });
}

export function createRecords(db: Database, shelfOf: (id: string) => Shelf): Records {
  const rowOf = ({ storeId, id }: Named) => shelfOf(storeId).rows.get(id);
  const byKey = <Chunk extends Named, T>(chunks: readonly Chunk[], valueOf: (chunk: Chunk, row: Row) => T) => {
    const found = new Map<string, T>();
    for (const chunk of chunks) {
      const row = rowOf(chunk);
      if (row !== undefined) found.set(keyOfChunk(chunk), valueOf(chunk, row));
    }
    return found;
  };
  const marksOf = (chunks: readonly Named[]) =>
    byKey(chunks, ({ id, storeId }, { content, metadata, vector }) => ({
      storeId,
      digest: digestOf({ id, content, metadata, vector: toNetworkOrder(vector) }),
    }));
  const add = async (chunks: readonly StoredChunk[], { readBack, now }: AddOptions) => {
    if (chunks.some((chunk) => rowOf(chunk) !== undefined)) throw new Overtaken("one of the ids exists by now");
    const into = [...new Set(chunks.map((chunk) => chunk.storeId))].sort();
    const changed = into.map((id) => underWay(shelfOf(id)));
    const undo = () => {
      for (const { id, storeId } of chunks) shelfOf(storeId).rows.delete(id);
    };
    for (const { id, storeId, content, metadata, vector, createdAt } of chunks)
      shelfOf(storeId).rows.set(id, { content, metadata, vector: fromNetworkOrder(vector), createdAt });
    try {
      if (readBack !== null) readBack(marksOf(chunks));
      await moveCounters(db, into, chunks, now);
    } catch (error) {
      undo();
      throw error;
    } finally {
      for (const shelf of changed) shelf.changes -= 1;
    }
  };
  return {
    keeper: "the memory engine",
    mayAlter: "A bug of the memory engine may have changed it.",
    canonicalJson: (texts, bounds) => within(bounds, () => texts.map((text) => exactJson(parseExactJson(text)))),
    marks: (chunks, bounds) => within(bounds, () => marksOf(chunks)),
    vectors: (chunks, bounds) =>
      within(bounds, () =>
        byKey(chunks, ({ content, metadata }, row) =>
          row.content === content && row.metadata === metadata ? toNetworkOrder(row.vector) : null,
        ),
      ),
    add: (chunks, options, bounds) => within(bounds, () => add(chunks, options)),
    page: (store, { after, limit, filter, vectors, without }, bounds) =>
      within(bounds, () => {
        const { rows, hidden } = shelfOf(store.id);
        const all = [...rows]
          .filter(([id, row]) => (after === null || id > after) && passes(row, filter))
          .filter(([, row]) => !hidden.has(fileOf(row)) && !without.has(fileOf(row)))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        const chunks = all.slice(0, limit).map(([id, { content, metadata, vector, createdAt }]) => {
          return {
            id,
            storeId: store.id,
            content,
            metadata,
            vector: vectors ? toNetworkOrder(vector) : null,
            createdAt,
          };
        });
        return { chunks, hasMore: all.length > limit, hidden: [...hidden] };
      }),
  };
}
