import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type EmbeddingInput, insertEmbeddings } from "./chunks.js";
import { use } from "../stores/stores.js";

/** One transaction: enough rows for full speed (see statementLimits), few enough that memory stays flat. */
const chunkLimits = { rows: 500, bytes: 8 * 1024 * 1024 };

export interface LoadProgress {
  /** Rows of the upload that are in the store now; the upload can be resumed after this many. */
  count: number;
  /** Of these, rows that were there before. */
  duplicates: number;
}

/**
 * Adds any number of rows, one transaction per chunk of rows. Memory does not grow with the upload: the next row is read only after
 * the chunk before it has been committed, which is also the back-pressure on the sender.
 * @param onProgress called after every commit. When this function throws, the last progress says what is stored.
 * @throws what `insertEmbeddings` throws, and what reading `rows` throws; rows of the chunk at hand are then not stored.
 */
export async function loadEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  rows: AsyncIterable<{ row: EmbeddingInput; path: string }>,
  onProgress: (progress: LoadProgress) => void,
): Promise<LoadProgress> {
  // A store that takes no rows is told at once, not after the first chunk of a long upload.
  await use(deps, caller, storeId);
  const progress: LoadProgress = { count: 0, duplicates: 0 };
  let chunk: { row: EmbeddingInput; path: string }[] = [];
  let bytes = 0;
  const flush = async () => {
    const paths = chunk.map((each) => each.path);
    const inserted = await insertEmbeddings(
      deps,
      caller,
      storeId,
      chunk.map((each) => each.row),
      (i) => paths[i] ?? "",
    );
    progress.count += chunk.length;
    progress.duplicates += inserted.duplicates;
    chunk = [];
    bytes = 0;
    onProgress({ ...progress });
  };
  for await (const each of rows) {
    chunk.push(each);
    bytes += sizeOf(each.row);
    if (chunk.length >= chunkLimits.rows || bytes >= chunkLimits.bytes) await flush();
  }
  if (chunk.length > 0) await flush();
  return progress;
}

/** Roughly what a row holds in memory. */
function sizeOf({ content, embedding, metadata }: EmbeddingInput): number {
  return (
    content.length * 2 + (embedding?.byteLength ?? 0) + (metadata === null ? 0 : JSON.stringify(metadata).length * 2)
  );
}
