import type { Db } from "../../db/connection/database.js";
import {
  type Attributes,
  type StoreFile,
  listSameName,
  listSameAs,
  passChunksOn,
  removeStoreFile,
} from "../../db/tables/storeFiles.js";
import { finishFile, recordProgress } from "../../db/tables/ingestQueue.js";
import { type VectorStore, addToCounts, makeId, setHiddenFiles } from "../../db/tables/stores.js";
import type { TextChunk } from "../../words/document.js";
import { deleteChunks, insertChunks, mergeMetadata, reserveIds } from "../../engines/pgvector/chunks.js";
import { insertKeywords } from "../../engines/pgvector/keywords/keywords.js";
import { chunkId, chunksOf } from "./chunkIds.js";
import type { Deps } from "../deps.js";

/** A chunk with its number in its document, from 0. */
export interface NumberedChunk extends TextChunk {
  number: number;
}

/** Metadata keys of a file's chunks that its attributes may not have: searches and deletions rely on them. */
export const reservedAttributes = ["file_id", "chunk_index", "place"] as const;

/**
 * What is ours in the metadata of a file's chunk; the file's attributes stand beside it. `filename` gives way to an attribute of that name
 * and is then found in `place`.
 */
function chunkMetadata(file: StoreFile, chunk: NumberedChunk): Record<string, unknown> {
  const named = file.attributes?.filename !== undefined;
  return {
    ...(named ? {} : { filename: file.filename }),
    ...file.attributes,
    file_id: file.fileId,
    chunk_index: chunk.number,
    place: { ...chunk.place, ...(named ? { filename: file.filename } : {}) },
  };
}

/** Stores chunks of a hidden file, inside a transaction that holds its store and it. Chunks that are there already are left alone. */
export async function writeChunks(
  deps: Deps,
  tx: Db,
  store: VectorStore,
  file: StoreFile,
  chunks: readonly NumberedChunk[],
  embeddings: readonly Float32Array[],
): Promise<void> {
  const { idType } = tx.layout.embeddings;
  const reserved = idType === "bigint" ? await reserveIds(tx, chunks.length) : null;
  const rows = chunks.map((chunk, i) => {
    const embedding = embeddings[i];
    if (embedding === undefined) throw new Error("a chunk has no embedding");
    const id = chunkId(idType, file.chunkBase, chunk.number) ?? reserved?.[i] ?? makeId(idType, "emb_");
    return { id, content: chunk.text, metadata: chunkMetadata(file, chunk), embedding };
  });
  const now = deps.now();
  const added = await insertChunks(tx, store.id, rows, now);
  const bytes = rows.reduce((sum, row) => sum + (added.has(row.id) ? Buffer.byteLength(row.content) : 0), 0);
  const [first] = embeddings;
  await addToCounts(tx, store.id, { chunks: added.size, bytes, dimensions: first?.length ?? null }, now);
  if (store.keywordsLanguage !== null) await insertKeywords(tx, store.id, store.keywordsLanguage, [...added]);
  await recordProgress(tx, file, { stage: "embedding", chunks: added.size, bytes });
}

/** Removes a file's chunks and counts them out, inside a transaction that holds its store and it. */
export async function dropChunks(tx: Db, store: VectorStore, file: StoreFile): Promise<void> {
  if (file.chunkCount === 0) return;
  const selection = { filter: null, ids: null, file: chunksOf(tx.layout.embeddings.idType, file) };
  const gone = await deleteChunks(tx, store, selection);
  if (gone.chunks > 0) {
    await addToCounts(
      tx,
      store.id,
      { chunks: -gone.chunks, bytes: -gone.bytes, dimensions: null },
      store.lastActiveAt ?? 0,
    );
  }
  await recordProgress(tx, file, { chunks: -file.chunkCount, bytes: -file.contentBytes });
}

/** From here on no search sees the file's chunks, until `showFile` in the transaction that completes it. */
export async function hideFile(tx: Db, store: VectorStore, fileId: string): Promise<void> {
  if (!store.hiddenFiles.includes(fileId)) await setHiddenFiles(tx, store.id, [...store.hiddenFiles, fileId]);
}

export async function showFile(tx: Db, store: VectorStore, fileId: string): Promise<void> {
  if (!store.hiddenFiles.includes(fileId)) return;
  await setHiddenFiles(
    tx,
    store.id,
    store.hiddenFiles.filter((each) => each !== fileId),
  );
}

/** Ends the ingestion of a file that is to have no chunks of its own, inside a transaction that holds its store and it. */
export async function endWithoutChunks(
  tx: Db,
  store: VectorStore,
  file: StoreFile,
  end: Parameters<typeof finishFile>[2],
): Promise<void> {
  await dropChunks(tx, store, file);
  await finishFile(tx, file, end);
  await showFile(tx, store, file.fileId);
}

/**
 * Takes a file out of its store with its chunks, inside a transaction that holds both. Another file with the same content, for which its
 * chunks stood too, keeps them.
 */
export async function detachFile(tx: Db, store: VectorStore, file: StoreFile): Promise<void> {
  const [heir, ...others] = await listSameAs(tx, file);
  if (heir === undefined) {
    await dropChunks(tx, store, file);
  } else {
    await passChunksOn(tx, file, heir, others);
    const chunks = chunksOf(tx.layout.embeddings.idType, file);
    await mergeMetadata(tx, store.id, chunks, { remove: [], set: { file_id: heir.fileId } });
  }
  await removeStoreFile(tx, file);
  await showFile(tx, store, file.fileId);
}

/** The files of the same name in the store make room for a new version of them. */
export async function removeSameName(tx: Db, store: VectorStore, file: StoreFile): Promise<void> {
  for (const old of await listSameName(tx, file)) await detachFile(tx, store, old);
}

/** Gives a file's chunks other attributes, inside a transaction that holds its store and it. */
export async function changeAttributes(
  tx: Db,
  store: VectorStore,
  file: StoreFile,
  attributes: Attributes | null,
): Promise<void> {
  const removed = Object.keys(file.attributes ?? {});
  const set = { ...(attributes?.filename === undefined ? { filename: file.filename } : {}), ...attributes };
  await mergeMetadata(tx, store.id, chunksOf(tx.layout.embeddings.idType, file), { remove: removed, set });
}
