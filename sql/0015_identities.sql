-- Keys that act as the user whom LiteLLM names. Their scope is written as "user:write". An older program knows no such
-- scope and gives the key no right at all: beside a newer one, or after a rollback, it refuses LiteLLM with 403 instead
-- of letting everybody act as the service.
-- oldest program: 0004

DO $$
DECLARE
  known text;
BEGIN
  SELECT quote_ident(conname) INTO STRICT known FROM pg_constraint
  WHERE conrelid = to_regclass($name${{keys}}$name$) AND contype = 'c';
  EXECUTE $text$ALTER TABLE {{keys}} DROP CONSTRAINT $text$ || known;
END $$;
ALTER TABLE {{keys}} ADD CHECK (
  scope IN ('search', 'read', 'write', 'admin', 'user:search', 'user:read', 'user:write')
);
