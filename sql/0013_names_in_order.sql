-- Stores in the order of their names, for administrators.
-- oldest program: 0004

-- Names may be longer than an entry of an index; those that begin alike are told apart by their ids. Sizes and times of
-- use have no index: every search and every insertion would have to write it (5 times the WAL of a use, measured), and
-- PostgreSQL sorts 100,000 stores in less than 0.1 s.
CREATE INDEX IF NOT EXISTS {{stores_by_beginning}} ON {{vector_stores}} (lower(left(name, 200)), id);
