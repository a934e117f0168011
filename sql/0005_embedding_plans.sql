-- Which model embedded a store's rows, and how a file's text was cut into its stored chunks.
-- oldest program: 0004

-- The model that made the first vector of a text here; null: none was made, or by a program that did not record it.
ALTER TABLE {{vector_stores}} ADD COLUMN IF NOT EXISTS embedded_by text;

-- {queryPrefix, documentPrefix, inputType}: what the model is told of each text's purpose; null: nothing.
ALTER TABLE {{vector_stores}} ADD COLUMN IF NOT EXISTS embedding_prompts jsonb;

-- {model, size, overlap, splits}: what later attempts must repeat, so that chunks keep their numbers; written with the
-- first stored chunk.
ALTER TABLE {{store_files}} ADD COLUMN IF NOT EXISTS plan jsonb;
