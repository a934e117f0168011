import { z } from "zod";
import { listLeft } from "../../db/tables/leftChunks.js";
import { findStore } from "../../db/tables/stores.js";
import { EngineError, Overtaken } from "../../engines/engine.js";
import { keyOfChunk } from "../../words/chunk.js";
import { ApiError, conflict, unavailable } from "../../words/errors.js";
import { type ChunkMark, type StoredChunk, digestOf } from "../../words/rows.js";
import { isExpired } from "../../words/store.js";
import { removeLeftUnder } from "../stores/leftChunks.js";
import { expired } from "../stores/unknown.js";
import type { TransferDeps } from "./importRequest.js";

/** A chunk to store, and its place in the source, for messages. */
export interface PlacedChunk extends StoredChunk {
  at: string;
}

export interface WrittenPage {
  added: number;
  duplicates: number;
  skipped: PlacedChunk[];
  /** Digests of the rows as read, except skipped ones, and as stored. */
  read: bigint[];
  stored: bigint[];
}

export interface WriteOptions {
  onConflict: "error" | "skip";
  verify: boolean;
  dryRun: boolean;
}

/** An adopted table's metadata may be anything. */
const labels = z.record(z.string(), z.unknown()).nullable().catch(null);

/** How often a page starts again because others added some of its rows meanwhile. */
const maxAttempts = 5;

/**
 * Stores rows, each once: existing rows are compared, the others are added in one transaction with their vectors,
 * keywords and counters. They are read back before the commit, when nobody else can have changed them.
 * @throws ApiError naming the row: 409 if it is stored with other content, 500 `not_as_read`, and the engine's refusals
 */
export async function writePage(
  deps: TransferDeps,
  chunks: readonly PlacedChunk[],
  options: WriteOptions,
): Promise<WrittenPage> {
  const digests = new Map(chunks.map((chunk) => [chunk, digestOf(chunk)]));
  const first = firstOfEachId(deps, chunks, digests);
  // One order for all pages, so that two that share ids cannot deadlock.
  const unique = [...first.values()].sort((a, b) => ((a.id === b.id ? a.storeId < b.storeId : a.id < b.id) ? -1 : 1));
  for (let attempt = 1; ; attempt += 1) {
    if (!options.dryRun) await removeAllLeft(deps, unique);
    const present = await deps.engine.records.marks(unique);
    const fresh = unique.filter((chunk) => !present.has(keyOfChunk(chunk)));
    const skipped = unique.filter((chunk) => {
      const mark = present.get(keyOfChunk(chunk));
      return mark !== undefined && (mark.storeId !== chunk.storeId || mark.digest !== digests.get(chunk));
    });
    const [other] = skipped;
    if (other !== undefined && options.onConflict === "error")
      throw conflictOf(other, present.get(keyOfChunk(other))?.storeId);
    try {
      const stored = options.dryRun || fresh.length === 0 ? [] : await addChunks(deps, fresh, digests, options.verify);
      const left = new Set(skipped);
      const kept = unique.filter((chunk) => !left.has(chunk));
      const known = kept.flatMap((chunk) => present.get(keyOfChunk(chunk))?.digest ?? []);
      return {
        added: fresh.length,
        duplicates: chunks.length - fresh.length - skipped.length,
        skipped,
        read: kept.flatMap((chunk) => digests.get(chunk) ?? []),
        stored: [...known, ...stored],
      };
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (attempt === maxAttempts)
        throw unavailable("Others are adding the same rows. Start the import again when they are done.", {
          cause: error,
        });
    }
  }
}

/** Rows that files have left are no duplicates: they would vanish although they had been counted. */
async function removeAllLeft(deps: TransferDeps, chunks: readonly PlacedChunk[]): Promise<void> {
  for (const storeId of new Set(chunks.map((chunk) => chunk.storeId))) {
    if ((await listLeft(deps.db, { vectorStoreId: storeId }, 1)).length === 0) continue;
    const rows = chunks.filter((chunk) => chunk.storeId === storeId);
    const labelled = rows.map(({ id, metadata }) => ({ id, metadata: labels.parse(JSON.parse(metadata)) }));
    await removeLeftUnder(deps, storeId, labelled, () => true);
  }
}

