import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Place, createPlace, run, runDoctor } from "./support.js";

// Every command opens the embedded database, which takes at least a second.
let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.remove());

const tables = `
  CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE embeddings (id text PRIMARY KEY, vector_store_id text NOT NULL, content text NOT NULL, embedding vector NOT NULL,
    metadata jsonb, created_at timestamptz NOT NULL DEFAULT now());`;
const migrate = async (sql = tables) => {
  await place.exec(sql);
  expect((await run(["migrate"], { environment: place.environment })).code).toBe(0);
};
const doctor = (environment: Record<string, string> = {}) => runDoctor({ ...place.environment, ...environment });

/** Undoes the second migration and its record. */
const undoSearch = `
  ALTER TABLE vector_stores DROP COLUMN embedding_model, DROP COLUMN asks_dimensions, DROP COLUMN search_settings,
    DROP COLUMN vectors_complete, DROP COLUMN vectors_table, DROP COLUMN vectors_indexed, DROP COLUMN keywords_language,
    DROP COLUMN keywords_complete, DROP COLUMN reindex_requested;
  DROP TABLE vector_store_vectors, vector_store_keywords; DROP SEQUENCE vector_store_vectors_numbers;
  DELETE FROM vector_store_migrations WHERE version > 1;`;

describe("models and dimensions", () => {
  test("stores with their own model may have any dimensions; the others must agree with the settings", async () => {
    await migrate();
    await place.exec(`
      INSERT INTO vector_stores (id, name, chunk_count, embedding_dimensions, embedding_model)
      VALUES ('a', 'a', 1, 1024, 'large'), ('b', 'b', 0, 1024, 'large'), ('c', 'c', 1, 256, E'sma\\nll')`);
    const own = await doctor();
    expect(own.finding("dimensions")).toMatchObject({
      status: "ok",
      message: "8 for new stores; all existing stores have their own models",
    });
    expect(own.finding("models")?.message).toBe(
      '"large", 1024 dimensions: 2 stores\n"sma ll", 256 dimensions: 1 store',
    );
    await place.exec("INSERT INTO vector_stores (id, name, chunk_count, embedding_dimensions) VALUES ('d', 'd', 5, 8)");
    const agreeing = await doctor({ EMBEDDING__MODEL: "usual" });
    expect(agreeing.finding("dimensions")).toMatchObject({ status: "ok", message: "8, like the stored embeddings" });
    expect(agreeing.finding("models")?.message).toContain('the configured model (now "usual"), 8 dimensions: 1 store');
    await place.exec("UPDATE vector_stores SET embedding_dimensions = 9 WHERE id = 'd'");
    const { code, finding } = await doctor();
    expect(code).toBe(1);
    expect(finding("dimensions")).toMatchObject({
      status: "fail",
      message: "EMBEDDING__DIMENSIONS is 8, but the stored embeddings have 9",
    });
    // The server refuses the same.
    expect(await run(["migrate"], { environment: place.environment })).toMatchObject({
      code: 1,
      err: expect.stringContaining("EMBEDDING__DIMENSIONS is 8"),
    });
    // An empty store without a model has no dimensions yet.
    await place.exec("UPDATE vector_stores SET chunk_count = 0 WHERE id = 'd'");
    expect((await doctor()).finding("dimensions")?.status).toBe("ok");
  });

  test("at most ten models are named", async () => {
    await migrate();
    await place.exec(`INSERT INTO vector_stores (id, name, embedding_dimensions, embedding_model)
      SELECT 's' || n, 's', n, 'm' || n FROM generate_series(1, 12) AS n`);
    const lines = (await doctor()).finding("models")?.message.split("\n") ?? [];
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe("and 2 more");
  });

  test("a database with only the first migration is checked", async () => {
    await migrate();
    await place.exec(`${undoSearch}
      INSERT INTO vector_stores (id, name, chunk_count, embedding_dimensions) VALUES ('a', 'a', 1, 9);
      INSERT INTO embeddings VALUES ('1', 'a', 'x', '[1,0,0,0,0,0,0,0,0]', '{}')`);
    const { finding } = await doctor();
    expect(finding("migrations")).toMatchObject({ status: "warn", message: expect.stringContaining("pending: 0002 ") });
    expect(finding("dimensions")).toMatchObject({ status: "fail", message: expect.stringMatching(/ 8, .* have 9$/) });
    expect(finding("models")).toBeUndefined();
    expect(finding("contents")?.message).toBe("1 vector store, 1 embedding");
    expect(finding("indexes")).toMatchObject({
      status: "ok",
      message: expect.stringContaining("after its next start"),
    });
  });
});

