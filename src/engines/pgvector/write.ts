import { addToCounts, holdStore } from "../../db/tables/stores.js";
import type { Db } from "../../db/database.js";
import { makeId } from "../../db/schema/ids.js";
import type { Amendment, Compared, NewChunk, OnConflict } from "../../words/chunk.js";
import type { VectorStore } from "../../words/store.js";
import {
  type Change,
  type Done,
  type Drop,
  EngineError,
  IdConflict,
  IdElsewhere,
  Overtaken,
  type Step,
} from "../engine.js";
import {
  compareChunks,
  deleteAllChunks,
  deleteChunks,
  insertChunks,
  mergeMetadata,
  reserveIds,
} from "./chunkWrites.js";
import { updateChunks } from "./chunkUpdates.js";
import type { Pgvector } from "./context.js";
import { insertKeywords } from "./keywords/keywords.js";
import { recordState, stateOf, withState } from "./state.js";
import { hasSharedTurn, takeTurnAlone } from "./turns.js";

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

/** What the steps have done so far. */
interface Progress {
  ids: string[];
  added: Set<string>;
  addedBytes: number;
  removed: { chunks: number; bytes: number };
  replaced: Map<string, number>;
  dimensions: number | null;
}

async function take(tx: Db, held: VectorStore, steps: readonly Step[], { as, now }: Counting): Promise<Done> {
  let store = held;
  const done: Progress = {
    ...{ ids: [], added: new Set(), addedBytes: 0, removed: { chunks: 0, bytes: 0 } },
    ...{ replaced: new Map(), dimensions: null },
  };
  for (const step of steps) {
    switch (step.do) {
      case "put":
        await putChunks(tx, store, step, now, done);
        break;
      case "amend":
        await update(tx, await heldNow(tx, store), [step], done);
        break;
      case "remove": {
        const gone = await deleteChunks(tx, store.id, stateOf(store), step.which, step.most);
        done.removed.chunks += gone.chunks;
        done.removed.bytes += gone.bytes;
        break;
      }
      case "relabel":
        await mergeMetadata(tx, store.id, step.file, step);
        break;
      case "hide":
      case "show":
        store = await setHidden(tx, store, step.fileId, step.do === "hide");
        break;
    }
  }
  const { added, addedBytes, removed, dimensions } = done;
  const chunks = added.size - removed.chunks;
  if (added.size > 0 || removed.chunks > 0) {
    const change = { chunks, bytes: addedBytes - removed.bytes, dimensions, written: added.size > 0 };
    store = (await addToCounts(tx, store.id, change, { as, now })) ?? storeGone(store.id);
  }
  // Only now, with the store's row locked, is it certain whether the fill of its keywords will see these chunks.
  const { keywordsLanguage } = stateOf(store);
  if (keywordsLanguage !== null && added.size > 0) await insertKeywords(tx, store.id, keywordsLanguage, [...added]);
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

/** The store as it is, with its row locked. */
const heldNow = async (tx: Db, { id }: VectorStore): Promise<VectorStore> => (await holdStore(tx, id)) ?? storeGone(id);

/** Changes stored chunks and counts them as removed and added again. */
async function update(
  tx: Db,
  store: VectorStore,
  chunks: readonly (Amendment & { id: string })[],
  done: Progress,
): Promise<void> {
  for (const { id, before, after, createdAt } of await updateChunks(tx, store.id, stateOf(store), chunks)) {
    done.added.add(id);
    done.addedBytes += after;
    done.removed.chunks += 1;
    done.removed.bytes += before;
    done.replaced.set(id, createdAt);
  }
}

type Put = Extract<Step, { do: "put" }>;
type Named = NewChunk & { id: string };

async function putChunks(tx: Db, store: VectorStore, put: Put, now: number, done: Progress) {
  const { chunks, onConflict, turn } = put;
  if (turn === "alone") {
    await takeTurnAlone(tx, store.id);
    await heldNow(tx, store);
  }
  const named = await withIds(tx, store.id, chunks);
  done.ids.push(...named.map((chunk) => chunk.id));
  // Insert in the order of ids, so that two changes that share ids cannot deadlock.
  const hasChosen = chunks.some((chunk) => chunk.id !== null);
  const ordered = hasChosen ? named.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : named;
  const added = await insertChunks(
    tx,
    store.id,
    ordered.filter((chunk) => chunk.embedding !== null),
    now,
    turn === "shared" && (hasChosen || tx.layout.embeddings.idSequence !== null)
      ? hasSharedTurn(tx, store.id)
      : undefined,
  );
  for (const chunk of named) {
    if (!added.has(chunk.id)) continue;
    done.added.add(chunk.id);
    done.addedBytes += Buffer.byteLength(chunk.content);
    done.dimensions ??= chunk.embedding?.length ?? null;
  }
  const present = ordered.filter((chunk) => !added.has(chunk.id));
  if (present.length === 0) return;
  const chosen = new Set(chunks.flatMap((chunk) => chunk.id ?? []));
  if (present.some((chunk) => !chosen.has(chunk.id))) throw new Overtaken("a new id was taken");
  // Lock the store only now: waiting for another transaction's new ids with the lock held could deadlock. From here on
  // nobody else removes or changes its chunks.
  const held = onConflict === "replace" ? await heldNow(tx, store) : store;
  const others = await requireUsable(tx, store.id, present, onConflict);
  if (onConflict === "replace" && others.length > 0)
    await update(
      tx,
      held,
      others.map((chunk) => ({ ...chunk, metadata: chunk.metadata ?? {} })),
      done,
    );
}

async function withIds(tx: Db, storeId: string, chunks: readonly NewChunk[]): Promise<(NewChunk & { id: string })[]> {
  const unnamed = chunks.filter((chunk) => chunk.id === null).length;
  const given = new Set(chunks.map((chunk) => chunk.id));
  const reserved = unnamed > 0 ? await reserveIds(tx, storeId, unnamed, given) : null;
  const { idType } = tx.layout.embeddings;
  return chunks.map((chunk) => ({ ...chunk, id: chunk.id ?? reserved?.shift() ?? makeId(idType, "emb_") }));
}

/**
 * Checks chunks whose ids were taken when they were to be added.
 * @returns those that this store has otherwise than given, to be replaced
 * @throws IdConflict, IdElsewhere, Overtaken
 */
async function requireUsable(
  tx: Db,
  storeId: string,
  present: readonly Named[],
  onConflict: OnConflict,
): Promise<Named[]> {
  const found = await compareChunks(tx, storeId, present.map(asCompared));
  const is = (compared: Compared) => present.filter(({ id }) => found.get(id) === compared);
  const different = onConflict === "error" ? is("other") : [];
  if (different.length > 0) throw new IdConflict(different.map(({ id }) => id));
  const elsewhere = is("elsewhere");
  if (elsewhere.length > 0) throw new IdElsewhere(elsewhere.map(({ id }) => id));
  // A chunk to skip was there a moment ago, so its later removal changes nothing.
  const missing = present.filter(
    ({ id, embedding }) => !found.has(id) && (onConflict !== "skip" || embedding === null),
  );
  if (missing.length > 0) throw new Overtaken("a stored chunk was removed");
  const others = is("other");
  if (onConflict === "replace" && others.some(({ embedding }) => embedding === null))
    throw new Overtaken("a stored chunk was changed");
  return others;
}

/** Only an embedding that the client sent is compared. */
export const asCompared = <T extends NewChunk>(chunk: T): T => ({
  ...chunk,
  embedding: chunk.embeddingMade === true ? null : chunk.embedding,
});
