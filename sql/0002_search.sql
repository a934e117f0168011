-- What search needs beside the record: the store's own model and settings, and tables that are derived from the record and can be
-- made anew from it at any time. The embeddings table stays as it is.

ALTER TABLE {{vector_stores}}
  -- The model that makes this store's embeddings; null: the one of the settings, as before this column was there.
  ADD COLUMN IF NOT EXISTS embedding_model text,
  -- Whether the model is asked for embedding_dimensions numbers (it can shorten its vectors) or gives them by itself.
  ADD COLUMN IF NOT EXISTS asks_dimensions boolean NOT NULL DEFAULT false,
  -- {mode, recall, language, embedding_weight, text_weight}, as far as they were set.
  ADD COLUMN IF NOT EXISTS search_settings jsonb,
  -- True: the vectors tables hold every row of the store. Until then the record itself is searched.
  ADD COLUMN IF NOT EXISTS vectors_complete boolean NOT NULL DEFAULT false,
  -- The number of the store's own vectors table, for a store that has outgrown the shared one.
  ADD COLUMN IF NOT EXISTS vectors_table bigint,
  -- True: that table has a usable HNSW index, built when the store had vectors_built rows.
  ADD COLUMN IF NOT EXISTS vectors_indexed boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS vectors_built bigint NOT NULL DEFAULT 0,
  -- The number of the table that is being filled to take its place.
  ADD COLUMN IF NOT EXISTS vectors_next bigint,
  -- The language in which the keywords table has this store's rows; null: it does not have them.
  ADD COLUMN IF NOT EXISTS keywords_language text,
  ADD COLUMN IF NOT EXISTS keywords_complete boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS reindex_requested boolean NOT NULL DEFAULT false;

-- Derived tables of an earlier installation on the same tables tell nothing that the record does not. Nothing is missing of a store that has nothing.
DROP TABLE IF EXISTS {{vectors}}, {{keywords}};
UPDATE {{vector_stores}}
SET vectors_complete = (chunk_count = 0), vectors_table = NULL, vectors_next = NULL, vectors_indexed = false, keywords_language = NULL;

-- Unit vectors in the row itself: an exact search reads 3 KB a row in half precision where the record's 6 KB lie in TOAST, a third to
-- a fourth of the time. Null: a vector that has no direction. Rows up to a page stay whole (EXTERNAL would otherwise begin at 2 KB).
CREATE TABLE {{vectors}} (
  vector_store_id {{chunk_store_id_type}} NOT NULL,
  id {{chunk_id_type}} NOT NULL,
  embedding {{vector_type}},
  PRIMARY KEY (vector_store_id, id)
) WITH (toast_tuple_target = 8160);
ALTER TABLE {{vectors}} ALTER COLUMN embedding SET STORAGE EXTERNAL;

-- Numbers of the stores' own vectors tables, {{vectors}} with the number behind it.
CREATE SEQUENCE IF NOT EXISTS {{vectors_numbers}};

-- Lexemes of a chunk, and its store as one of them, so that the index itself keeps stores apart.
CREATE TABLE {{keywords}} (
  vector_store_id {{chunk_store_id_type}} NOT NULL,
  id {{chunk_id_type}} NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (vector_store_id, id)
);
CREATE INDEX {{keywords_words}} ON {{keywords}} USING gin (words);
