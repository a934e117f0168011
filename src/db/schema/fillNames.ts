import type { DatabaseConfig } from "../../process/config.js";
import type { DatabaseKind } from "../executor.js";
import { type Layout, derivedVectorType } from "./layout.js";
import { type Table, type Tables, beside, indexOn, quote } from "./tables.js";

/** What the database has of the two tables before it is migrated. */
export interface Found {
  vectorStores: Layout["vectorStores"] | null;
  embeddings: Layout["embeddings"] | null;
}

interface Naming {
  config: DatabaseConfig;
  tables: Tables;
  found: Found;
  kind: DatabaseKind;
}

/** Fills in quoted names, which the settings allow-list, and the types that an adopted table has chosen. */
export function fillNames(text: string, { config, tables, found, kind }: Naming): string {
  const { fields } = config;
  const { vectorStores: stores, embeddings } = found;
  const zoned = stores?.zoned ?? true;
  const values: Record<string, string> = {
    vector_stores: tables.vectorStores.quoted,
    embeddings: tables.embeddings.quoted,
    embeddings_by_store: indexName(tables.embeddings, "by_store"),
    embeddings_by_store_index: indexOn(tables.embeddings, "by_store").quoted,
    stores_by_time: indexName(tables.vectorStores, "by_time"),
    stores_by_name: indexName(tables.vectorStores, "by_name"),
    stores_by_beginning: indexName(tables.vectorStores, "by_beginning"),
    stores_by_user: indexName(tables.vectorStores, "by_user"),
    stores_by_team: indexName(tables.vectorStores, "by_team"),
    stores_by_key: indexName(tables.vectorStores, "by_key"),
    id: quote(fields.id),
    content: quote(fields.content),
    metadata: quote(fields.metadata),
    embedding: quote(fields.embedding),
    vector_store_id: quote(fields.vectorStoreId),
    created_at: quote(fields.createdAt),
    store_id_type: stores?.idType ?? "text",
    vector_store_id_type: stores?.idType ?? "text",
    chunk_store_id_type: embeddings?.vectorStoreIdType ?? stores?.idType ?? "text",
    chunk_id_type: embeddings?.idType ?? "text",
    vectors: tables.vectors.quoted,
    vectors_numbers: beside(tables.vectors, `${tables.vectors.name}_numbers`).quoted,
    vector_type: derivedVectorType(kind),
    keywords: tables.keywords.quoted,
    keywords_words: indexName(tables.keywords, "words"),
    files: tables.ours.vector_store_file_objects.quoted,
    files_by_time: indexName(tables.ours.vector_store_file_objects, "by_time"),
    files_by_expiry: indexName(tables.ours.vector_store_file_objects, "by_expiry"),
    files_by_user: indexName(tables.ours.vector_store_file_objects, "by_user"),
    files_by_team: indexName(tables.ours.vector_store_file_objects, "by_team"),
    files_by_key: indexName(tables.ours.vector_store_file_objects, "by_key"),
    file_slices: tables.ours.vector_store_file_slices.quoted,
    uploads: tables.ours.vector_store_uploads.quoted,
    upload_parts: tables.ours.vector_store_upload_parts.quoted,
    upload_parts_by_upload: indexName(tables.ours.vector_store_upload_parts, "by_upload"),
    file_batches: tables.ours.vector_store_file_batches.quoted,
    store_files: tables.ours.vector_store_files.quoted,
    store_files_by_file: indexName(tables.ours.vector_store_files, "by_file"),
    store_files_by_time: indexName(tables.ours.vector_store_files, "by_time"),
    store_files_by_batch: indexName(tables.ours.vector_store_files, "by_batch"),
    store_files_queue: indexName(tables.ours.vector_store_files, "queue"),
    store_files_by_turn: indexName(tables.ours.vector_store_files, "by_turn"),
    store_files_by_content: indexName(tables.ours.vector_store_files, "by_content"),
    file_descriptions: tables.ours.vector_store_file_descriptions.quoted,
    imports: tables.ours.vector_store_imports.quoted,
    replaced: tables.ours.vector_store_replaced.quoted,
    left_chunks: tables.ours.vector_store_left_chunks.quoted,
    batch_files: tables.ours.vector_store_batch_files.quoted,
    batch_files_by_file: indexName(tables.ours.vector_store_batch_files, "by_file"),
    store_files_twins: indexName(tables.ours.vector_store_files, "twins"),
    ...accessNames(tables.ours),
    time_type: zoned ? "timestamptz" : "timestamp(3)",
    now: zoned ? "now()" : "(now() AT TIME ZONE 'UTC')",
  };
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a migration uses the unknown name {{${name}}}`);
    return value;
  });
}

/** Of tables about callers. */
const accessNames = (ours: Tables["ours"]): Record<string, string> => ({
  permissions: ours.vector_store_permissions.quoted,
  permissions_by_subject: indexName(ours.vector_store_permissions, "by_subject"),
  keys: ours.vector_store_keys.quoted,
  keys_by_old: indexName(ours.vector_store_keys, "by_old"),
  audit_by_rotated: indexName(ours.vector_store_audit, "by_rotated"),
  audit_by_heir: indexName(ours.vector_store_audit, "by_heir"),
  usage_events: ours.vector_store_usage_events.quoted,
  usage_events_by_time: indexName(ours.vector_store_usage_events, "by_time"),
  usage_days: ours.vector_store_usage_days.quoted,
  usage_days_by_user: indexName(ours.vector_store_usage_days, "by_user"),
  usage_days_by_team: indexName(ours.vector_store_usage_days, "by_team"),
  usage_days_by_store: indexName(ours.vector_store_usage_days, "by_store"),
  minted_keys: ours.vector_store_minted_keys.quoted,
  audit: ours.vector_store_audit.quoted,
  limits: ours.vector_store_limits.quoted,
  sessions: ours.vector_store_sessions.quoted,
  sessions_by_name: indexName(ours.vector_store_sessions, "by_name"),
  sessions_by_end: indexName(ours.vector_store_sessions, "by_end"),
});

const indexName = (table: Table, suffix: string): string => quote(indexOn(table, suffix).name);
