import type { Db } from "../../db/database.js";
import { addToCounts } from "../../db/tables/stores.js";
import { ApiError, errorCode } from "../../words/errors.js";
import type { StoredChunk } from "../../words/rows.js";
import { type AddOptions, Overtaken, type Records } from "../engine.js";
import type { Pgvector } from "./context.js";
import { bounded } from "./failures.js";
import { insertKeywords } from "./keywords/keywords.js";
import { canonicalJson, copyChunks, idsOf, marksOf, readPage, storedVectors } from "./recordRows.js";
import { stateOf } from "./state.js";
import { storeGone } from "./write.js";

/** Chunks as import and export move them: with COPY, and compared by digests that the database computes itself. */
export const createRecords = ({ db }: Pgvector): Records => ({
  keeper: "PostgreSQL",
  mayAlter: "A trigger or a rule on the table may have changed it.",
  canonicalJson: (texts, bounds) => bounded(bounds, () => canonicalJson(db, texts)),
  marks: (chunks, bounds) => bounded(bounds, () => marksOf(db, chunks)),
  vectors: (chunks, bounds) => bounded(bounds, () => storedVectors(db, chunks)),
  add: (chunks, options, bounds) => bounded(bounds, () => addChunks(db, chunks, options)),
  page: (store, page, bounds) => bounded(bounds, () => readPage(db, store, page)),
});

const uniqueViolation = "23505";

async function addChunks(
  db: Pgvector["db"],
  chunks: readonly StoredChunk[],
  { readBack, now }: AddOptions,
): Promise<void> {
  try {
    await db.transaction(async (tx) => {
      await copyChunks(tx, chunks);
      if (readBack !== null) readBack(await marksOf(tx, chunks));
      for (const [storeId, own] of byStore(chunks)) await countIn(tx, storeId, own, now);
    });
  } catch (error) {
    if (error instanceof ApiError && errorCode(error.details.cause) === uniqueViolation)
      throw new Overtaken("one of the ids exists by now", { cause: error });
    throw error;
  }
}

/** Ordered by store id, like every transaction that locks several stores, so that none deadlock. */
function byStore(chunks: readonly StoredChunk[]): [string, StoredChunk[]][] {
  const groups = new Map<string, StoredChunk[]>();
  for (const chunk of chunks) {
    const own = groups.get(chunk.storeId);
    if (own === undefined) groups.set(chunk.storeId, [chunk]);
    else own.push(chunk);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function countIn(tx: Db, storeId: string, own: readonly StoredChunk[], now: number): Promise<void> {
  const bytes = own.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.content), 0);
  const change = { chunks: own.length, bytes, dimensions: (own[0]?.vector.length ?? 0) / 4 };
  const store = (await addToCounts(tx, storeId, change, { as: "use", now })) ?? storeGone(storeId);
  const { keywordsLanguage } = stateOf(store);
  if (keywordsLanguage !== null) await insertKeywords(tx, storeId, keywordsLanguage, idsOf(own));
}
