import { sql } from "kysely";
import type { Db } from "../../db/connection/database.js";

/** A chunk's place in its document, as its metadata says it. */
export interface Place {
  /** The metadata key that names the document, e.g. "file_id". */
  key: string;
  document: string;
  index: number;
}

/** Documents of one lookup; each costs a bit of every row that is looked at. */
const mostDocuments = 100;

/**
 * Contents of the chunks at these places, for those that exist.
 * @param indexed whether metadata has its index: then each document is looked up in it, else the store is read once.
 */
export async function findPlaces(
  db: Db,
  storeId: string,
  places: readonly Place[],
  indexed: boolean,
): Promise<(Place & { content: string })[]> {
  const e = db.layout.embeddings;
  const found: (Place & { content: string })[] = [];
  for (const key of new Set(places.map((each) => each.key))) {
    const own = places.filter((each) => each.key === key);
    const documents = [...new Set(own.map((each) => each.document))].slice(0, mostDocuments);
    const inDocuments = indexed
      ? sql.join(
          documents.map((document) => sql`${e.metadata} @> ${JSON.stringify({ [key]: document })}::jsonb`),
          sql` OR `,
        )
      : sql`${e.metadata} ->> ${key}::text = ANY(${documents}::text[])`;
    const indexes = JSON.stringify([...new Set(own.map((each) => each.index))]);
    const { rows } = await sql<{ document: string; index: number; content: string }>`
      SELECT ${e.metadata} ->> ${key}::text AS document, (${e.metadata} ->> 'chunk_index')::float8 AS index, ${e.content} AS content
      FROM ${e.table} AS e
      WHERE ${e.vectorStoreId} = ${storeId} AND (${inDocuments})
        AND jsonb_typeof(${e.metadata} -> ${key}::text) = 'string' AND jsonb_typeof(${e.metadata} -> 'chunk_index') = 'number' AND ${indexes}::jsonb @> (${e.metadata} -> 'chunk_index')
      ORDER BY ${e.id}`.execute(db.run);
    found.push(...rows.map((row) => ({ key, ...row })));
  }
  return found;
}
