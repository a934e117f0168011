-- Sign-ins to the web page. What is here yields no key to whoever reads it: see docs/decisions/0052-sessions.md.
-- oldest program: 0004

CREATE TABLE IF NOT EXISTS {{sessions}} (
  id text PRIMARY KEY,
  -- SHA-256 of the token, which only the browser has.
  hash bytea NOT NULL UNIQUE,
  -- The key that was signed in with, encrypted under another key that follows from the token.
  sealed bytea NOT NULL,
  -- Who signed in, as the audit log names callers, and as what. If either changes, the session ends.
  name text NOT NULL,
  role text NOT NULL,
  created_at timestamptz NOT NULL,
  -- At most five minutes late.
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  address text,
  user_agent text
);
CREATE INDEX IF NOT EXISTS {{sessions_by_name}} ON {{sessions}} (name, id);
CREATE INDEX IF NOT EXISTS {{sessions_by_end}} ON {{sessions}} (expires_at);
