-- Keys of the service itself, and the log of administrative acts.
-- oldest program: 0004

CREATE TABLE IF NOT EXISTS {{keys}} (
  id text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  -- SHA-256 of the key; the key itself is shown once and not stored.
  hash bytea NOT NULL UNIQUE,
  -- Its last four characters, so that people can tell which one they hold.
  ending text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('search', 'read', 'write', 'admin')),
  -- The only stores that it may use; null: all.
  stores text[],
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  -- At most a minute late.
  last_used_at timestamptz,
  -- The key before the last rotation, which works on for a while.
  old_hash bytea,
  old_until timestamptz
);
CREATE INDEX IF NOT EXISTS {{keys_by_old}} ON {{keys}} (old_hash) WHERE old_hash IS NOT NULL;

-- Who did what, when and from where. Nothing updates or deletes a row.
CREATE TABLE IF NOT EXISTS {{audit}} (
  id text PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  details jsonb NOT NULL,
  -- The client's address; null: the command line.
  address text,
  request_id text
);
