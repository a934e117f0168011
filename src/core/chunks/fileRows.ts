import { findStoreFiles, hasFiles, listNamed } from "../../db/tables/storeFiles.js";
import { Overtaken } from "../../engines/engine.js";
import type { Chunk, Compared, NewChunk, OnConflict } from "../../words/chunk.js";
import { type ApiError, conflict } from "../../words/errors.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { whileRequested } from "../stores/removal.js";
import { type LeavingDeps, removeLeftUnder } from "../stores/leftChunks.js";

/** What a row says of itself: which file it is of, and which of its chunks; null if it says nothing of the kind. */
function placeOf({ metadata }: Chunk): { fileId: string; index: number } | null {
  if (typeof metadata !== "object" || metadata === null) return null;
  const { file_id: fileId, chunk_index: index } = metadata as Record<string, unknown>;
  if (typeof fileId !== "string" || typeof index !== "number" || !Number.isSafeInteger(index) || index < 0) return null;
  return { fileId, index };
}

/**
 * The files that ingestion made rows for, by the rows' ids; rows that a client inserted are left out. Metadata that a
 * client wrote may name the same file, so the row's id must be the one that ingestion gives this chunk of it.
 */
export async function filesOfRows(
  { db, engine }: Pick<Deps, "db" | "engine">,
  store: VectorStore,
  rows: readonly Chunk[],
): Promise<Map<string, string>> {
  const placed = rows.flatMap((row) => {
    const place = placeOf(row);
    return place === null ? [] : [{ id: row.id, ...place }];
  });
  if (placed.length === 0) return new Map();
  const found = await findStoreFiles(db, store.id, [...new Set(placed.map(({ fileId }) => fileId))]);
  const bases = new Map(found.map(({ fileId, chunkBase }) => [fileId, chunkBase]));
  const isOfFile = ({ id, fileId, index }: (typeof placed)[number]) => {
    const base = bases.get(fileId);
    if (base === undefined) return false;
    const expected = engine.ids.ofFile(base, index);
    return expected === null || expected === id;
  };
  return new Map(placed.filter(isOfFile).map(({ id, fileId }) => [id, fileId]));
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
  for (let start = 0; start < ids.length; start += portion) {
    const part = ids.slice(start, start + portion);
    const rows = await deps.engine.read(store, part, { embeddings: false }, { signal });
    for (const [id, fileId] of await filesOfRows(deps, store, rows)) return { id, fileId };
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

/** Of a row that a client writes. */
type Labelled = Pick<NewChunk, "id" | "content" | "metadata" | "embedding">;

/** What the metadata of a client's row says, if it can be the id of a file. */
const fileNamedBy = ({ metadata }: Pick<Labelled, "metadata">): string | null => {
  const fileId = metadata?.file_id;
  return typeof fileId === "string" && !fileId.includes("\0") ? fileId : null;
};

/**
 * Refuses rows that name an attached file: they would be hidden and shown with its chunks, so that an acknowledged row
 * might not be found. A row that is stored already and stays as it is passes.
 * @param param the path of a row's field, for messages
 * @throws ApiError 409; Overtaken if a file that is named has left chunks, which are to be removed first
 */
export async function requireNoFileNamed<Row extends Labelled>(
  { db, engine }: Pick<Deps, "db" | "engine">,
  store: VectorStore,
  rows: readonly Row[],
  param: (row: Row) => string,
  { onConflict, signal }: { onConflict: OnConflict; signal: AbortSignal },
): Promise<void> {
  const named = new Set(rows.flatMap((row) => fileNamedBy(row) ?? []));
  if (named.size === 0) return;
  const { attached, leaving } = await listNamed(db, store.id, [...named]);
  if (leaving.size > 0) throw new Overtaken();
  const naming = rows.filter((row) => attached.has(fileNamedBy(row) ?? ""));
  if (naming.length === 0) return;
  const known = naming.filter(({ id }) => id !== null);
  const compared = known.length === 0 ? new Map<string, Compared>() : await engine.compare(store, known, { signal });
  const written = naming.find(({ id }) => {
    const stored = compared.get(id ?? "");
    return stored === undefined || (stored === "other" && onConflict === "replace");
  });
  if (written !== undefined) throw namesFile(param(written), fileNamedBy(written) ?? "");
}

const namesFile = (param: string, fileId: string): ApiError =>
  conflict(param, `names the file '${fileId}', which is attached to this vector store; use another key or value`);

/** The same for new metadata of a row. @param before the row's metadata; what it named already, it may go on naming */
export async function requireNoOtherFileNamed(
  deps: LeavingDeps,
  store: VectorStore,
  metadata: Record<string, unknown>,
  before: unknown,
): Promise<void> {
  const fileId = fileNamedBy({ metadata });
  if (fileId === null || (before as { file_id?: unknown } | null)?.file_id === fileId) return;
  await removeLeftUnder(deps, store.id, [{ id: null, metadata }], whileRequested());
  const { attached } = await listNamed(deps.db, store.id, [fileId]);
  if (attached.has(fileId)) throw namesFile("metadata.file_id", fileId);
}
