import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import pg from "pg";
import {
  databaseUrl,
  dimensions,
  embeddingModel,
  facts,
  failure,
  fill,
  proxy,
  search,
  sidecar,
  storeIds,
  texts,
} from "./support.js";

const through = { custom_llm_provider: "pg_vector" };

describe.each(["plainLife", "versionLife"] as const)("a registered store's life through LiteLLM, entry %s", (name) => {
  const storeId = storeIds[name];

  test("retrieve, update and delete work, and then the store is gone", async () => {
    await fill(storeId);
    const before = await proxy.vectorStores.retrieve(storeId);
    expect(before).toMatchObject({ id: storeId, name, file_counts: { total: facts.length } });
    expect(before.usage_bytes).toBe(facts.reduce((sum, fact) => sum + Buffer.byteLength(fact.text), 0));

    const updated = await proxy.vectorStores.update(storeId, {
      name: "Renamed",
      metadata: { team: "support" },
      expires_after: { anchor: "last_active_at", days: 30 },
    });
    expect(updated).toMatchObject({ id: storeId, name: "Renamed", metadata: { team: "support" } });
    expect(await sidecar.vectorStores.retrieve(storeId)).toMatchObject({
      name: "Renamed",
      metadata: { team: "support" },
      expires_after: { anchor: "last_active_at", days: 30 },
      expires_at: (updated.last_active_at ?? 0) + 30 * 86_400,
    });
    expect(texts(await search(storeId, { query: facts[0].question }))[0]).toBe(facts[0].text);

    expect(await proxy.vectorStores.delete(storeId)).toMatchObject({ id: storeId, deleted: true });
    expect((await failure(sidecar.vectorStores.retrieve(storeId))).status).toBe(404);
    expect((await failure(proxy.vectorStores.retrieve(storeId))).status).toBe(404);
    expect((await failure(search(storeId, { query: "anything" }))).status).toBe(404);
    expect((await failure(proxy.vectorStores.delete(storeId))).status).toBe(404);
  });
});

describe("a store created through LiteLLM that is not in its registry", () => {
  test("is filled, searched and updated if the request names the provider", async () => {
    const { id } = await proxy.post<{ id: string }>("/vector_stores", {
      body: { ...through, name: "Made now", expires_after: { anchor: "last_active_at", days: 3 } },
    });
    expect(await sidecar.vectorStores.retrieve(id)).toMatchObject({
      name: "Made now",
      expires_after: { anchor: "last_active_at", days: 3 },
    });
    await fill(id);
    const page = await search(id, { ...through, query: facts[4].question, max_num_results: 1 });
    expect(texts(page)).toEqual([facts[4].text]);
    await proxy.post(`/vector_stores/${id}`, { body: { ...through, name: "Made before" } });
    expect(await sidecar.vectorStores.retrieve(id)).toMatchObject({ name: "Made before", metadata: {} });
    await sidecar.vectorStores.delete(id);
    expect((await failure(search(id, { ...through, query: "x" }))).status).toBe(404);
  });

  test("needs no name: LiteLLM sends null for it", async () => {
    const { id } = await proxy.post<{ id: string }>("/vector_stores", { body: through });
    expect(await sidecar.vectorStores.retrieve(id)).toMatchObject({ name: "" });
    await sidecar.vectorStores.delete(id);
  });
});

describe("data that other programs wrote", () => {
  const database = new pg.Client({ connectionString: databaseUrl });
  beforeAll(() => database.connect());
  afterAll(() => database.end());

  test("a store of litellm-pgvector, with its bare UUID in the registry, answers through LiteLLM", async () => {
    const id = storeIds.adopted;
    const made = await proxy.embeddings.create({ model: embeddingModel, input: [facts[3].text, facts[1].text] });
    await database.query("INSERT INTO vector_stores (id, name) VALUES ($1, 'Adopted')", [id]);
    for (const [i, fact] of [facts[3], facts[1]].entries()) {
      const vector = made.data[i]?.embedding ?? [];
      expect(vector).toHaveLength(dimensions);
      await database.query(
        `INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata)
         VALUES (gen_random_uuid()::text, $1, $2, $3::vector, $4)`,
        [id, fact.text, JSON.stringify(vector), JSON.stringify(fact.metadata)],
      );
    }
    const page = await search(id, { query: facts[3].question });
    expect(texts(page)).toEqual([facts[3].text, facts[1].text]);
    expect(await proxy.vectorStores.delete(id)).toMatchObject({ id, deleted: true });
    const left = await database.query("SELECT FROM embeddings WHERE vector_store_id = $1", [id]);
    expect(left.rowCount).toBe(0);
  });

  test("an expired store is refused with its own message", async () => {
    const expiry = { expires_after: { anchor: "last_active_at", days: 1 } } as const;
    const { id } = await sidecar.vectorStores.create({ name: "Old", ...expiry });
    await database.query(
      "UPDATE vector_stores SET last_active_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE id = $1",
      [id],
    );
    const refused = await failure(search(id, { ...through, query: "anything" }));
    expect(refused).toMatchObject({ status: 400, message: expect.stringContaining("expired") });
    await sidecar.vectorStores.delete(id);
  });
});
