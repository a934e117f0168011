import { hash, randomBytes } from "node:crypto";
import type { TestDatabase } from "./database.js";
import { embed } from "./litellmPgvector.js";

/** The SQL of litellm-vector-store's Quick Start, to the letter. */
const quickStart = `
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

CREATE TABLE IF NOT EXISTS vector_stores (
    id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name          VARCHAR(255) NOT NULL,
    owner_user_id VARCHAR(255) NOT NULL,
    created_at    TIMESTAMP DEFAULT NOW()
);

CREATE TABLE IF NOT EXISTS documents (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    store_id   UUID REFERENCES vector_stores(id) ON DELETE CASCADE,
    content    TEXT NOT NULL,
    metadata   JSONB DEFAULT '{}',
    embedding  vector(1024),
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE TABLE IF NOT EXISTS store_permissions (
    store_id   UUID REFERENCES vector_stores(id) ON DELETE CASCADE,
    user_id    VARCHAR(255) NOT NULL,
    permission VARCHAR(50) DEFAULT 'read',
    PRIMARY KEY (store_id, user_id)
);

CREATE TABLE IF NOT EXISTS usage_stats (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    VARCHAR(255) NOT NULL,
    store_id   UUID REFERENCES vector_stores(id) ON DELETE SET NULL,
    action     VARCHAR(50) NOT NULL,
    tokens     INT DEFAULT 0,
    duration   FLOAT DEFAULT 0,
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE INDEX IF NOT EXISTS idx_documents_store
    ON documents(store_id);
CREATE INDEX IF NOT EXISTS idx_documents_embedding
    ON documents USING ivfflat (embedding vector_cosine_ops)
    WITH (lists = 100);
CREATE INDEX IF NOT EXISTS idx_usage_user
    ON usage_stats(user_id);
CREATE INDEX IF NOT EXISTS idx_usage_created
    ON usage_stats(created_at);

GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO vecuser;
GRANT ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA public TO vecuser;
`;

/** Its settings, as far as they are about data. An empty value is an absent one: it has no setting for dimensions. */
export const quickStartSettings = { EMBEDDING_MODEL: "your-embedding-model", EMBEDDING__DIMENSIONS: "" };

/**
 * Runs the Quick Start's SQL, for a role of its own in the place of `vecuser`, because roles belong to the whole
 * server. Where the server has no uuid-ossp, which the tables do not use, that line is left out.
 * @returns the role
 */
export async function runQuickStart(database: TestDatabase): Promise<string> {
  const role = `test_vecuser_${randomBytes(6).toString("hex")}`;
  const [offered] = await database.query("SELECT 1 FROM pg_available_extensions WHERE name = 'uuid-ossp'");
  const text = offered === undefined ? quickStart.replace(/^CREATE EXTENSION .*"uuid-ossp";$/m, "") : quickStart;
  await database.exec(`CREATE ROLE ${role} LOGIN`);
  await database.exec(text.replaceAll("vecuser", role));
  return role;
}

export const storeIds = {
  handbooks: "00000000-0000-4000-8000-00000000000a",
  contracts: "00000000-0000-4000-8000-00000000000b",
  empty: "00000000-0000-4000-8000-00000000000c",
  nobodys: "00000000-0000-4000-8000-00000000000d",
};
const stores = [
  [storeIds.handbooks, "Handbooks", "ann", "'2025-03-01 10:00:00.123456'"],
  [storeIds.contracts, "Contracts", "ben", "'2025-03-02 10:00:00'"],
  [storeIds.empty, "Empty", "ann", "NULL"],
  [storeIds.nobodys, "Nobody's", "", "'2025-03-04 10:00:00'"],
] as const;

export interface QuickStartDocument {
  id: string;
  store_id: string | null;
  content: string;
  metadata: unknown;
}

