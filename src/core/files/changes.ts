import { type FileEnd, finishFile, recordProgress } from "../../db/tables/ingestQueue.js";
import { listSameAs, listSameName, passChunksOn, removeStoreFile } from "../../db/tables/storeFiles.js";
import type { Db } from "../../db/database.js";
import type { Change, Done, Step } from "../../engines/engine.js";
import type { FileChunks } from "../../words/chunk.js";
import type { Attributes, StoreFile } from "../../words/file.js";
import { uuidV7 } from "../../words/ids.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";

/**
 * A change of a store's files: the steps that the engine takes, and what the database records with them. Parts are planned inside the
 * change's `hold`, with the store and the file locked, and are true together or not at all.
 */
export interface Part {
  steps: readonly Step[];
  book: (tx: Db, done: Done) => Promise<unknown>;
}

export const nothing: Part = { steps: [], book: () => Promise.resolve() };

export const together = (parts: readonly Part[]): Part => ({
  steps: parts.flatMap((part) => part.steps),
  book: async (tx, done) => {
    for (const part of parts) await part.book(tx, done);
  },
});

/** Plans a change while its store is locked, then makes it. @throws what `hold` and `plan` throw, which call it off */
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
}

/** 24 hexadecimal digits that begin the ids of a file's chunks: the first 96 bits of a time-ordered id. */
export const newChunkBase = (now: number): string => uuidV7(now).replaceAll("-", "").slice(0, 24);

export const chunksOf = ({ fileId, chunkBase }: FileChunks): FileChunks => ({ fileId, chunkBase });

/** Removes a file's chunks. */
export const dropChunks = (file: StoreFile): Part =>
  file.chunkCount === 0
    ? nothing
    : {
        steps: [{ do: "remove", which: { file: chunksOf(file) } }],
        book: (tx) => recordProgress(tx, file, { chunks: -file.chunkCount, bytes: -file.contentBytes }),
      };

/** Ends the ingestion of a file that keeps no chunks of its own. */
export const endWithoutChunks = (file: StoreFile, end: FileEnd): Part =>
  together([
    dropChunks(file),
    { steps: [{ do: "show", fileId: file.fileId }], book: (tx) => finishFile(tx, file, end) },
  ]);

/** From here on no search sees the file's chunks, until it is complete. */
export const hideFile = ({ fileId }: StoreFile): Part => ({
  steps: [{ do: "hide", fileId }],
  book: () => Promise.resolve(),
});

/**
 * Takes files out of their store with their chunks. A file outside this set that has the same content, and so shares a file's chunks,
 * keeps them.
 */
export async function detachFiles(tx: Db, files: readonly StoreFile[]): Promise<Part> {
  const leaving = new Set(files.map((file) => file.fileId));
  const parts: Part[] = [];
  for (const file of files) {
    const [heir, ...others] = (await listSameAs(tx, file)).filter((each) => !leaving.has(each.fileId));
    parts.push(heir === undefined ? dropChunks(file) : inherit(file, heir, others), {
      steps: [{ do: "show", fileId: file.fileId }],
      book: (booking) => removeStoreFile(booking, file),
    });
  }
  return together(parts);
}

const inherit = (file: StoreFile, heir: StoreFile, others: readonly StoreFile[]): Part => ({
  steps: [{ do: "relabel", file: chunksOf(file), remove: [], set: { file_id: heir.fileId } }],
  book: (tx) => passChunksOn(tx, file, heir, others),
});

/** Completes a file: its chunks appear, and where it replaces files of its name, these leave at the same moment. */
export async function completeFile(tx: Db, file: StoreFile, chunksTotal: number): Promise<Part> {
  const replaced = file.replaces ? await detachFiles(tx, await listSameName(tx, file)) : nothing;
  const finished: Part = {
    steps: [{ do: "show", fileId: file.fileId }],
    book: async (booking) => {
      await recordProgress(booking, file, { chunksTotal });
      await finishFile(booking, file, { status: "completed" });
    },
  };
  return together([replaced, finished]);
}

/** Gives a file's chunks other attributes. */
export const relabelChunks = (file: StoreFile, attributes: Attributes | null): Part => ({
  steps: [
    {
      do: "relabel",
      file: chunksOf(file),
      remove: Object.keys(file.attributes ?? {}),
      set: { ...(attributes?.filename === undefined ? { filename: file.filename } : {}), ...attributes },
    },
  ],
  book: () => Promise.resolve(),
});
