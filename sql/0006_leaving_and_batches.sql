-- Removing many chunks in portions, files in several batches, and waiting for a twin.
-- oldest program: 0004

-- Chunks that no longer belong to a file, and are removed in portions; until then the file id is among the hidden ones.
-- A crash leaves the rest to the sweep.
CREATE TABLE IF NOT EXISTS {{left_chunks}} (
  vector_store_id {{store_id_type}} NOT NULL REFERENCES {{vector_stores}} (id) ON UPDATE CASCADE ON DELETE CASCADE,
  -- As the file had them: together they select its chunks.
  file_id text NOT NULL,
  chunk_base text NOT NULL,
  PRIMARY KEY (vector_store_id, file_id, chunk_base)
);

-- The store was deleted: nobody finds it, and its chunks are removed in portions, then its row.
ALTER TABLE {{vector_stores}} ADD COLUMN IF NOT EXISTS leaving boolean NOT NULL DEFAULT false;

-- Files that were attached already when a batch named them. Those that a batch attached have its id in their own row.
CREATE TABLE IF NOT EXISTS {{batch_files}} (
  batch_id text NOT NULL REFERENCES {{file_batches}} (id) ON DELETE CASCADE,
  vector_store_id {{store_id_type}} NOT NULL,
  file_id text NOT NULL,
  PRIMARY KEY (batch_id, file_id),
  FOREIGN KEY (vector_store_id, file_id) REFERENCES {{store_files}} (vector_store_id, file_id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS {{batch_files_by_file}} ON {{batch_files}} (vector_store_id, file_id);

-- Finds a file with the same content that is before another one in the queue.
CREATE INDEX IF NOT EXISTS {{store_files_twins}} ON {{store_files}} (vector_store_id, content_hash) WHERE status = 'in_progress';
