import { addToCounts } from "../../db/tables/stores.js";
import type { Db } from "../../db/database.js";
import { makeId } from "../../db/schema/ids.js";
import type { NewChunk } from "../../words/chunk.js";
import type { VectorStore } from "../../words/store.js";
import { type Change, type Done, type Drop, EngineError, IdConflict, Overtaken, type Step } from "../engine.js";
import {
  compareChunks,
  deleteAllChunks,
  deleteChunks,
  insertChunks,
  mergeMetadata,
  reserveIds,
} from "./chunkWrites.js";
import type { Pgvector } from "./context.js";
import { insertKeywords } from "./keywords/keywords.js";
import { recordState, stateOf, withState } from "./state.js";

/** One transaction: `hold`, the steps, the counters and `book` take effect together or not at all. */
export function write<Held extends { store: VectorStore }, T>({ db }: Pgvector, change: Change<Held, T>): Promise<T> {
  return db.transaction(async (tx) => {
    const held = await change.hold(tx);
    const steps = await change.steps(tx, held);
    const done = await take(tx, held.store, steps, change);
    return change.book(tx, done, held);
  });
}

export function drop<T>({ db }: Pgvector, { hold, book }: Drop<T>): Promise<T> {
  return db.transaction(async (tx) => {
    const store = await hold(tx);
    await deleteAllChunks(tx, store.id, stateOf(store));
    return book(tx, store);
  });
}

type Counting = Pick<Change<{ store: VectorStore }, unknown>, "as" | "now">;

async function take(tx: Db, held: VectorStore, steps: readonly Step[], { as, now }: Counting): Promise<Done> {
  let store = held;
  const done = { ids: [] as string[], added: new Set<string>(), addedBytes: 0, removed: { chunks: 0, bytes: 0 } };
  let dimensions: number | null = null;
  const remove = (gone: Done["removed"]) => {
    done.removed.chunks += gone.chunks;
    done.removed.bytes += gone.bytes;
  };
  for (const step of steps) {
    switch (step.do) {
      case "put": {
        const put = await putChunks(tx, store, step, now);
        done.ids.push(...put.ids);
        for (const id of put.added) done.added.add(id);
        done.addedBytes += put.bytes;
        remove(put.replaced);
        dimensions ??= put.dimensions;
        break;
      }
      case "remove":
        remove(await deleteChunks(tx, store.id, stateOf(store), step.which));
        break;
      case "relabel":
        await mergeMetadata(tx, store.id, step.file, step);
        break;
      case "hide":
      case "show":
        store = await setHidden(tx, store, step.fileId, step.do === "hide");
        break;
    }
  }
  const chunks = done.added.size - done.removed.chunks;
  if (done.added.size > 0 || done.removed.chunks > 0) {
    const bytes = done.addedBytes - done.removed.bytes;
    store = (await addToCounts(tx, store.id, { chunks, bytes, dimensions }, { as, now })) ?? storeGone(store.id);
  }
  // Only now, with the store's row locked, is it certain whether the fill of its keywords will see these chunks.
  const { keywordsLanguage } = stateOf(store);
  if (keywordsLanguage !== null && done.added.size > 0)
    await insertKeywords(tx, store.id, keywordsLanguage, [...done.added]);
  return { ...done, store };
}

export function storeGone(id: string): never {
  throw new EngineError("gone", 404, `The vector store '${id}' was deleted or has expired.`, { code: "not_found" });
}

async function setHidden(tx: Db, store: VectorStore, fileId: string, hidden: boolean): Promise<VectorStore> {
  const { hiddenFiles } = stateOf(store);
  if (hiddenFiles.includes(fileId) === hidden) return store;
  const changes = { hiddenFiles: hidden ? [...hiddenFiles, fileId] : hiddenFiles.filter((each) => each !== fileId) };
  await recordState(tx, store.id, changes);
  return withState(store, changes);
}

type Put = Extract<Step, { do: "put" }>;

async function putChunks(tx: Db, store: VectorStore, { chunks, onConflict }: Put, now: number) {
  const named = await withIds(tx, chunks);
  const ids = named.map((chunk) => chunk.id);
  // Insert in the order of ids, so that two changes that share ids cannot deadlock.
  const ordered = chunks.some((chunk) => chunk.id !== null) ? named.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : named;
  const replaced =
    onConflict === "replace" ? await deleteChunks(tx, store.id, stateOf(store), { ids }) : { chunks: 0, bytes: 0 };
  const added = await insertChunks(
    tx,
    store.id,
    ordered.filter((chunk) => chunk.embedding !== null),
    now,
  );
  if (onConflict !== "skip") await requireSame(tx, store.id, ordered, added, chunks);
  const bytes = named.reduce((sum, { id, content }) => sum + (added.has(id) ? Buffer.byteLength(content) : 0), 0);
  const dimensions = named.find((chunk) => added.has(chunk.id))?.embedding?.length ?? null;
  return { ids, added, bytes, replaced, dimensions };
}

async function withIds(tx: Db, chunks: readonly NewChunk[]): Promise<(NewChunk & { id: string })[]> {
  const unnamed = chunks.filter((chunk) => chunk.id === null).length;
  const reserved = unnamed > 0 ? await reserveIds(tx, unnamed) : null;
  const { idType } = tx.layout.embeddings;
  return chunks.map((chunk) => ({ ...chunk, id: chunk.id ?? reserved?.shift() ?? makeId(idType, "emb_") }));
}

/** Chunks that were not added must already be stored exactly as given. @throws IdConflict, Overtaken */
async function requireSame(
  tx: Db,
  storeId: string,
  named: readonly (NewChunk & { id: string })[],
  added: ReadonlySet<string>,
  given: readonly NewChunk[],
): Promise<void> {
  const chosen = new Set(given.flatMap((chunk) => chunk.id ?? []));
  const present = named.filter((chunk) => !added.has(chunk.id));
  if (present.some((chunk) => !chosen.has(chunk.id))) throw new Overtaken("a new id was taken");
  if (present.length === 0) return;
  const found = await compareChunks(tx, storeId, present.map(asCompared));
  const different = [...found].filter(([, same]) => !same).map(([id]) => id);
  if (different.length > 0) throw new IdConflict(different);
  if (found.size < present.length) throw new Overtaken("a stored chunk was removed");
}

/** Only an embedding that the client sent is compared. */
export const asCompared = <T extends NewChunk>(chunk: T): T => ({
  ...chunk,
  embedding: chunk.embeddingMade === true ? null : chunk.embedding,
});
