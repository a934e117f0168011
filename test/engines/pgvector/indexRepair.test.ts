import { describe, expect, test } from "@jest/globals";
import { engineOn } from "../../../src/engines/pgvector/pgvector.js";
import { stateOf } from "../../../src/engines/pgvector/state.js";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { createStore, rowsPath } from "../../support/stores.js";
import { bruteForceIds } from "../../support/nearest.js";
import { pg, service, settle, indexOf, fill, search, ownTable, countIn } from "./indexingSupport.js";
import { fullServer } from "../../../src/words/caller.js";

describe("repair", () => {
  test("a half-built index is rebuilt", async () => {
    const id = await fill(320);
    await settle();
    const table = await ownTable(id);
    await service.database.exec(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${table}_hnsw'::regclass`);
    await service.deps.engine.check();
    expect((await indexOf(id)).state).toBe("building");
    expect(await search(id, 12)).toEqual(await bruteForceIds(service, id, 12, 10));
    await settle();
    expect((await indexOf(id)).state).toBe("ready");
    const [index] = await service.database.query<{ valid: boolean }>(
      `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = '${await ownTable(id)}_hnsw'::regclass`,
    );
    expect(index?.valid).toBe(true);
    expect(await search(id, 12)).toEqual(await bruteForceIds(service, id, 12, 10));
  });

  test("a process killed during a build leaves a table that the next one finishes", async () => {
    const id = await fill(320);
    // As after the kill: half of the rows copied, an index that is not valid, and rows deleted since.
    await service.database.exec(`
      CREATE TABLE vector_store_vectors_777 (id text PRIMARY KEY, embedding ${service.db.layout.derived.vectorType}(8));
      INSERT INTO vector_store_vectors_777 SELECT id, embedding FROM vector_store_vectors WHERE vector_store_id = '${id}' ORDER BY id LIMIT 160;
      CREATE INDEX vector_store_vectors_777_hnsw ON vector_store_vectors_777 USING hnsw (embedding ${service.db.layout.derived.vectorType}_ip_ops);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vector_store_vectors_777_hnsw'::regclass;
      UPDATE vector_stores SET vectors_next = 777 WHERE id = '${id}'`);
    expect((await indexOf(id)).state).toBe("building");
    await service.delete(rowsPath(id), { filters: { tenth: 4 } }).expect(200);
    expect(await countIn("vector_store_vectors_777")).toBe(144);
    await settle();
    expect(await indexOf(id)).toMatchObject({ state: "ready", indexed: 288, fresh: 0 });
    expect(await ownTable(id)).toBe("vector_store_vectors_777");
    expect(await search(id, 12, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 12, 50));
  });

  test("a graph that has doubled is rebuilt, and no row is lost or duplicated", async () => {
    const id = await fill(300);
    await settle();
    const first = await ownTable(id);
    await fill(299, 300, {}, id);
    await settle();
    expect(await ownTable(id)).toBe(first);
    await fill(1, 599, {}, id);
    await settle();
    expect(await ownTable(id)).not.toBe(first);
    const [left] = await service.database.query<{ left: string | null }>(
      `SELECT to_regclass('${first}')::text AS left`,
    );
    expect(left?.left).toBeNull();
    expect(await indexOf(id)).toMatchObject({ state: "ready", indexed: 600, fresh: 0 });
    for (const recall of ["exact", "high"]) {
      const found = await search(id, 99, { max_num_results: 50, ranking_options: { recall } });
      expect(found).toEqual(await bruteForceIds(service, id, 99, 50));
    }
  });

  test("an index that somebody dropped is built again", async () => {
    const id = await fill(320);
    await settle();
    await service.database.exec(`DROP INDEX ${await ownTable(id)}_hnsw`);
    await service.deps.engine.check();
    await settle();
    expect((await indexOf(id)).state).toBe("ready");
    expect(await search(id, 12)).toEqual(await bruteForceIds(service, id, 12, 10));
  });

  test("reindex adds what another program wrote and removes what it deleted", async () => {
    const id = await fill(20);
    await service.database.exec(`
      INSERT INTO embeddings (id, vector_store_id, content, embedding)
      SELECT 'foreign-' || n, '${id}', 'foreign', ('[' || n || ',0,0,0,0,0,0,1]')::vector FROM generate_series(1, 5) AS n;
      DELETE FROM embeddings WHERE id = 'row-${id}-00003'`);
    await service.post(`/v1/vector_stores/${id}/reindex`).expect(200);
    expect((await indexOf(id)).state).toBe("waiting");
    await settle();
    expect((await indexOf(id)).state).toBe("ready");
    const all = await search(id, 3, { max_num_results: 50 });
    expect(all).toHaveLength(24);
    expect(all).toEqual(await bruteForceIds(service, id, 3, 50));
    // Rebuilt a second time, now that an index exists.
    await service.post(`/v1/vector_stores/${id}/reindex`).expect(200);
    await settle();
    expect(await search(id, 3, { max_num_results: 50 })).toEqual(all);
  });

  test("a start finds rows that another program wrote, and counts them", async () => {
    const id = await fill(20);
    await service.database.exec(`
      INSERT INTO embeddings (id, vector_store_id, content, embedding)
      SELECT 'other-' || n, '${id}', 'four', ('[' || n || ',0,0,0,0,0,0,1]')::vector FROM generate_series(1, 5) AS n`);
    await service.deps.engine.check();
    const body = (await service.get(`/v1/vector_stores/${id}`).expect(200)).body as { file_counts: { total: number } };
    expect(body.file_counts.total).toBe(25);
    expect(await search(id, 3, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 3, 50));
    await settle();
    expect((await indexOf(id)).state).toBe("none");
    expect(await search(id, 3, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 3, 50));
  });

  test("an adopted store is searched in the record until its vectors are there, even during writes", async () => {
    const id = await fill(40);
    await service.database.exec(`
      DELETE FROM vector_store_vectors WHERE vector_store_id = '${id}';
      UPDATE vector_stores SET vectors_complete = false WHERE id = '${id}'`);
    expect((await indexOf(id)).state).toBe("waiting");
    expect(await search(id, 3, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 3, 50));
    await fill(10, 40, {}, id);
    await service.delete(rowsPath(id), { ids: [`row-${id}-00005`] }).expect(200);
    await settle();
    expect(await countIn("vector_store_vectors", `vector_store_id = '${id}'`)).toBe(49);
    expect(await search(id, 3, { max_num_results: 50 })).toEqual(await bruteForceIds(service, id, 3, 50));
  });

  test("reindex of an empty store ends, and its first rows are found", async () => {
    const id = await createStore(service);
    await service.post(`/v1/vector_stores/${id}/reindex`).expect(200);
    await settle();
    await fill(3, 0, {}, id);
    await settle();
    expect(await search(id, 1)).toEqual(await bruteForceIds(service, id, 1, 10));
  });

  test("a search whose table is replaced under it finds the new one", async () => {
    const id = await fill(400);
    await settle();
    const { findStore } = await import("../../../src/db/tables/stores.js");
    const { searchStores: run } = await import("../../../src/core/search/searchStores.js");
    const { readSearch, searchBody } = await import("../../../src/http/wire/search.js");
    const before = await findStore(service.db, { kind: "all" }, id);
    await service.post(`/v1/vector_stores/${id}/reindex`).expect(200);
    await settle();
    // The search read the store's row earlier, and reaches its table after the replacement.
    const vector = Float32Array.from(testVector(3, testDimensions));
    const embedder = { ...service.deps.litellm.embedder, embedQuery: () => Promise.resolve(vector) };
    const usual: typeof service.db.reading = (settings, work) => service.db.reading(settings, work);
    const db = {
      ...service.db,
      reading: ((settings, work) => {
        db.reading = usual;
        return usual(settings, (tx) =>
          work({
            ...tx,
            layout: {
              ...tx.layout,
              derived: {
                ...tx.layout.derived,
                ownVectors: () => tx.layout.derived.ownVectors((before && stateOf(before).vectorsTable) ?? 0),
              },
            },
          }),
        );
      }) as typeof service.db.reading,
    };
    const engine = engineOn({ ...pg, db });
    const deps = { ...service.deps, engine, litellm: { ...service.deps.litellm, embedder } };
    const { found } = await run(
      deps,
      fullServer,
      [id],
      readSearch(searchBody.parse({ query: "x" })),
      new AbortController().signal,
    );
    expect(found.map((chunk) => chunk.id)).toEqual(await bruteForceIds(service, id, 3, 10));
  });

  test("vectors without a direction, which only other programs write, come last", async () => {
    const id = await fill(5);
    await service.database.exec(`
      INSERT INTO embeddings (id, vector_store_id, content, embedding) VALUES ('zero-${id}', '${id}', 'zero', '[0,0,0,0,0,0,0,0]')`);
    await service.post(`/v1/vector_stores/${id}/reindex`).expect(200);
    await settle();
    const found = await search(id, 1, { max_num_results: 10 });
    expect(found).toHaveLength(6);
    expect(found.at(-1)).toBe(`zero-${id}`);
  });
});
