import type { RandomRow } from "../support/randomRows.js";
import { type Place, run } from "./support.js";

/** All columns of rows and stores, as text. */
export const contentOf = async (place: Pick<Place, "query">): Promise<{ rows: unknown; stores: unknown }> => ({
  rows: await place.query(
    `SELECT id, vector_store_id, content, COALESCE(metadata, '{}')::text AS metadata, embedding::text AS embedding,
            (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM embeddings ORDER BY id`,
  ),
  stores: await place.query(
    `SELECT id, name, description, metadata::text AS metadata, expires_after::text AS expires_after, owner_user_id, embedding_model,
            embedding_dimensions, search_settings::text AS search, chunk_count::text AS chunks, content_bytes::text AS bytes,
            (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros FROM vector_stores ORDER BY id`,
  ),
});

/** A statement that inserts rows; with literals, because `exec` takes no parameters. */
export function insertSql(storeId: string, rows: readonly RandomRow[]): string {
  const json = JSON.stringify(
    rows.map((row) => ({ ...row, metadata: row.metadata, embedding: `[${row.embedding.join(",")}]` })),
  );
  return `INSERT INTO embeddings (id, vector_store_id, content, metadata, embedding, created_at)
    SELECT r.id, '${storeId}', r.content, r.metadata::jsonb, r.embedding::vector, to_timestamp(r.micros / 1000000.0)
    FROM jsonb_to_recordset($json$${json}$json$::jsonb) AS r(id text, content text, metadata text, embedding text, micros numeric);
    UPDATE vector_stores SET chunk_count = ${rows.length}, content_bytes = (SELECT COALESCE(sum(octet_length(content)), 0) FROM embeddings)
    WHERE id = '${storeId}'`;
}

/** `import … --json` or `export … --json`. */
export async function runJson<T>(
  place: Pick<Place, "environment">,
  args: readonly string[],
  stdin?: string,
): Promise<T> {
  const { code, out, err } = await run([...args, "--json"], {
    environment: place.environment,
    ...(stdin !== undefined && { stdin }),
  });
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as T;
}

export interface ImportAnswer {
  finished: boolean;
  rows: { read: number; resumed_after: number; added: number; duplicates: number; skipped: number; embedded: number };
  verified: boolean;
  checksums: { read: string; stored: string };
  stores: { id: string; name: string; made: boolean; dimensions: number }[];
  notes: string[];
  /** Of a litellm-vector-store. */
  people: { granted: number; used: number; used_long_ago: number; not_understood: number };
}

export interface ExportAnswer {
  rows: number;
  resumed_after: number;
  stores: number;
  checksum: string | null;
  files: string[];
}
