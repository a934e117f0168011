-- Who pays for the ingestion of a file, which goes on after the request that attached it.
-- oldest program: 0004

-- {userId, teamId, keyHash}: LiteLLM's names of the user, the team and the key that attached it, never the key itself.
-- Null: the service pays.
ALTER TABLE {{store_files}} ADD COLUMN IF NOT EXISTS payer jsonb;

-- Keys that were made at LiteLLM for ingestion, by their SHA-256 in hex. LiteLLM keeps expired keys, so they are
-- deleted there; a process that dies leaves that to others.
CREATE TABLE IF NOT EXISTS {{minted_keys}} (
  hash text PRIMARY KEY,
  ends_at timestamptz NOT NULL
);
