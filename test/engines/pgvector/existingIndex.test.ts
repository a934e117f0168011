import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { searchChunks } from "../../../src/engines/pgvector/nearest.js";
import type { Database } from "../../../src/db/database.js";
import { findStore } from "../../../src/db/tables/stores.js";
import { withState } from "../../../src/engines/pgvector/state.js";
import { createTestDatabase } from "../../support/database.js";
import { giveEngine } from "../../support/engine.js";
import { tablesWithKeyOnId } from "../../support/keyOnId.js";
import { testDimensions } from "../../support/settings.js";
import { type TestService, startService } from "../../support/service.js";
import { testVector } from "../../support/vectors.js";

let service: TestService;
beforeAll(async () => {
  const database = await createTestDatabase();
  await database.exec(tablesWithKeyOnId);
  service = await startService({ database });
});
afterAll(() => service.close());

/** An adopted table may have one: litellm-vector-store's has ivfflat, operators add hnsw. */
const indexes = {
  hnsw: (column: string) => `USING hnsw (${column} vector_cosine_ops)`,
  ivfflat: (column: string) => `USING ivfflat (${column} vector_cosine_ops) WITH (lists = 50)`,
};

test.each(Object.entries(indexes))("an existing %s index never takes results away", async (kind, definition) => {
  await service.database.exec("DELETE FROM embeddings; DELETE FROM vector_stores");
  const ids: string[] = [];
  for (const name of ["small", "large"]) {
    ids.push(((await service.post("/v1/vector_stores", { name }).expect(200)).body as { id: string }).id);
  }
  const [small = "", large = ""] = ids;
  for (const [store, count] of [
    [small, 60],
    [large, 5000],
  ] as const) {
    const embeddings = Array.from({ length: count }, (_, i) => ({
      content: `${store} ${i}`,
      embedding: testVector(i + 1, testDimensions),
    }));
    await service.post(`/v1/vector_stores/${store}/embeddings/batch`, { embeddings, return: "count" }).expect(200);
  }
  // An index needs the dimension in the column's type, as every adopted table has it.
  await service.database.exec(`ALTER TABLE embeddings ALTER COLUMN embedding TYPE vector(${testDimensions});
    CREATE INDEX existing_${kind} ON embeddings ${definition("embedding")}; ANALYZE embeddings`);
  // Like a store that was just adopted: only there the record's own vectors are searched.
  const found = await findStore(service.db, { kind: "all" }, small);
  if (found === undefined) throw new Error("the store is gone");
  const store = withState(found, { vectorsComplete: false });
  const embedding = Float32Array.from(testVector(99, testDimensions));
  const query = { recall: "high" as const, embedding, filter: null, limit: 50 };
  // The planner must not be able to choose the index, whatever it thinks of the alternatives.
  const hits = await service.db.transaction(async (tx) => {
    await sql`SET LOCAL enable_seqscan = off`.execute(tx.run);
    await sql`SET LOCAL enable_bitmapscan = off`.execute(tx.run);
    await sql`DROP INDEX embeddings_by_store`.execute(tx.run);
    const db: Database = { ...service.db, reading: (_, work) => work(tx) };
    const found = await searchChunks({ ...giveEngine(service), db }, store, query);
    await sql`CREATE INDEX embeddings_by_store ON embeddings (vector_store_id, id)`.execute(tx.run);
    return found;
  });
  expect(hits).toHaveLength(50);
});
