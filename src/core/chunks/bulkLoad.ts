import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";
import { type InsertOptions, insertChunks } from "./insert.js";
import type { EmbeddingInput } from "./rowChecks.js";

/** One transaction: enough rows for full speed, few enough that memory stays flat. */
const chunkLimits = { rows: 500, bytes: 8 * 1024 * 1024 };

export interface LoadProgress {
  /** Rows of the upload that are stored so far; the upload can be resumed after them. */
  count: number;
  /** Of these, rows that had been stored before. */
  duplicates: number;
  /** The others by what became of them. */
  added: number;
  replaced: number;
  skipped: number;
}

/**
 * Adds any number of rows, one transaction per chunk of rows. Memory does not grow with the upload: the next row is
 * read only once the previous chunk is committed, which also slows the sender down.
 * @param onProgress called after every commit; if this function throws, the last progress says what is stored
 * @param options what happens to rows that exist, for every chunk of rows; `signal` ends the upload when the client has
 * left
 * @throws as `insert` does, and as reading `rows` does; rows of the current chunk are then not stored
 */
export async function loadEmbeddings(
  deps: Deps,
  caller: Caller,
  storeId: string,
  rows: AsyncIterable<{ row: EmbeddingInput; path: string }>,
  { onProgress, ...options }: InsertOptions & { onProgress: (progress: LoadProgress) => void },
): Promise<LoadProgress> {
  // Refuses an unknown or expired store now, not after the first chunk of a long upload.
  await stores.use(deps, caller, storeId, "write");
  const progress: LoadProgress = { count: 0, duplicates: 0, added: 0, replaced: 0, skipped: 0 };
  let chunk: { row: EmbeddingInput; path: string }[] = [];
  let bytes = 0;
  const flush = async () => {
    const paths = chunk.map((each) => each.path);
    const inserted = await insertChunks(
      deps,
      caller,
      storeId,
      chunk.map((each) => each.row),
      (i) => paths[i] ?? "",
      options,
    );
    progress.count += chunk.length;
    progress.duplicates += inserted.duplicates;
    progress.added += inserted.added;
    progress.replaced += inserted.replaced.size;
    progress.skipped += inserted.skipped.size;
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

/** Roughly the bytes of a row in memory. */
function sizeOf({ content, embedding, metadata }: EmbeddingInput): number {
  return (
    content.length * 2 + (embedding?.byteLength ?? 0) + (metadata === null ? 0 : JSON.stringify(metadata).length * 2)
  );
}
