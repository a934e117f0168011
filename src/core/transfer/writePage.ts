import type { Db } from "../../db/connection/database.js";
import { addToCounts, findStore } from "../../db/tables/stores.js";
import { insertKeywords } from "../../engines/pgvector/keywords/keywords.js";
import { type StoredChunk, copyChunks, digestOf, marksOf } from "../../engines/pgvector/records.js";
import { ApiError, conflict, unavailable } from "../../words/errors.js";
import { expired } from "../stores/stores.js";
import type { TransferDeps } from "./importRequest.js";

/** A row that is to be in the database, and where it stands in the source. */
export interface PlacedChunk extends StoredChunk {
  at: string;
}

export interface WrittenPage {
  added: number;
  duplicates: number;
  skipped: PlacedChunk[];
  /** Digests of the rows as they were read, but for skipped ones, and as the database has them. */
  read: bigint[];
  stored: bigint[];
}

export interface WriteOptions {
  onConflict: "error" | "skip";
  verify: boolean;
  dryRun: boolean;
}

/** How often a page starts anew because others have added some of its rows meanwhile. */
const maxAttempts = 5;

/**
 * Sees to it that rows are in the database, each once: those that are there already are compared, the others are added in one transaction
 * with their vectors and words, and counted. Before it is committed they are read back, where nobody else can have changed them.
 * @throws ApiError naming the row: 409 for one that is there with other content, 500 `not_as_read`, and what the database refuses.
 */
export async function writePage(
  deps: TransferDeps,
  chunks: readonly PlacedChunk[],
  options: WriteOptions,
): Promise<WrittenPage> {
  const digests = new Map(chunks.map((chunk) => [chunk, digestOf(chunk)]));
  const first = firstOfEachId(chunks, digests);
  const unique = [...first.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let attempt = 1; ; attempt += 1) {
    const present = await marksOf(deps.db, unique);
    const fresh = unique.filter((chunk) => !present.has(chunk.id));
    const skipped = unique.filter((chunk) => {
      const mark = present.get(chunk.id);
      return mark !== undefined && (mark.storeId !== chunk.storeId || mark.digest !== digests.get(chunk));
    });
    const [other] = skipped;
    if (other !== undefined && options.onConflict === "error") throw conflictOf(other, present.get(other.id)?.storeId);
    try {
      const stored = options.dryRun || fresh.length === 0 ? [] : await addChunks(deps, fresh, digests, options);
      const left = new Set(skipped);
      const kept = unique.filter((chunk) => !left.has(chunk));
      const known = kept.flatMap((chunk) => present.get(chunk.id)?.digest ?? []);
      return {
        added: fresh.length,
        duplicates: chunks.length - fresh.length - skipped.length,
        skipped,
        read: kept.flatMap((chunk) => digests.get(chunk) ?? []),
        stored: [...known, ...stored],
      };
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt === maxAttempts)
        throw unavailable("Others are adding the same rows. Start it again when they are done.", { cause: error });
    }
  }
}

const isConflict = (error: unknown) => error instanceof ApiError && error.status === 409;

/** @returns the digests of the rows as they are in the database; of those that were read, where they are not read back. */
async function addChunks(
  deps: TransferDeps,
  chunks: readonly PlacedChunk[],
  digests: ReadonlyMap<StoredChunk, bigint>,
  { verify }: WriteOptions,
): Promise<bigint[]> {
  const expected = chunks.flatMap((chunk) => digests.get(chunk) ?? []);
  try {
    return await deps.db.transaction(async (tx) => {
      await copyChunks(tx, chunks);
      const stored = verify ? await readBack(tx, chunks, digests) : expected;
      await count(deps, tx, chunks);
      return stored;
    });
  } catch (error) {
    if (!isOfRow(error)) throw error;
    const [only, ...others] = chunks;
    if (only !== undefined && others.length === 0)
      throw new ApiError(400, `${only.at}: ${error.message}`, { ...error.details, cause: error });
    // The row that the database refuses is found by halves; others of the page are added on the way, as they would be without it.
    const half = Math.ceil(chunks.length / 2);
    const parts = [chunks.slice(0, half), chunks.slice(half)];
    const stored: bigint[] = [];
    for (const part of parts)
      stored.push(...(await addChunks(deps, part, digests, { verify, onConflict: "error", dryRun: false })));
    return stored;
  }
}

const isOfRow = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status === 400 && error.details.code === "invalid_value";

async function readBack(
  tx: Db,
  chunks: readonly PlacedChunk[],
  digests: ReadonlyMap<StoredChunk, bigint>,
): Promise<bigint[]> {
  const marks = await marksOf(tx, chunks);
  return chunks.map((chunk) => {
    const mark = marks.get(chunk.id);
    if (mark?.digest === digests.get(chunk) && mark?.storeId === chunk.storeId) return mark.digest;
    throw new ApiError(
      500,
      `${chunk.at}: the database ${mark === undefined ? "has no such row after it was added" : "has it differently from what was read"} ` +
        `(id ${chunk.id}). Nothing of its page was kept. A trigger or a rule on the table may have changed it.`,
      { code: "not_as_read" },
    );
  });
}

/** Counters and words of the stores, in the order of ids, as every transaction that holds several. */
async function count(deps: TransferDeps, tx: Db, chunks: readonly PlacedChunk[]): Promise<void> {
  const byStore = new Map<string, PlacedChunk[]>();
  for (const chunk of chunks) {
    const own = byStore.get(chunk.storeId);
    if (own === undefined) byStore.set(chunk.storeId, [chunk]);
    else own.push(chunk);
  }
  for (const [storeId, own] of [...byStore].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = own.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.content), 0);
    const dimensions = (own[0]?.vector.length ?? 0) / 4;
    const store = await addToCounts(tx, storeId, { chunks: own.length, bytes, dimensions }, deps.now());
    if (store === undefined) {
      const still = await findStore(tx, { kind: "all" }, storeId);
      throw still === undefined
        ? new ApiError(404, `The vector store '${storeId}' was deleted meanwhile.`, { code: "not_found" })
        : expired(storeId);
    }
    if (store.keywordsLanguage !== null)
      await insertKeywords(
        tx,
        storeId,
        store.keywordsLanguage,
        own.map((chunk) => chunk.id),
      );
  }
}

/** @throws ApiError 409 when an id is repeated with other content. */
function firstOfEachId(chunks: readonly PlacedChunk[], digests: ReadonlyMap<StoredChunk, bigint>) {
  const first = new Map<string, PlacedChunk>();
  for (const chunk of chunks) {
    const earlier = first.get(chunk.id);
    if (earlier === undefined) first.set(chunk.id, chunk);
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
    `its id '${chunk.id}' exists already ${how}. Give the imported rows ids of their own with --id-prefix, or leave such rows out with --on-conflict skip.`,
  );
}
