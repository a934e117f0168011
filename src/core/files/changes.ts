import { type FileEnd, finishFile, recordProgress } from "../../db/tables/ingestQueue.js";
import { removeStoreFile } from "../../db/tables/storeFiles.js";
import { findCompleted, listSameAs, listSameName, passChunksOn } from "../../db/tables/twins.js";
import type { Db } from "../../db/database.js";
import type { Change, Done, Step } from "../../engines/engine.js";
import type { FileChunks } from "../../words/chunk.js";
import type { Attributes, StoreFile } from "../../words/file.js";
import { uuidV7 } from "../../words/ids.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { portion, whileRequested } from "../stores/removal.js";
import * as stores from "../stores/stores.js";
import { leave, removeLeft } from "../stores/leftChunks.js";

/**
 * A part of a change to a store's files: the steps that the engine takes, and what the database records with them.
 * Parts are planned while store and file are locked, and commit together or not at all.
 */
export interface Part {
  steps: readonly Step[];
  book: (tx: Db, done: Done) => Promise<unknown>;
  /** It lets chunks go, which are removed after it. */
  leaves?: boolean;
}

/** The part that changes nothing. */
export const nothing: Part = { steps: [], book: () => Promise.resolve() };

/** Joins parts into one, in their order. */
export const together = (parts: readonly Part[]): Part => ({
  steps: parts.flatMap((part) => part.steps),
  book: async (tx, done) => {
    for (const part of parts) await part.book(tx, done);
  },
  leaves: parts.some((part) => part.leaves),
});

/**
 * Plans a change while its store is locked, then makes it. Chunks of large files that leave are removed before it
 * returns, or by the sweep if they are very many or that fails; the change is made all the same.
 * @throws what `hold` and `plan` throw; then nothing changes
 */
export async function changeStore<Held extends { store: VectorStore }>(
  deps: Deps,
  as: Change<Held, void>["as"],
  hold: (tx: Db) => Promise<Held>,
  plan: (tx: Db, held: Held) => Promise<Part> | Part,
): Promise<void> {
  let part = nothing;
  const id = await deps.engine.write({
    now: deps.now(),
    as,
    hold,
    steps: async (tx, held) => {
      part = await plan(tx, held);
      return part.steps;
    },
    book: async (tx, done, held) => {
      await part.book(tx, done);
      return held.store.id;
    },
  });
  stores.forget(deps, id);
  if (part.leaves !== true) return;
  const removed = await removeLeft(deps, { vectorStoreId: id }, whileRequested()).catch((error: unknown) => {
    deps.log.warn({ err: error, vectorStore: id }, "chunks that left could not be removed; the sweep will do it");
    return true;
  });
  if (!removed) deps.wakeSweep();
}

/** The first 24 hexadecimal digits of the ids of a file's chunks: 96 bits of a time-ordered id. */
export const newChunkBase = (): string => uuidV7(Date.now()).replaceAll("-", "").slice(0, 24);

/** Selects a file's own chunks, for the engine. */
export const chunksOf = ({ fileId, chunkBase }: FileChunks): FileChunks => ({ fileId, chunkBase });

/** Whether a file has too many chunks to be removed in one change. */
export const isLarge = (file: StoreFile): boolean => file.chunkCount > portion;

/** Removes a file's chunks and stops hiding the file. A large file stays hidden until its chunks are removed. */
export const dropChunks = (file: StoreFile): Part => {
  const { fileId } = file;
  if (isLarge(file)) {
    return {
      steps: [{ do: "hide", fileId }],
      book: (tx) => leave(tx, file, newChunkBase()),
      leaves: true,
    };
  }
  if (file.chunkCount === 0) return { steps: [{ do: "show", fileId }], book: () => Promise.resolve() };
  return {
    steps: [
      { do: "remove", which: { file: chunksOf(file) } },
      { do: "show", fileId },
    ],
    book: (tx) => recordProgress(tx, file, { chunks: -file.chunkCount, bytes: -file.contentBytes }),
  };
};

/** Ends the ingestion of a file that keeps no chunks: it failed, was cancelled, or shares another file's chunks. */
export const endWithoutChunks = (file: StoreFile, end: FileEnd): Part =>
  together([dropChunks(file), { steps: [], book: (tx) => finishFile(tx, file, end) }]);

