import { findStoreFile, hasFiles } from "../../db/tables/storeFiles.js";
import type { Chunk } from "../../words/chunk.js";
import { type ApiError, conflict } from "../../words/errors.js";
import type { StoreFile } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";

/**
 * The file that ingestion made a row for; null if a client inserted the row. Metadata that a client wrote may name the
 * same file, so the row's id must be the one that ingestion gives this chunk of it.
 * @param known files that were looked up before, by id
 */
export async function fileOfRow(
  { db, engine }: Pick<Deps, "db" | "engine">,
  store: VectorStore,
  { id, metadata }: Chunk,
  known = new Map<string, StoreFile | undefined>(),
): Promise<string | null> {
  if (typeof metadata !== "object" || metadata === null) return null;
  const { file_id: fileId, chunk_index: index } = metadata as Record<string, unknown>;
  if (typeof fileId !== "string" || !Number.isSafeInteger(index) || (index as number) < 0) return null;
  if (!known.has(fileId)) known.set(fileId, await findStoreFile(db, store.id, fileId));
  const file = known.get(fileId);
  if (file === undefined) return null;
  const expected = engine.ids.ofFile(file.chunkBase, index as number);
  return expected === null || expected === id ? fileId : null;
}

/** Rows read at once: enough for few round trips, few enough that their contents fit in memory. */
const portion = 500;

/** The first of these rows that ingestion made, with its file; null if there is none. */
export async function firstFileRow(
  deps: Deps,
  store: VectorStore,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<{ id: string; fileId: string } | null> {
  if (ids.length === 0 || !(await hasFiles(deps.db, store.id))) return null;
  const known = new Map<string, StoreFile | undefined>();
  for (let start = 0; start < ids.length; start += portion) {
    const part = ids.slice(start, start + portion);
    for (const chunk of await deps.engine.read(store, part, { embeddings: false }, { signal })) {
      const fileId = await fileOfRow(deps, store, chunk, known);
      if (fileId !== null) return { id: chunk.id, fileId };
    }
  }
  return null;
}

/** 409: a file's rows change with the file, never by themselves. @param id names the row, if `param` does not */
export function isFileRow(param: string, fileId: string, id?: string): ApiError {
  const row = id === undefined ? "this row" : `the row '${id}'`;
  return conflict(
    param,
    `${row} is a chunk of the file '${fileId}' and changes only with it; upload or detach the file`,
  );
}