/** Documents of both filled stores in turn, with the kinds of metadata that its code may have written. */
export function quickStartDocuments(count: number): QuickStartDocument[] {
  const metadatas = [{ filename: "a.pdf", chunk: 1 }, null, {}, { tags: ["x", "y"], page: 3 }, [], "text"];
  return Array.from({ length: count }, (_, i) => ({
    id: documentId(`document ${i}`),
    store_id: i % 2 === 0 ? storeIds.handbooks : storeIds.contracts,
    content: `Seite ${i}: ${["größe", "kettle", "東京", "manual", "pump"][i % 5] ?? ""} nr${i * 7919}`,
    metadata: metadatas[i % metadatas.length],
  }));
}

/** A UUID made from a text. */
export const documentId = (text: string): string =>
  hash("sha256", text, "hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

/** Rows in every table, as its program wrote them, with the values that their columns allow but nobody expects. */
export async function fillQuickStart(
  database: TestDatabase,
  documents: readonly QuickStartDocument[],
  dimensions: number,
): Promise<void> {
  await database.exec(
    `INSERT INTO vector_stores (id, name, owner_user_id, created_at) VALUES ${stores
      .map(([id, name, owner, at]) => `('${id}', '${name.replace("'", "''")}', '${owner}', ${at})`)
      .join(", ")}`,
  );
  await addDocuments(database, documents, dimensions);
  await database.exec(`
    INSERT INTO store_permissions (store_id, user_id, permission) VALUES
      ('${storeIds.handbooks}', 'ben', DEFAULT), ('${storeIds.handbooks}', 'cleo', 'write'),
      ('${storeIds.contracts}', 'cleo', 'Admin'), ('${storeIds.contracts}', 'dora', 'edit');
    INSERT INTO usage_stats (user_id, store_id, action, tokens, duration, created_at) VALUES
      ('ann', '${storeIds.handbooks}', 'search', 12, 0.25, now() AT TIME ZONE 'UTC' - interval '1 day'),
      ('ann', '${storeIds.handbooks}', 'search', 8, 0.5, now() AT TIME ZONE 'UTC' - interval '1 day'),
      ('ann', NULL, 'embeddings', 100, 1, now() AT TIME ZONE 'UTC' - interval '3 days'),
      ('ben', '${storeIds.contracts}', 'upload', NULL, NULL, now() AT TIME ZONE 'UTC' - interval '3 days');`);
}

export async function addDocuments(
  database: TestDatabase,
  documents: readonly QuickStartDocument[],
  dimensions: number,
): Promise<void> {
  const vectors = await embed(
    documents.map(({ content }) => content),
    dimensions,
  );
  await database.query(
    `INSERT INTO documents (id, store_id, content, metadata, embedding, created_at)
     SELECT id, store_id, content, metadata, embedding::vector, '2025-03-05 12:00:00' FROM jsonb_to_recordset($1::jsonb)
       AS r(id uuid, store_id uuid, content text, metadata jsonb, embedding text)`,
    [JSON.stringify(documents.map((row, i) => ({ ...row, embedding: `[${(vectors[i] ?? []).join(",")}]` })))],
  );
}

/** What no column forbids, and nothing here can stand for: each has to be named. */
export const stray = {
  orphan: documentId("orphan"),
  unembedded: documentId("unembedded"),
  timeless: documentId("timeless"),
  endless: documentId("endless"),
};
export const strayRows = `
  INSERT INTO documents (id, store_id, content, embedding) VALUES
    ('${stray.orphan}', NULL, 'of no store', array_fill(1, ARRAY[1024])::vector),
    ('${stray.unembedded}', '${storeIds.handbooks}', 'without an embedding: zebra', NULL);
  INSERT INTO documents (id, store_id, content, embedding, created_at) VALUES
    ('${documentId("undated")}', '${storeIds.handbooks}', 'without a time', array_fill(1, ARRAY[1024])::vector, NULL);
  INSERT INTO store_permissions (store_id, user_id, permission) VALUES
    ('${storeIds.handbooks}', 'dora', 'superuser'), ('${storeIds.handbooks}', 'emil', NULL), ('${storeIds.handbooks}', '', 'read');
  INSERT INTO usage_stats (id, user_id, action, created_at) VALUES ('${stray.timeless}', 'ann', 'search', NULL);
  INSERT INTO usage_stats (id, user_id, action, duration) VALUES ('${stray.endless}', 'ann', 'search', 'Infinity');`;
