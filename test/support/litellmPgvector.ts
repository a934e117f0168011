import { randomUUID } from "node:crypto";
import { loadConfig } from "../../src/process/config.js";
import { ownWork } from "../../src/words/caller.js";
import { createLitellm } from "../../src/litellm/litellm.js";
import { createLog } from "../../src/process/log.js";
import { createMetrics } from "../../src/process/metrics.js";
import type { TestDatabase } from "./database.js";

/** litellm-pgvector's tables, as `prisma db push` creates them from its schema. */
export const referenceTables = (dimensions: number) => `
  CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL, file_counts jsonb, status text NOT NULL DEFAULT 'completed',
    usage_bytes integer DEFAULT 0, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, expires_after jsonb,
    expires_at timestamp(3), last_active_at timestamp(3), metadata jsonb);
  CREATE TABLE embeddings (id text PRIMARY KEY, vector_store_id text NOT NULL REFERENCES vector_stores(id) ON UPDATE CASCADE
    ON DELETE CASCADE, content text NOT NULL, embedding vector(${dimensions}) NOT NULL, metadata jsonb,
    created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);`;

export interface ReferenceRow {
  id: string;
  vector_store_id: string;
  content: string;
  metadata: unknown;
  created_at: string;
}

export interface ReferenceStore {
  id: string;
  name: string;
  file_counts?: unknown;
  usage_bytes?: number | null;
  created_at: string;
  expires_after?: unknown;
  expires_at?: string;
  metadata?: unknown;
}

/** Stores as they occur in practice: negative, partial or absent counts, wrong sizes, any kind of policy. */
export function referenceStores(): ReferenceStore[] {
  const stores: Omit<ReferenceStore, "id" | "created_at">[] = [
    {
      name: "negative counts",
      file_counts: { in_progress: 0, completed: -3, failed: 0, cancelled: 0, total: -3 },
      usage_bytes: -77,
    },
    { name: "partial counts", file_counts: { completed: 1 }, usage_bytes: 2147483647, metadata: { team: "a" } },
    { name: "no counts", file_counts: null, usage_bytes: null, metadata: null },
    {
      name: "counts of another kind",
      file_counts: "many",
      metadata: [1, 2],
      expires_after: { anchor: "last_active_at", days: "seven" },
    },
    { name: "", expires_after: { anchor: "last_active_at", days: 7 }, expires_at: "2025-01-08 00:00:00" },
    { name: "lapsed without a policy", expires_at: "2025-01-08 00:00:00" },
    { name: "empty", file_counts: { total: 12 }, usage_bytes: 5, metadata: {} },
  ];
  return stores.map((store, i) => ({ ...store, id: randomUUID(), created_at: `2025-07-0${i + 1} 23:30:00.125` }));
}

/** Rows of words, with every kind of metadata that its code accepts. */
export function referenceRows(stores: readonly ReferenceStore[], count: number): ReferenceRow[] {
  const metadatas = [null, {}, { n: 1, tag: "x" }, { nested: { a: [1] } }, [], "text"];
  return Array.from({ length: count }, (_, i) => ({
    id: randomUUID(),
    vector_store_id: stores[i % stores.length]?.id ?? "",
    content: `Zeile ${i}: ${["größe", "kettle", "東京", "manual", "pump"][i % 5] ?? ""} nr${i * 7919} ${(i * 104729).toString(36)}`,
    metadata: metadatas[i % metadatas.length],
    created_at: `2025-07-${String(1 + (i % 28)).padStart(2, "0")} 22:00:00.5`,
  }));
}

/** The built-in embedder's vector of each text. */
export function embed(texts: readonly string[], dimensions: number): Promise<Float32Array[]> {
  const { embedding } = loadConfig({ EMBEDDING__DIMENSIONS: String(dimensions) });
  return createLitellm(embedding, createLog("silent"), createMetrics()).embedder.embed([...texts], { caller: ownWork });
}

export async function fillReference(
  database: TestDatabase,
  stores: readonly ReferenceStore[],
  rows: readonly ReferenceRow[],
  dimensions: number,
): Promise<void> {
  const vectors = await embed(
    rows.map((row) => row.content),
    dimensions,
  );
  await database.query(
    `INSERT INTO vector_stores (id, name, file_counts, usage_bytes, created_at, expires_after, expires_at, metadata)
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id text, name text, file_counts jsonb, usage_bytes integer, created_at timestamp,
       expires_after jsonb, expires_at timestamp, metadata jsonb)`,
    [JSON.stringify(stores)],
  );
  await database.query(
    `INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata, created_at)
     SELECT id, vector_store_id, content, embedding::vector, metadata, created_at FROM jsonb_to_recordset($1::jsonb)
       AS r(id text, vector_store_id text, content text, embedding text, metadata jsonb, created_at timestamp)`,
    [JSON.stringify(rows.map((row, i) => ({ ...row, embedding: `[${(vectors[i] ?? []).join(",")}]` })))],
  );
}

/** Sets the server's time zone to another than UTC, for new connections (the embedded database has only one). */
export async function liveInTokyo(database: TestDatabase): Promise<void> {
  await database.exec(
    database.kind === "pglite"
      ? "SET timezone TO 'Asia/Tokyo'"
      : "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''Asia/Tokyo''', current_database()); END $$",
  );
}