describe("indexes", () => {
  test("stores by the state of their index, and the size of derived data", async () => {
    await migrate();
    const empty = (await doctor()).finding("indexes");
    expect(empty).toMatchObject({ status: "ok", message: expect.stringMatching(/^no stores yet \(.*\n.* take [1-9]/) });
    await place.exec(`
      INSERT INTO vector_stores (id, name, chunk_count, vectors_complete, vectors_table, vectors_indexed, reindex_requested, embedding_dimensions)
      VALUES ('r', '', 9, true, 1, true, false, 8), ('b1', '', 9, true, 2, false, false, 8), ('b2', '', 9, true, 3, true, true, 8),
        ('w1', '', 9, false, NULL, false, false, 8), ('w2', '', 9, true, NULL, false, true, 8), ('w3', '', 90, true, NULL, false, false, 8),
        ('n1', '', 9, true, NULL, false, false, 8), ('n2', '', 90, true, NULL, false, false, 16000)`);
    const { finding } = await doctor({ INDEX_MIN_ROWS: "50" });
    expect(finding("indexes")?.message.split("\n")[0]).toBe(
      "1 store with a ready index; 2 whose index is being built; 3 waiting for the running server to work on it; " +
        "2 stores without an index, searched exactly (INDEX_MIN_ROWS is 50)",
    );
  });

  test("half-built and missing indexes", async () => {
    await migrate();
    await place.exec(`
      CREATE TABLE vector_store_vectors_1 (id text PRIMARY KEY, embedding vector(8));
      CREATE TABLE vector_store_vectors_2 (id text PRIMARY KEY, embedding vector(8));
      CREATE TABLE vector_store_vectors_3 (id text PRIMARY KEY, embedding vector(8));
      CREATE INDEX vector_store_vectors_1_hnsw ON vector_store_vectors_1 USING hnsw (embedding vector_ip_ops);
      CREATE INDEX vector_store_vectors_2_hnsw ON vector_store_vectors_2 USING hnsw (embedding vector_ip_ops);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vector_store_vectors_2_hnsw'::regclass;
      INSERT INTO vector_stores (id, name, vectors_complete, vectors_table, vectors_indexed)
      VALUES ('fine', '', true, 1, true), ('half', '', true, 2, false), ('gone', '', true, 3, true)`);
    const { code, checks } = await doctor();
    expect(code).toBe(0);
    expect(checks.filter((each) => each.check === "indexes" && each.status === "warn")).toEqual([
      {
        check: "indexes",
        status: "warn",
        message: "the index of the store gone is gone",
        todo: "Rebuild it: vector-store reindex gone",
      },
      {
        check: "indexes",
        status: "warn",
        message: 'the index of the store half was left half-built ("vector_store_vectors_2_hnsw")',
        todo: "Rebuild it: vector-store reindex half",
      },
    ]);
  });

  test("an unused index on the embeddings table: its name, its cost, and when to drop it", async () => {
    await place.exec(`${tables}
      INSERT INTO vector_stores (id, name) VALUES ('a', 'a');
      INSERT INTO embeddings VALUES ('1', 'a', 'x', '[1,0,0,0,0,0,0,0]', '{}');
      ALTER TABLE embeddings ALTER COLUMN embedding TYPE vector(8);
      CREATE INDEX "By meaning" ON embeddings USING hnsw (embedding vector_cosine_ops);
      CREATE INDEX clusters ON embeddings USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'clusters'::regclass`);
    const warned = async () => {
      const { code, checks } = await doctor();
      expect(code).toBe(0);
      return checks.filter((each) => each.check === "indexes" && each.status === "warn");
    };
    const before = await warned();
    expect(before.map((each) => each.message)).toEqual([
      expect.stringMatching(
        /^the hnsw index "public"\."By meaning" on "embeddings" is not used by this service; it takes \d.*230 times/,
      ),
      expect.stringMatching(
        /^the ivfflat index "public"\."clusters" on "embeddings" is invalid, .* not used .*slows down every insert$/,
      ),
    ]);
    const drop = 'DROP INDEX "public"."By meaning";';
    const unless = "Unless another program uses it, drop it";
    expect(before[0]?.todo).toBe(`${unless} once the stores' own indexes are ready: ${drop}`);
    await migrate("SELECT 1");
    expect((await warned())[0]?.todo).toBe(`${unless} once the stores' own indexes are ready (1 not yet): ${drop}`);
    await place.exec("UPDATE vector_stores SET vectors_complete = true");
    expect((await warned())[0]?.todo).toBe(`${unless}: ${drop}`);
    await place.exec(drop);
    expect(await warned()).toHaveLength(1);
  });
});
