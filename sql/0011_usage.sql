-- What was used, by whom.
-- oldest program: 0004

-- A request, or the ingestion of a file. Written some at a time, at most a second late.
CREATE TABLE IF NOT EXISTS {{usage_events}} (
  id text PRIMARY KEY,
  at timestamptz NOT NULL,
  user_id text,
  team_id text,
  -- SHA-256 of a LiteLLM key in hex, the id of a key of the service, `server` (SERVER_API_KEY) or `master`.
  key_id text NOT NULL,
  vector_store_id text,
  -- The operation's id in the OpenAPI document, or `ingestFile`.
  action text NOT NULL,
  tokens bigint NOT NULL,
  duration_ms bigint NOT NULL,
  status integer NOT NULL
);
CREATE INDEX IF NOT EXISTS {{usage_events_by_time}} ON {{usage_events}} (at);

-- Their sums by day in UTC, made with them. An absent user, team or store is ''.
CREATE TABLE IF NOT EXISTS {{usage_days}} (
  day date NOT NULL,
  user_id text NOT NULL,
  team_id text NOT NULL,
  key_id text NOT NULL,
  vector_store_id text NOT NULL,
  action text NOT NULL,
  requests bigint NOT NULL,
  failures bigint NOT NULL,
  tokens bigint NOT NULL,
  duration_ms bigint NOT NULL,
  PRIMARY KEY (day, user_id, team_id, key_id, vector_store_id, action)
);
CREATE INDEX IF NOT EXISTS {{usage_days_by_user}} ON {{usage_days}} (user_id, day);
CREATE INDEX IF NOT EXISTS {{usage_days_by_team}} ON {{usage_days}} (team_id, day);
CREATE INDEX IF NOT EXISTS {{usage_days_by_store}} ON {{usage_days}} (vector_store_id, day);
