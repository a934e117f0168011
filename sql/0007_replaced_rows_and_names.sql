-- oldest program: 0004

-- Rows that were replaced while their store's next vectors table was being filled: the copy there may be the old one,
-- so it is removed at the end of the filling, and the new vector stays in the shared table until it is moved.
CREATE TABLE IF NOT EXISTS {{replaced}} (
  vector_store_id text NOT NULL,
  id text NOT NULL,
  PRIMARY KEY (vector_store_id, id)
);

-- Stores are found by name. A hash index takes names of any length.
CREATE INDEX IF NOT EXISTS {{stores_by_name}} ON {{vector_stores}} USING hash (name);
