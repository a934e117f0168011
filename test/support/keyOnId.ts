/**
 * The two tables as earlier versions of this service made them, and as other programs have them: with a key on the id
 * alone, so that no two stores can have rows with the same id.
 */
export const tablesWithKeyOnId = `
  CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE embeddings (
    id text PRIMARY KEY,
    vector_store_id text NOT NULL REFERENCES vector_stores (id) ON UPDATE CASCADE ON DELETE CASCADE,
    content text NOT NULL,
    embedding vector NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now());`;
