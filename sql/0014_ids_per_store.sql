-- Ids of rows are unique in their store, not over all stores: otherwise a refusal tells that another store has the id.
-- Only in a table of rows that was made just now. Others keep their key, because an older program may be running on
-- them (docs/access.md has the statements that convert one). An older program does not start on the new key.
-- only for new rows
-- oldest program: 0004

DO $$
DECLARE
  key text;
BEGIN
  SELECT quote_ident(conname) INTO STRICT key FROM pg_constraint
  WHERE conrelid = to_regclass($name${{embeddings}}$name$) AND contype = 'p';
  EXECUTE $text$ALTER TABLE {{embeddings}} DROP CONSTRAINT $text$ || key;
END $$;
ALTER TABLE {{embeddings}} ADD PRIMARY KEY ({{vector_store_id}}, {{id}});
-- The same columns as the key's.
DROP INDEX {{embeddings_by_store_index}};
