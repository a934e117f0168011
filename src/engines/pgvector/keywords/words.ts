import { sql } from "kysely";
import type { Db } from "../../../db/database.js";
import type { FoundChunk } from "../../../words/chunk.js";
import type { VectorStore } from "../../../words/store.js";
import { EngineError, type WordQuery, type Words } from "../../engine.js";
import type { Pgvector } from "../context.js";
import { bounded } from "../failures.js";
import { visible } from "../passing.js";
import { stateOf } from "../state.js";
import { requireSameHidden } from "../storeChanged.js";
import { requestKeywords } from "../upkeep/requests.js";
import { keywordSettings, scanKeywords, searchKeywords } from "./matching.js";

/**
 * The text search configurations that every PostgreSQL since 14 has. A store's metadata may name only these: a
 * `language` there is often for another program ("en", "Deutsch"), and a search with a configuration that the database
 * lacks fails.
 */
const languages = (
  "simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish italian " +
  "lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish"
).split(" ");

/** Up to this many chunks, a search makes the words itself (80 µs per chunk) while the keywords table lacks them. */
const mostScanned = 50_000;

export const createWords = (pg: Pgvector): Words => ({
  languages,
  usualLanguage: "simple",
  problemWith: async (language, bounds) =>
    (await bounded(bounds, () => isLanguage(pg.db, language)))
      ? null
      : `'${language.slice(0, 64)}' is no text search configuration of this database; 'simple' fits every language, and 'english', 'german' and others also compare inflected words`,
  matching: (store, query, bounds) => bounded(bounds, () => matching(pg, store, query)),
});

/** Whether this database has a text search configuration of that name: `simple`, `english`, … */
export async function isLanguage(db: Db, name: string): Promise<boolean> {
  // Other names would need quotes, and a number would mean an object's id.
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) return false;
  const { rows } = await sql`
    SELECT 1 FROM pg_ts_config WHERE cfgname = ${name} AND pg_ts_config_is_visible(oid)`.execute(db.run);
  return rows.length > 0;
}

async function matching(pg: Pgvector, store: VectorStore, query: WordQuery): Promise<FoundChunk[]> {
  const state = stateOf(store);
  const search = {
    ...query,
    storeId: store.id,
    filter: visible(query.filter, state),
    chunkCount: store.chunkCount,
  };
  const reading = (settings: Record<string, string>, work: typeof searchKeywords) =>
    pg.db.reading(settings, async (tx) => {
      const found = await work(tx, search);
      await requireSameHidden(tx, store.id, state);
      return found;
    });
  const hasLanguage = state.keywordsLanguage === query.language;
  if (hasLanguage && state.keywordsComplete) return reading(keywordSettings, searchKeywords);
  if (!hasLanguage) await requestKeywords(pg, store.id, query.language);
  if (store.chunkCount <= mostScanned) return reading({ jit: "off" }, scanKeywords);
  throw new EngineError(
    "away",
    503,
    `The keyword index of this vector store (${store.chunkCount} rows, language '${query.language}') is being built. Try again later, or search by vector.`,
    { code: "service_unavailable", retryAfterSeconds: 30 },
  );
}