/** Hides the file's chunks from searches until the file is complete. */
export const hideFile = ({ fileId }: StoreFile): Part => ({
  steps: [{ do: "hide", fileId }],
  book: () => Promise.resolve(),
});

/**
 * Removes files and their chunks from their store. If a remaining file shares the chunks because it has the same
 * content, that file keeps them.
 * @param sharing remains, and comes to share another file's chunks in this change
 */
export async function detachFiles(tx: Db, files: readonly StoreFile[], sharing?: Sharing): Promise<Part> {
  const leaving = new Set(files.map((file) => file.fileId));
  const parts: Part[] = [];
  for (const file of files) {
    const remaining = (await listSameAs(tx, file)).filter((each) => !leaving.has(each.fileId));
    if (sharing?.owner.fileId === file.fileId) remaining.push(sharing.file);
    const [heir, ...others] = remaining;
    parts.push(heir === undefined ? dropChunks(file) : inherit(file, heir, others), {
      steps: [],
      book: (booking) => removeStoreFile(booking, file),
    });
  }
  return together(parts);
}

interface Sharing {
  file: StoreFile;
  owner: StoreFile;
}

/** Passes a file's chunks on to an heir that shares them; the others that share them now share the heir's. */
export const inherit = (file: StoreFile, heir: StoreFile, others: readonly StoreFile[]): Part => ({
  steps: [relabelStep(file, heir.attributes, { file_id: heir.fileId }), { do: "show", fileId: file.fileId }],
  book: (tx) => passChunksOn(tx, file, heir, others),
});

/**
 * Completes a file by the chunks of a complete one that has the same name, content, attributes and settings. The files
 * that it replaces leave; if the other is one of them, its chunks pass to this file.
 * @returns null if it needs chunks of its own
 */
export async function completeAsTwin(tx: Db, file: StoreFile): Promise<Part | null> {
  const owner = await findCompleted(tx, file);
  if (owner === undefined) return null;
  const ended = endWithoutChunks(file, { status: "completed", sameAs: owner.fileId });
  const replaced = await listReplaced(tx, file);
  const ownerLeaves = replaced.some(({ fileId }) => fileId === owner.fileId);
  // Removing its own many chunks would hide those that it takes, so it keeps its own.
  if (ownerLeaves && file.chunkCount > 0) return null;
  return together([ended, await detachFiles(tx, replaced, { file, owner })]);
}

/**
 * The files of the same name that a file replaces: those that were attached before it, also if they are not complete
 * yet, because they would show older text later.
 */
const listReplaced = async (tx: Db, file: StoreFile): Promise<StoreFile[]> =>
  file.replaces ? listSameName(tx, file, { older: true }) : [];

/** Completes a file: its chunks appear, and the files that it replaces leave at the same moment. */
export async function completeFile(tx: Db, file: StoreFile, chunksTotal: number): Promise<Part> {
  const replaced = await detachFiles(tx, await listReplaced(tx, file));
  const finished: Part = {
    steps: [{ do: "show", fileId: file.fileId }],
    book: async (booking) => {
      await recordProgress(booking, file, { chunksTotal });
      await finishFile(booking, file, { status: "completed" });
    },
  };
  return together([replaced, finished]);
}

/** Replaces the attributes in a file's own chunks. */
export const relabelChunks = (file: StoreFile, attributes: Attributes | null): Part => ({
  steps: [relabelStep(file, attributes, {})],
  book: () => Promise.resolve(),
});

/** As `chunkMetadata` of fileChunks.ts: beside an attribute `filename`, the file's name is in `place`. */
function relabelStep(file: StoreFile, attributes: Attributes | null, more: Readonly<Record<string, unknown>>): Step {
  const name = { filename: file.filename };
  const named = attributes?.filename !== undefined;
  return {
    do: "relabel",
    file: chunksOf(file),
    remove: Object.keys(file.attributes ?? {}),
    set: { ...(named ? {} : name), ...attributes, ...more },
    within: { key: "place", remove: named ? [] : Object.keys(name), set: named ? name : {} },
  };
}
