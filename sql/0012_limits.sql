-- What users, teams, keys and vector stores may use at most, where an administrator has set it.
-- oldest program: 0004

CREATE TABLE IF NOT EXISTS {{limits}} (
  -- `user:ID`, `team:ID`, `key:ID` or `store:ID`.
  subject text PRIMARY KEY,
  -- {"vectorStores", "bytes", "requestsPerMinute"}: a number, or null for none; absent: the setting's.
  limits jsonb NOT NULL,
  set_at timestamptz NOT NULL,
  set_by text NOT NULL
);
