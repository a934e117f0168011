import { describe, expect, test } from "@jest/globals";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import { testDimensions } from "../../support/settings.js";
import { bodyOf, countsOf, searchStore } from "../../support/stores.js";
import { importInto, sourceOf, transferStore } from "../../support/transfer.js";
import { service, rows, bytes } from "./importSupport.js";

describe("stores", () => {
  test("of the source are created with what the source says, even without rows", async () => {
    const stores = [
      transferStore("vs_one", {
        name: "One",
        description: "first",
        metadata: '{"team": "a", "n": 12345678901234567890}',
        ownerUserId: "user-1",
        expiresAfter: '{"anchor": "last_active_at", "days": 7}',
        createdAt: 1_600_000_000_250_000,
        embeddingDimensions: testDimensions,
        prompts: '{"queryPrefix": "query: ", "documentPrefix": "passage: ", "inputType": null}',
        search: '{"mode": "hybrid", "language": "english"}',
      }),
      transferStore("09beee6f-ed62-47c6-a161-dea9018a5a40", { name: "Empty", embeddingDimensions: testDimensions }),
    ];
    const all = rows(20, () => ({ storeId: "vs_one", content: "many kettles" }));
    const result = await importInto(service, sourceOf(all, { stores }));
    expect(result.stores.map(({ id, made }) => [id, made])).toEqual([
      ["vs_one", true],
      ["09beee6f-ed62-47c6-a161-dea9018a5a40", true],
    ]);
    expect(await bodyOf(service.get("/v1/vector_stores/vs_one").expect(200))).toMatchObject({
      name: "One",
      description: "first",
      expires_after: { anchor: "last_active_at", days: 7 },
      created_at: 1_600_000_000,
      file_counts: { completed: 20 },
      search_mode: "hybrid",
      query_prefix: "query: ",
      document_prefix: "passage: ",
    });
    const [row] = await service.database.query(
      "SELECT owner_user_id, metadata::text AS metadata, expires_at > now() AS alive, keywords_language FROM vector_stores WHERE id = 'vs_one'",
    );
    expect(row).toEqual({
      owner_user_id: "user-1",
      metadata: '{"n": 12345678901234567890, "team": "a"}',
      alive: true,
      keywords_language: "english",
    });
    expect((await searchStore(service, "vs_one", "kettle")).length).toBe(10);
    await service.get("/v1/vector_stores/09beee6f-ed62-47c6-a161-dea9018a5a40").expect(200);
  });

  test("that exist are used as they are", async () => {
    await importInto(
      service,
      sourceOf([], { stores: [transferStore("vs_one", { name: "One", embeddingDimensions: testDimensions })] }),
    );
    await service.post("/v1/vector_stores/vs_one", { name: "Renamed" }).expect(200);
    const all = rows(5, () => ({ storeId: "vs_one" }));
    const source = sourceOf(all, { name: "other", stores: [transferStore("vs_one", { name: "One" })] });
    expect((await importInto(service, source)).stores).toMatchObject([{ id: "vs_one", name: "Renamed", made: false }]);
    expect((await countsOf(service, "vs_one")).rows).toBe(5);
  });

  test("with names that are not ids get an id, the same in every run", async () => {
    const all = rows(10, (n) => ({ storeId: n % 2 === 0 ? "Support FAQ" : "Handbuch/ä" }));
    const first = await importInto(service, sourceOf(all));
    expect(first.stores.map((store) => store.name)).toEqual(["Support FAQ", "Handbuch/ä"]);
    for (const { id } of first.stores) expect(id).toMatch(/^vs_[0-9a-f]{32}$/);
    const again = await importInto(service, sourceOf(all), { restart: true });
    expect(again.stores).toEqual(first.stores.map((store) => ({ ...store, made: false })));
    expect(again.counts).toMatchObject({ added: 0, duplicates: 10 });
  });

  test("from --store-name are created, and found again by the same import", async () => {
    const first = await importInto(service, sourceOf(rows(5)), { storeName: "Docs" });
    const again = await importInto(service, sourceOf(rows(8)), { storeName: "Docs" });
    expect(again.stores).toEqual(first.stores.map((store) => ({ ...store, made: false })));
    expect(again).toMatchObject({ repeated: true, counts: { added: 3, duplicates: 5 } });
    const [store] = first.stores;
    expect(await countsOf(service, store?.id ?? "")).toEqual({ rows: 8, bytes: bytes(rows(8)) });
  });

  test("have the named model, which is required for other dimensions than the settings'", async () => {
    const short = rows(3, () => ({ vector: toNetworkOrder(Float32Array.of(1, 2, 3)) }));
    await expect(importInto(service, sourceOf(short), { storeName: "short" })).rejects.toThrow(
      /^--embedding-model: the vectors have 3 dimensions, and those of .* have 8 \(EMBEDDING__DIMENSIONS\)\. Name the model/,
    );
    expect(await service.database.query("SELECT 1 FROM vector_stores")).toEqual([]);
    const result = await importInto(service, sourceOf(short), {
      storeName: "short",
      embeddingModel: "built-in-hashing",
    });
    expect(result.stores).toMatchObject([{ dimensions: 3, made: true }]);
  });

  test("must be named if the rows do not name one", async () => {
    await expect(importInto(service, sourceOf(rows(1)))).rejects.toThrow(
      /^--store: the rows do not say which vector store they belong to.*--store-name/,
    );
    await expect(importInto(service, sourceOf(rows(1)), { store: "vs_none" })).rejects.toMatchObject({ status: 404 });
  });
});
