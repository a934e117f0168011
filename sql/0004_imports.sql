-- How far each import has come, so that one that was killed goes on. Nothing else reads it.
-- oldest program: 0003

CREATE TABLE IF NOT EXISTS {{imports}} (
  -- Of the source, how it is read, and where to: the same command finds its row again.
  fingerprint text PRIMARY KEY,
  -- For people.
  source text NOT NULL,
  -- All before is stored and was compared; null: nothing yet, or all of it.
  position jsonb,
  -- {read, added, duplicates, skipped, …} of this run and those that it goes on after.
  counts jsonb,
  -- Who is at it, and until when it is theirs without another sign of life.
  lease text,
  lease_until timestamptz,
  started_at timestamptz NOT NULL,
  finished_at timestamptz
);
