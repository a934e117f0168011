import { describe, expect, test } from "@jest/globals";
import { batchPath, rowOf } from "../../support/stores.js";
import { bruteForceIds } from "../../support/nearest.js";
import { service, settle, indexOf, fill, search, ownTable, countIn } from "./indexingSupport.js";

const idOf = (store: string, seed: number) => `row-${store}-${String(seed).padStart(5, "0")}`;
const replace = (store: string, seeds: readonly number[], shift: number) =>
  service
    .post(batchPath(store), {
      embeddings: seeds.map((seed) => rowOf(seed + shift, { id: idOf(store, seed) })),
      on_conflict: "replace",
    })
    .expect(200);

/** For these vectors a search finds what comparing all rows finds. */
async function expectExact(store: string, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const expected = await bruteForceIds(service, store, seed, 10);
    for (const recall of ["exact", "high"])
      expect(await search(store, seed, { ranking_options: { recall } })).toEqual(expected);
  }
}

describe("replaced rows of a store with an index", () => {
  test("leave its table, are fresh again, and move back", async () => {
    const store = await fill(320);
    await settle();
    // As many fresh rows as are moved at once.
    const seeds = Array.from({ length: 200 }, (_, i) => i + 5);
    await replace(store, seeds, 5000);
    expect(await countIn(await ownTable(store))).toBe(120);
    expect(await indexOf(store)).toMatchObject({ state: "ready", indexed: 120, fresh: 200 });
    await expectExact(store, [5, 5005, 5007]);
    await settle();
    expect(await indexOf(store)).toMatchObject({ indexed: 320, fresh: 0 });
    await expectExact(store, [5, 5005, 5007]);
  });

  test("do not keep the vector that a table under construction copied before", async () => {
    const store = await fill(320);
    const type = service.db.layout.derived.vectorType;
    await service.database.exec(`
      CREATE TABLE vector_store_vectors_778 (id text PRIMARY KEY, embedding ${type}(8));
      UPDATE vector_stores SET vectors_next = 778 WHERE id = '${store}';
      CREATE TABLE copied AS SELECT id, embedding FROM vector_store_vectors WHERE vector_store_id = '${store}'`);
    await replace(store, [8, 9], 5000);
    // The copy read the old rows and becomes visible only now.
    await service.database.exec(
      "INSERT INTO vector_store_vectors_778 SELECT id, embedding FROM copied; DROP TABLE copied",
    );
    await settle();
    expect(await ownTable(store)).toBe("vector_store_vectors_778");
    await expectExact(store, [8, 5008, 5009]);
    expect(await countIn("vector_store_replaced")).toBe(0);
  });
});