/** @returns the digests of the rows as stored, or as read if they are not read back */
async function addChunks(
  deps: TransferDeps,
  chunks: readonly PlacedChunk[],
  digests: ReadonlyMap<StoredChunk, bigint>,
  verify: boolean,
): Promise<bigint[]> {
  let stored = chunks.flatMap((chunk) => digests.get(chunk) ?? []);
  const readBack = (marks: ReadonlyMap<string, ChunkMark>) => {
    stored = chunks.map((chunk) => requireSame(deps, chunk, marks.get(keyOfChunk(chunk)), digests));
  };
  try {
    await deps.engine.records.add(chunks, { readBack: verify ? readBack : null, now: deps.now() });
    return stored;
  } catch (error) {
    if (error instanceof EngineError && error.kind === "gone") throw await whyGone(deps, chunks, error);
    if (!isOfRow(error)) throw error;
    const [only, ...others] = chunks;
    if (only !== undefined && others.length === 0)
      throw new ApiError(400, `${only.at}: ${error.message}`, { ...error.details, cause: error });
    // Halve the rows until the refused one is found. This stores the page's other rows.
    const half = Math.ceil(chunks.length / 2);
    const first = await addChunks(deps, chunks.slice(0, half), digests, verify);
    return [...first, ...(await addChunks(deps, chunks.slice(half), digests, verify))];
  }
}

const isOfRow = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status === 400 && error.details.code === "invalid_value";

function requireSame(
  { engine }: Pick<TransferDeps, "engine">,
  chunk: PlacedChunk,
  mark: ChunkMark | undefined,
  digests: ReadonlyMap<StoredChunk, bigint>,
): bigint {
  if (mark?.digest === digests.get(chunk) && mark?.storeId === chunk.storeId) return mark.digest;
  throw new ApiError(
    500,
    `${chunk.at}: the database ${mark === undefined ? "has no such row after it was added" : "has it differently from what was read"} ` +
      `(id ${chunk.id}). Nothing of its page was kept. ${engine.records.mayAlter}`,
    { code: "not_as_read" },
  );
}

async function whyGone(deps: TransferDeps, chunks: readonly PlacedChunk[], error: EngineError): Promise<ApiError> {
  for (const id of new Set(chunks.map((chunk) => chunk.storeId))) {
    const store = await findStore(deps.db, { kind: "all" }, id);
    if (store === undefined)
      return new ApiError(404, `The vector store '${id}' was deleted meanwhile.`, { code: "not_found" });
    if (isExpired(store, deps.now())) return expired(id);
  }
  return error;
}

/** @throws ApiError 409 if an id is repeated with other content, or for a store that cannot have it too */
function firstOfEachId(
  { engine }: Pick<TransferDeps, "engine">,
  chunks: readonly PlacedChunk[],
  digests: ReadonlyMap<StoredChunk, bigint>,
) {
  const first = new Map<string, PlacedChunk>();
  for (const chunk of chunks) {
    const key = engine.ids.perStore ? keyOfChunk(chunk) : chunk.id;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, chunk);
    else if (digests.get(earlier) !== digests.get(chunk) || earlier.storeId !== chunk.storeId) {
      throw conflict(
        chunk.at,
        `repeats the id of ${earlier.at}, '${chunk.id}', with other content. Ids must differ: see --id-column and --id-prefix.`,
      );
    }
  }
  return first;
}

function conflictOf(chunk: PlacedChunk, storeId: string | undefined): ApiError {
  const how =
    storeId === chunk.storeId
      ? "with other content, metadata or embedding"
      : `in another vector store, ${storeId ?? "another"}`;
  return conflict(
    chunk.at,
    `its id '${chunk.id}' exists already ${how}. Give the imported rows other ids with --id-prefix, or skip such rows with --on-conflict skip.`,
  );
}
