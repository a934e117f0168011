import { recordProgress } from "../../db/tables/ingestQueue.js";
import type { Engine } from "../../engines/engine.js";
import type { NewChunk } from "../../words/chunk.js";
import type { TextChunk } from "../../words/document.js";
import type { CuttingPlan, StoreFile } from "../../words/file.js";
import type { Part } from "./changes.js";

/** A chunk with its number in its document, from 0. */
export interface NumberedChunk extends TextChunk {
  number: number;
}

/**
 * Stores chunks of a hidden file. Existing chunks stay as they are, so a portion can be written again after a crash.
 * @param embeddings one per chunk, in the same order
 * @param plan how the file is cut, these chunks included
 */
export function writeChunks(
  { engine }: { engine: Pick<Engine, "ids"> },
  file: StoreFile,
  chunks: readonly NumberedChunk[],
  embeddings: readonly Float32Array[],
  plan: CuttingPlan,
): Part {
  const rows = chunks.map((chunk, i): NewChunk => {
    const embedding = embeddings[i];
    if (embedding === undefined) throw new Error("a chunk has no embedding");
    const id = engine.ids.ofFile(file.chunkBase, chunk.number);
    return { id, content: chunk.text, metadata: chunkMetadata(file, chunk), embedding };
  });
  return {
    steps: [{ do: "put", chunks: rows, onConflict: "skip" }],
    book: (tx, { added, addedBytes }) =>
      recordProgress(tx, file, { stage: "embedding", plan, chunks: added.size, bytes: addedBytes }),
  };
}

/**
 * The metadata of a file's chunk: the file's attributes and the service's own keys. If an attribute is named
 * `filename`, the file's name is in `place` instead.
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
