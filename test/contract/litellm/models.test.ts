import { describe, expect, test } from "@jest/globals";
import { collect } from "../sdk.js";
import { dimensions, embeddingModel, facts, failure, proxy, sidecar } from "./support.js";

interface ModelList {
  object: string;
  data: { id: string; mode?: string; dimensions?: number }[];
}

describe("the proxy's models through the server", () => {
  test("models.list lists the proxy's models", async () => {
    const ids = async (client: typeof proxy) => (await collect(client.models.list())).map((model) => model.id);
    expect(await ids(sidecar)).toEqual(await ids(proxy));
    expect(await ids(sidecar)).toContain("mock-chat");
  });

  test("embedding and rerank models are found by mode, vision models by capability", async () => {
    const embedding = await sidecar.get<ModelList>("/embeddings/models");
    expect(embedding.data).toEqual([
      expect.objectContaining({ id: embeddingModel, object: "model", mode: "embedding", dimensions }),
      expect.objectContaining({ id: "asymmetric", object: "model", mode: "embedding" }),
    ]);
    const vision = await sidecar.get<ModelList>("/vision/models");
    expect(vision.data.map((model) => model.id)).toEqual(["mock-vision", "openai/gpt-4o-mini", "openai/gpt-4o"]);
    const rerank = await sidecar.get<ModelList>("/rerank/models");
    expect(rerank.data[0]).toMatchObject({ id: "rerank", object: "model", mode: "rerank" });
  });
});

describe("embeddings through the server", () => {
  const input = facts.map((fact) => fact.text);

  test.each(["float", undefined] as const)("are the proxy's own, requested as %s", async (encoding_format) => {
    const body = { model: embeddingModel, input, ...(encoding_format === undefined ? {} : { encoding_format }) };
    const ours = await sidecar.embeddings.create(body);
    const theirs = await proxy.embeddings.create(body);
    expect(ours.data.map((item) => item.index)).toEqual(input.map((_, i) => i));
    expect(ours.usage).toEqual(theirs.usage);
    for (const [i, item] of ours.data.entries()) {
      expect(item.embedding).toHaveLength(dimensions);
      const expected = theirs.data[i]?.embedding ?? [];
      for (const [k, number] of item.embedding.entries()) expect(number).toBeCloseTo(expected[k] ?? NaN, 6);
    }
  });

  test("an unknown model is the caller's error", async () => {
    const answer = await failure(sidecar.embeddings.create({ model: "no-such-model", input: "x" }));
    expect(answer.status).toBe(400);
    expect(answer.message).toContain("no-such-model");
  });

  test("a batch that needs several model calls keeps the order of its rows", async () => {
    const { id } = await sidecar.vectorStores.create({ name: "order" });
    const embeddings = Array.from({ length: 300 }, (_, i) => ({ content: `room ${i}`, metadata: { i } }));
    const { ids } = await sidecar.post<{ ids: string[] }>(`/vector_stores/${id}/embeddings/batch`, {
      body: { embeddings, return: "ids" },
    });
    expect(new Set(ids).size).toBe(300);
    const page = await sidecar.get<{ data: { id: string; content: string; embedding: number[] }[] }>(
      `/vector_stores/${id}/embeddings?limit=1000&order=asc&include=embedding`,
    );
    expect(page.data.map((row) => row.id)).toEqual(ids);
    const some = [0, 1, 127, 255, 256, 299];
    const expected = await proxy.embeddings.create({ model: embeddingModel, input: some.map((i) => `room ${i}`) });
    for (const [k, i] of some.entries()) {
      expect(page.data[i]?.content).toBe(`room ${i}`);
      const stored = page.data[i]?.embedding ?? [];
      const wanted = expected.data[k]?.embedding ?? [];
      const cosine = stored.reduce((sum, x, d) => sum + x * (wanted[d] ?? 0), 0);
      expect(cosine).toBeCloseTo(1, 4);
    }
    await sidecar.vectorStores.delete(id);
  });
});
