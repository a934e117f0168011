import { describe, expect, test } from "@jest/globals";
import { embeddings, errorOf, failure, litellm, sleepyClock, startHeldProvider, startProvider } from "./support.js";

/**
 * undici reuses a connection only in the turn after its answer ended, so an immediate next request may open a second
 * one; from then on the two alternate.
 */
const socketsFor = (inFlight: number) => 2 * inFlight;
const texts = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

describe("connections to the proxy are reused", () => {
  test("by consecutive requests to all models, including refused ones", async () => {
    await using provider = await startProvider((asked) =>
      asked.number % 5 === 0 ? failure(404, "no") : embeddings(asked),
    );
    const { embedder, embedderFor, createEmbeddings } = litellm(provider);
    const other = embedderFor({ model: "other", dimensions: 3, sendDimensions: false });
    for (let round = 0; round < 5; round += 1) {
      await embedder.embedQuery(`query ${round}`);
      await other.embedQuery(`query ${round}`);
      await embedder.embed(["a"]);
      await createEmbeddings({ input: ["a"] });
      expect((await errorOf(other.embed(["a"]))).status).toBe(502);
    }
    expect(provider.asked).toHaveLength(25);
    expect(provider.sockets()).toBeLessThanOrEqual(socketsFor(1));
  });

  test("by concurrent queries, which share a few", async () => {
    await using provider = await startHeldProvider();
    const { embedder } = litellm(provider, { batchSize: 5 }, sleepyClock());
    const first = texts(200, "first").map((text) => embedder.embedQuery(text));
    await provider.arrived(4);
    provider.releaseAll();
    await Promise.all(first);
    for (const wave of texts(10, "wave")) await Promise.all(texts(200, wave).map((text) => embedder.embedQuery(text)));
    expect(provider.asked).toHaveLength(440);
    expect(provider.sockets()).toBeLessThanOrEqual(socketsFor(4));
  });

  test("by the batches of a call, which share a few", async () => {
    await using provider = await startHeldProvider();
    const { embedder } = litellm(provider, { batchSize: 1 });
    const first = embedder.embed(texts(20, "first"));
    await provider.arrived(4);
    provider.releaseAll();
    await first;
    for (const wave of texts(10, "wave")) await embedder.embed(texts(20, wave));
    expect(provider.asked).toHaveLength(220);
    expect(provider.sockets()).toBeLessThanOrEqual(socketsFor(4));
  });
});
