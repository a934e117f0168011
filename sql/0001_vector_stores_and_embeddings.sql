-- The two tables of litellm-pgvector, made where they are absent and completed where they are present: one file serves a new
-- installation and an adopted database. Nothing here rewrites a row of embeddings. {{…}} are names from the settings.

CREATE TABLE IF NOT EXISTS {{vector_stores}} (
  id text PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Adding a nullable column, or one with a constant default, changes only the catalogue. All have defaults or allow null, so
-- that litellm-pgvector can still write to the table after a roll back.
ALTER TABLE {{vector_stores}}
  ADD COLUMN IF NOT EXISTS created_at {{time_type}} NOT NULL DEFAULT {{now}},
  ADD COLUMN IF NOT EXISTS description text,
  ADD COLUMN IF NOT EXISTS metadata jsonb,
  ADD COLUMN IF NOT EXISTS expires_after jsonb,
  ADD COLUMN IF NOT EXISTS expires_at {{time_type}},
  ADD COLUMN IF NOT EXISTS last_active_at {{time_type}},
  ADD COLUMN IF NOT EXISTS owner_user_id text,
  -- Exact counters, changed in the transaction that changes the rows. litellm-pgvector's own file_counts and usage_bytes
  -- (a 32-bit integer) are wrong in practice and stay as they are, unread.
  ADD COLUMN IF NOT EXISTS chunk_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS content_bytes bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS embedding_dimensions integer;

-- The vector has no fixed dimension in a new table: it is the store's own (embedding_dimensions).
CREATE TABLE IF NOT EXISTS {{embeddings}} (
  {{id}} text PRIMARY KEY,
  {{vector_store_id}} {{vector_store_id_type}} NOT NULL REFERENCES {{vector_stores}} (id) ON UPDATE CASCADE ON DELETE CASCADE,
  {{content}} text NOT NULL,
  {{embedding}} vector NOT NULL,
  {{metadata}} jsonb,
  {{created_at}} timestamptz NOT NULL DEFAULT now()
);

-- Serves the rows of one store (exact search, counts, cascade) and their pages in the order of ids.
CREATE INDEX IF NOT EXISTS {{embeddings_by_store}} ON {{embeddings}} ({{vector_store_id}}, {{id}});

-- Pages of the list of stores.
CREATE INDEX IF NOT EXISTS {{stores_by_time}} ON {{vector_stores}} (created_at, id);

UPDATE {{vector_stores}} AS s
SET chunk_count = e.chunk_count,
    content_bytes = e.content_bytes,
    -- One row answers for its store: reading every vector of a large table out of TOAST would take minutes.
    embedding_dimensions = (SELECT vector_dims(one.{{embedding}}) FROM {{embeddings}} AS one
                            WHERE one.{{vector_store_id}} = e.id LIMIT 1),
    last_active_at = COALESCE(s.last_active_at, s.created_at)
FROM (
  SELECT {{vector_store_id}} AS id, count(*) AS chunk_count, sum(octet_length({{content}})) AS content_bytes
  FROM {{embeddings}}
  GROUP BY 1
) AS e
WHERE e.id::text = s.id::text;

-- litellm-pgvector wrote an expiry down but never acted on it. Nobody's store must vanish because it changed hands: one that has
-- lapsed is in use from now on, for a new term by its policy.
UPDATE {{vector_stores}} AS s
SET last_active_at = {{now}},
    expires_at = CASE WHEN s.expires_after ->> 'days' ~ '^[0-9]{1,5}$'
                      THEN {{now}} + make_interval(secs => (s.expires_after ->> 'days')::float8 * 86400) END
WHERE s.expires_at <= {{now}};
