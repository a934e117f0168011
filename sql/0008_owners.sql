-- Owners beside the user, and permissions.
-- oldest program: 0004

-- A store belongs to a user and the team of that user's key; one of a service account to its team; one of a key that
-- belongs to nobody to that key, by its SHA-256 in hex. Without any, it is the service's own.
ALTER TABLE {{vector_stores}}
  ADD COLUMN IF NOT EXISTS owner_team_id text,
  ADD COLUMN IF NOT EXISTS owner_key_id text;
-- litellm-vector-store's table allows no store without a user.
ALTER TABLE {{vector_stores}} ALTER COLUMN owner_user_id DROP NOT NULL;
CREATE INDEX IF NOT EXISTS {{stores_by_user}} ON {{vector_stores}} (owner_user_id) WHERE owner_user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {{stores_by_team}} ON {{vector_stores}} (owner_team_id) WHERE owner_team_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {{stores_by_key}} ON {{vector_stores}} (owner_key_id) WHERE owner_key_id IS NOT NULL;

ALTER TABLE {{files}}
  ADD COLUMN IF NOT EXISTS owner_team_id text,
  ADD COLUMN IF NOT EXISTS owner_key_id text;
CREATE INDEX IF NOT EXISTS {{files_by_user}} ON {{files}} (owner_user_id) WHERE owner_user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {{files_by_team}} ON {{files}} (owner_team_id) WHERE owner_team_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {{files_by_key}} ON {{files}} (owner_key_id) WHERE owner_key_id IS NOT NULL;

ALTER TABLE {{uploads}}
  ADD COLUMN IF NOT EXISTS owner_team_id text,
  ADD COLUMN IF NOT EXISTS owner_key_id text;

-- Who else may use a store: `user:ID`, `team:ID` or `everyone`.
CREATE TABLE IF NOT EXISTS {{permissions}} (
  vector_store_id {{store_id_type}} NOT NULL REFERENCES {{vector_stores}} (id) ON UPDATE CASCADE ON DELETE CASCADE,
  subject text NOT NULL,
  permission text NOT NULL CHECK (permission IN ('read', 'write', 'admin')),
  granted_at timestamptz NOT NULL,
  granted_by text NOT NULL,
  PRIMARY KEY (vector_store_id, subject)
);
CREATE INDEX IF NOT EXISTS {{permissions_by_subject}} ON {{permissions}} (subject);
