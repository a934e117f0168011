import { type Done, IdConflict, Overtaken, type Step } from "../../../src/engines/engine.js";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import type { ChunkSelection, Compared, FileChunks, NewChunk, Relabelling } from "../../../src/words/chunk.js";
import { exactJson, parseExactJson } from "../../../src/words/exactJson.js";
import type { Filter } from "../../../src/words/filter.js";
import { newId } from "../../../src/words/ids.js";
import { matches } from "../filterBruteForce.js";

/* The memory engine's data of each store, and how a change affects it. */

export interface Row {
  content: string;
  /** JSON text. */
  metadata: string;
  vector: Float32Array;
  /** Unix microseconds. */
  createdAt: number;
}

export interface Shelf {
  rows: Map<string, Row>;
  hidden: Set<string>;
  /** Changes under way: planned, but their counters have not moved yet. Upkeep leaves such a shelf alone. */
  changes: number;
  /** Resolves when the changes so far have ended. */
  turn: Promise<unknown>;
}

/** Records that a change is under way. */
export function underWay(shelf: Shelf): Shelf {
  shelf.changes += 1;
  return shelf;
}

/**
 * Ends a change that is under way, after those that began before it: counters would stop at 0 if a removal moved them
 * before the chunks that it removed had.
 */
export function inTurn<T>(shelf: Shelf, end: () => Promise<T>): Promise<T> {
  const ended = shelf.turn.then(end).finally(() => {
    shelf.changes -= 1;
  });
  shelf.turn = ended.catch(() => undefined);
  return ended;
}

export const objectOf = (row: Row) => (parseExactJson(row.metadata) ?? {}) as Record<string, unknown>;
export const fileOf = (row: Row) => {
  const file = objectOf(row).file_id;
  return typeof file === "string" ? file : "";
};
export const passes = (row: Row, filter: Filter | null | undefined) =>
  matches(filter == null ? null : { typed: filter }, objectOf(row));

export const sizeOf = (rows: readonly (readonly [string, Row])[]) => ({
  chunks: rows.length,
  bytes: rows.reduce((sum, [, row]) => sum + Buffer.byteLength(row.content), 0),
});

export function isSelected(id: string, row: Row, { filter, ids, file, notOf }: ChunkSelection): boolean {
  const isOf = ({ fileId, chunkBase }: FileChunks) => fileOf(row) === fileId && id.startsWith(`emb_${chunkBase}`);
  return (
    (ids == null || ids.includes(id)) &&
    (file == null || fileOf(row) === file.fileId) &&
    !notOf?.some(isOf) &&
    passes(row, filter)
  );
}

export function compare({ rows }: Shelf, chunks: readonly NewChunk[]): Map<string, Compared> {
  const same = new Map<string, Compared>();
  for (const chunk of chunks) {
    const row = chunk.id === null ? undefined : rows.get(chunk.id);
    if (chunk.id !== null && row !== undefined) same.set(chunk.id, isSame(row, chunk) ? "same" : "other");
  }
  return same;
}

function isSame(row: Row, { content, metadata, embedding, embeddingMade = false }: NewChunk): boolean {
  const compared = embedding === null || embeddingMade ? null : toNetworkOrder(embedding);
  return (
    row.content === content &&
    row.metadata === exactJson(metadata ?? {}) &&
    (compared === null || toNetworkOrder(row.vector).equals(compared))
  );
}

function relabelled(metadata: Record<string, unknown>, { remove, set, within }: Relabelling): Record<string, unknown> {
  const kept = Object.entries(metadata).filter(([key]) => !remove.includes(key));
  const merged = { ...Object.fromEntries(kept), ...set };
  const inner = within === undefined ? null : metadata[within.key];
  if (within === undefined || typeof inner !== "object" || inner === null || Array.isArray(inner)) return merged;
  return { ...merged, [within.key]: relabelled(inner as Record<string, unknown>, within) };
}

export type Taken = Omit<Done, "store"> & { dimensions: number | null };

export function take(shelf: Shelf, steps: readonly Step[], now: number): Taken {
  const done = {
    ...{ ids: [] as string[], added: new Set<string>(), addedBytes: 0, removed: { chunks: 0, bytes: 0 } },
    replaced: new Map<string, number>(),
  };
  let dimensions: number | null = null;
  const remove = (id: string, row: Row) => {
    shelf.rows.delete(id);
    done.removed.chunks += 1;
    done.removed.bytes += Buffer.byteLength(row.content);
  };
  const set = (id: string, row: Row) => {
    const before = shelf.rows.get(id);
    if (before !== undefined) {
      remove(id, before);
      row.createdAt = before.createdAt;
      done.replaced.set(id, Math.floor(before.createdAt / 1000));
    }
    shelf.rows.set(id, row);
    done.added.add(id);
    done.addedBytes += Buffer.byteLength(row.content);
  };
  for (const step of steps) {
    switch (step.do) {
      case "put":
        requireKnown(shelf, step);
        for (const chunk of step.chunks) {
          const id = chunk.id ?? newId("emb_");
          done.ids.push(id);
          const before = shelf.rows.get(id);
          const stays = before !== undefined && (step.onConflict !== "replace" || isSame(before, chunk));
          if (chunk.embedding === null || stays) continue;
          const metadata = exactJson(chunk.metadata ?? {});
          set(id, { content: chunk.content, metadata, vector: chunk.embedding, createdAt: now * 1000 });
          dimensions ??= chunk.embedding.length;
        }
        break;
      case "amend": {
        const row = shelf.rows.get(step.id);
        if (row === undefined) break;
        const metadata = step.metadata === null ? row.metadata : exactJson(step.metadata);
        set(step.id, { ...row, content: step.content ?? row.content, metadata, vector: step.embedding ?? row.vector });
        break;
      }
      case "remove":
        for (const [id, row] of [...shelf.rows].filter((each) => isSelected(...each, step.which)).slice(0, step.most))
          remove(id, row);
        break;
      case "relabel":
        for (const row of shelf.rows.values()) {
          if (fileOf(row) !== step.file.fileId) continue;
          row.metadata = exactJson(relabelled(objectOf(row), step));
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

function requireKnown(shelf: Shelf, { chunks, onConflict }: Extract<Step, { do: "put" }>): void {
  const compared = compare(shelf, chunks);
  const different = [...compared].filter(([, each]) => each === "other").map(([id]) => id);
  if (onConflict === "error" && different.length > 0) throw new IdConflict(different);
  const stale = chunks.filter(({ id, embedding }) => {
    const found = compared.get(id ?? "");
    return embedding === null && (found === undefined || (onConflict === "replace" && found === "other"));
  });
  if (stale.length > 0) throw new Overtaken("a stored chunk was removed or changed");
}
