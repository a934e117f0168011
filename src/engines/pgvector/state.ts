import { sql } from "kysely";
import { recordEngineState } from "../../db/tables/stores.js";
import type { Db } from "../../db/database.js";
import type { VectorStore } from "../../words/store.js";

/**
 * What this engine remembers of a store, in columns of the store's row (db/tables/storeColumns.ts,
 * sql/0002_search.sql).
 */
export interface PgvectorState {
  /** Every chunk has its derived vector. Until then the record itself is searched. */
  vectorsComplete: boolean;
  /** The number of the store's own table of vectors; null: they are in the shared one. */
  vectorsTable: number | null;
  /** That table has a usable HNSW index, built when the store had `vectorsBuilt` chunks. */
  vectorsIndexed: boolean;
  vectorsBuilt: number;
  /** The number of the table that is being filled to replace `vectorsTable`. */
  vectorsNext: number | null;
  /** The language in which the keywords table has the store's words; null: it has none. */
  keywordsLanguage: string | null;
  keywordsComplete: boolean;
  reindexRequested: boolean;
  /** Files whose chunks are being written, which no search may see yet. */
  hiddenFiles: string[];
}

export const stateOf = (store: Pick<VectorStore, "engine">): PgvectorState => store.engine as unknown as PgvectorState;

/** The version of the extension in this database. */
export async function extensionVersion(db: Db): Promise<{ pgvector: string }> {
  const { rows } = await sql<{ pgvector: string }>`
    SELECT extversion AS pgvector FROM pg_extension WHERE extname = 'vector'`.execute(db.run);
  return rows[0] ?? { pgvector: "unknown" };
}

export const recordState = (db: Db, storeId: string, changes: Partial<PgvectorState>): Promise<void> =>
  recordEngineState(db, storeId, changes);

/** The store as it is after `recordState`, without reading it again. */
export const withState = (store: VectorStore, changes: Partial<PgvectorState>): VectorStore => ({
  ...store,
  engine: { ...store.engine, ...changes },
});
