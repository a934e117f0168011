import { expect } from "@jest/globals";
import { sql } from "kysely";
import type { Filter } from "../../../src/words/filter.js";
import { insertKeywords } from "../../../src/engines/pgvector/keywords/keywords.js";
import { scanKeywords, searchKeywords } from "../../../src/engines/pgvector/keywords/matching.js";
import type { FoundChunk } from "../../../src/words/chunk.js";
import type { Database } from "../../../src/db/database.js";

export interface Text {
  id: string;
  content: string;
  metadata?: Record<string, unknown>;
}

/** A store of these rows, in the record alone. */
export async function writeRecord(db: Database, storeId: string, texts: readonly Text[]): Promise<void> {
  const { vectorStores, embeddings: e } = db.layout;
  await sql`INSERT INTO ${vectorStores.table} (id, name, created_at) VALUES (${storeId}, 'words', now()) ON CONFLICT DO NOTHING`.execute(
    db.run,
  );
  for (const { id, content, metadata } of texts) {
    await sql`INSERT INTO ${e.table} (${e.insertColumns})
      VALUES (${id}, ${storeId}, ${content}, '[1,0,0,0,0,0,0,0]', ${JSON.stringify(metadata ?? {})}, now())`.execute(
      db.run,
    );
  }
}

/** The same, with its words. */
export async function writeStore(
  db: Database,
  storeId: string,
  texts: readonly Text[],
  language = "simple",
): Promise<void> {
  await writeRecord(db, storeId, texts);
  await insertKeywords(
    db,
    storeId,
    language,
    texts.map((each) => each.id),
  );
}

/** Searches by the words and by scanning, which must agree. */
export async function ask(
  db: Database,
  storeId: string,
  text: string,
  options: { filter?: Filter; limit?: number; language?: string; chunkCount?: number } = {},
): Promise<FoundChunk[]> {
  const search = { storeId, text, language: "simple", filter: null, limit: 10, chunkCount: 10, ...options };
  const hits = await searchKeywords(db, search);
  expect(await scanKeywords(db, search)).toEqual(hits);
  for (const { score } of hits) {
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(1);
  }
  return hits;
}

export const idsOf = (hits: readonly FoundChunk[]) => hits.map((each) => each.id);
