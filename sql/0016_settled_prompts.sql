-- A store whose model is recorded, but not what it wants with its texts, is from before that was recorded, or imported:
-- its vectors were made without. From now on null means that nobody could say it yet.
-- oldest program: 0004

UPDATE {{vector_stores}} SET embedding_prompts = '{"queryPrefix": "", "documentPrefix": "", "inputType": null}'
WHERE embedding_model IS NOT NULL AND embedding_prompts IS NULL;
