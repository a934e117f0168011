-- Files: their bytes, the stores that they are attached to, and how far each has come on its way to chunks.

-- OpenAI's File object. `content` names the bytes: rows of {{file_slices}}, or a file in FILES_DIR.
CREATE TABLE IF NOT EXISTS {{files}} (
  id text PRIMARY KEY,
  owner_user_id text,
  filename text NOT NULL,
  purpose text NOT NULL,
  bytes bigint NOT NULL,
  -- SHA-256 of the bytes.
  content_hash bytea NOT NULL,
  content text NOT NULL,
  in_directory boolean NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz
);
CREATE INDEX IF NOT EXISTS {{files_by_time}} ON {{files}} (created_at, id);
CREATE INDEX IF NOT EXISTS {{files_by_expiry}} ON {{files}} (expires_at) WHERE expires_at IS NOT NULL;

-- Bytes in slices of a megabyte at most, so that no reader or writer holds more. A content without a file or an upload is left over
-- from a sender who broke off.
CREATE TABLE IF NOT EXISTS {{file_slices}} (
  content text NOT NULL,
  number integer NOT NULL,
  bytes bytea NOT NULL,
  written_at timestamptz NOT NULL,
  PRIMARY KEY (content, number)
);
-- Documents are compressed already, or read once.
ALTER TABLE {{file_slices}} ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- OpenAI's Upload object: a file that comes in parts.
CREATE TABLE IF NOT EXISTS {{uploads}} (
  id text PRIMARY KEY,
  owner_user_id text,
  filename text NOT NULL,
  purpose text NOT NULL,
  bytes bigint NOT NULL,
  mime_type text NOT NULL,
  status text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Seconds that the file is to live.
  file_expires_after bigint,
  file_id text
);
CREATE TABLE IF NOT EXISTS {{upload_parts}} (
  id text PRIMARY KEY,
  upload_id text NOT NULL REFERENCES {{uploads}} (id) ON DELETE CASCADE,
  content text NOT NULL,
  in_directory boolean NOT NULL,
  bytes bigint NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS {{upload_parts_by_upload}} ON {{upload_parts}} (upload_id);

CREATE TABLE IF NOT EXISTS {{file_batches}} (
  id text PRIMARY KEY,
  vector_store_id {{store_id_type}} NOT NULL REFERENCES {{vector_stores}} (id) ON UPDATE CASCADE ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  cancelled boolean NOT NULL DEFAULT false
);

-- A file attached to a store: OpenAI's VectorStoreFile, and at the same time the queue of ingestion. A file id that nobody knows is
-- listed as failed, so there is no reference to {{files}}.
CREATE TABLE IF NOT EXISTS {{store_files}} (
  vector_store_id {{store_id_type}} NOT NULL REFERENCES {{vector_stores}} (id) ON UPDATE CASCADE ON DELETE CASCADE,
  file_id text NOT NULL,
  batch_id text,
  filename text NOT NULL,
  content_hash bytea,
  created_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('in_progress', 'completed', 'failed', 'cancelled')),
  error_code text,
  error_message text,
  attributes jsonb,
  -- {type, size, overlap}: how the text is cut, and {vision_model, vision_prompt} as far as given.
  settings jsonb NOT NULL,
  -- An attached file with the same content and settings, whose chunks stand for both.
  same_as text,
  -- On completion, files of the same name in the store give way.
  replaces boolean NOT NULL DEFAULT false,
  -- Chunks that are stored, the bytes of their texts, and the whole number as soon as it is known.
  chunk_count bigint NOT NULL DEFAULT 0,
  content_bytes bigint NOT NULL DEFAULT 0,
  chunks_total bigint,
  stage text NOT NULL DEFAULT 'queued' CHECK (stage IN ('queued', 'parsing', 'embedding', 'done')),
  -- The ids of its chunks begin with this, and end with their number; see core/chunkIds.ts.
  chunk_base text NOT NULL,
  -- The version of reading and chunking that its chunks were made with: another one begins anew.
  made_by integer,
  -- Who works on it, and until when it is theirs without another sign of life.
  lease text,
  lease_until timestamptz,
  -- When it was taken last: stores take turns.
  taken_at timestamptz,
  run_after timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  PRIMARY KEY (vector_store_id, file_id)
);
CREATE INDEX IF NOT EXISTS {{store_files_by_file}} ON {{store_files}} (file_id);
CREATE INDEX IF NOT EXISTS {{store_files_by_time}} ON {{store_files}} (vector_store_id, created_at, file_id);
CREATE INDEX IF NOT EXISTS {{store_files_by_batch}} ON {{store_files}} (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {{store_files_queue}} ON {{store_files}} (run_after) WHERE status = 'in_progress';
CREATE INDEX IF NOT EXISTS {{store_files_by_turn}} ON {{store_files}} (vector_store_id, taken_at);
CREATE INDEX IF NOT EXISTS {{store_files_by_content}} ON {{store_files}} (vector_store_id, content_hash);

-- What the vision model said of a picture or a scanned page, so that a crash does not pay for it twice.
CREATE TABLE IF NOT EXISTS {{file_descriptions}} (
  vector_store_id {{store_id_type}} NOT NULL,
  file_id text NOT NULL,
  picture bytea NOT NULL,
  description text NOT NULL,
  PRIMARY KEY (vector_store_id, file_id, picture),
  FOREIGN KEY (vector_store_id, file_id) REFERENCES {{store_files}} (vector_store_id, file_id) ON UPDATE CASCADE ON DELETE CASCADE
);

-- Files whose chunks are being written: their rows are in the record but no search sees them until all are there.
ALTER TABLE {{vector_stores}} ADD COLUMN IF NOT EXISTS hidden_files text[] NOT NULL DEFAULT '{}';
