import { expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { startService } from "../support/service.js";
import { type Row, batchPath, bodyOf, createStore, searchStore, settle, stubLitellm } from "../support/stores.js";

/**
 * Fifty chunks of many topics, then two thousand of one: in a graph whose nodes link only to their nearest, no node
 * would link to the fifty.
 */
test("an indexed store finds a few rows that are unlike the others", async () => {
  const litellm = stubLitellm({
    embedQuery: (text) => Promise.resolve(Float32Array.from(testVector(Number(text), testDimensions))),
  });
  const service = await startService({ litellm, environment: { INDEX_MIN_ROWS: "2000" } });
  try {
    const store = await createStore(service);
    const few = Array.from({ length: 50 }, (_, i): Row => ({
      id: `few-${i}`,
      content: `few ${i}`,
      embedding: testVector(i + 1, testDimensions),
    }));
    const many = Array.from({ length: 2000 }, (_, i): Row => ({
      id: `many-${i}`,
      content: `many ${i}`,
      // A few degrees apart.
      embedding: testVector(i + 1000, testDimensions).map((each, n) => each * 0.02 + (n === 0 ? -1 : 0)),
    }));
    for (const embeddings of [few, many]) {
      await service.post(batchPath(store), { embeddings, return: "count" }).expect(200);
    }
    await settle(service);
    const { index } = (await bodyOf(service.get(`/v1/vector_stores/${store}`))) as { index: { state: string } };
    expect(index.state).toBe("ready");
    const missed: string[] = [];
    for (let i = 0; i < few.length; i += 1) {
      const [best] = await searchStore(service, store, String(i + 1), { max_num_results: 10 });
      if (best?.id !== `few-${i}`) missed.push(`few-${i}: ${best?.id ?? "nothing"}`);
    }
    expect(missed).toEqual([]);
  } finally {
    await service.close();
  }
});
