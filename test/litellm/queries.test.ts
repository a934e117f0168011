import { describe, expect, test } from "@jest/globals";
import { embeddings, errorOf, failure, fakeClock, gateway, litellm, startProvider, vectorOf } from "./support.js";

describe("embedQuery", () => {
  test("identical concurrent queries are sent once", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = litellm(provider);
    const vectors = await Promise.all(Array.from({ length: 20 }, () => embedder.embedQuery("hello")));
    expect(provider.asked).toHaveLength(1);
    for (const vector of vectors) expect(Array.from(vector)).toEqual(vectorOf("hello"));
  });

  test("different concurrent queries are one request", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = litellm(provider);
    const vectors = await Promise.all(["one", "three", "one"].map((text) => embedder.embedQuery(text)));
    expect(vectors.map((vector) => vector[0])).toEqual([3, 5, 3]);
    expect(provider.asked.map(({ body }) => body.input)).toEqual([["one", "three"]]);
  });

  test("is cached for 10 minutes", async () => {
    await using provider = await startProvider(embeddings);
    const clock = fakeClock();
    const { embedder } = litellm(provider, {}, clock);
    await embedder.embedQuery("hello");
    clock.advance(9 * 60_000);
    await embedder.embedQuery("hello");
    expect(provider.asked).toHaveLength(1);
    clock.advance(61_000);
    await embedder.embedQuery("hello");
    expect(provider.asked).toHaveLength(2);
  });

  test("the last 1,000 are cached", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = litellm(provider);
    for (let query = 0; query < 1_001; query += 1) await embedder.embedQuery(`query ${query}`);
    await embedder.embedQuery("query 1");
    expect(provider.asked).toHaveLength(1_001);
    await embedder.embedQuery("query 0");
    expect(provider.asked).toHaveLength(1_002);
  });

  test("a failure is shared by all waiting callers, and not cached", async () => {
    await using provider = await startProvider((asked) =>
      asked.number === 1 ? failure(500, "oops") : embeddings(asked),
    );
    const { embedder } = litellm(provider);
    const errors = await Promise.all([1, 2, 3].map(() => errorOf(embedder.embedQuery("hello"))));
    expect(errors.map(({ status }) => status)).toEqual([502, 502, 502]);
    expect(provider.asked).toHaveLength(1);
    expect(Array.from(await embedder.embedQuery("hello"))).toEqual(vectorOf("hello"));
  });

  test("a caller who cancels does not affect the others", async () => {
    const { opened, open } = gateway();
    const arrived = gateway();
    await using provider = await startProvider(async (asked) => {
      arrived.open();
      await opened;
      return embeddings(asked);
    });
    const { embedder } = litellm(provider);
    const leaver = new AbortController();
    const left = embedder.embedQuery("hello", { signal: leaver.signal });
    const stayed = embedder.embedQuery("hello", { signal: new AbortController().signal });
    await arrived.opened;
    leaver.abort(new Error("the caller left"));
    await expect(left).rejects.toThrow("the caller left");
    open();
    expect(Array.from(await stayed)).toEqual(vectorOf("hello"));
    expect(provider.asked).toHaveLength(1);
    expect(provider.left()).toBe(0);
  });

  test("when the last caller cancels, the request is aborted, and the next caller sends a new one", async () => {
    const arrived = gateway();
    await using provider = await startProvider((asked) => {
      arrived.open();
      return asked.number === 1 ? "hang" : embeddings(asked);
    });
    const { embedder } = litellm(provider);
    const controllers = [new AbortController(), new AbortController()];
    const waiting = controllers.map(({ signal }) => embedder.embedQuery("hello", { signal }));
    await arrived.opened;
    for (const controller of controllers) controller.abort(new Error("the caller left"));
    for (const one of waiting) await expect(one).rejects.toThrow("the caller left");
    expect(Array.from(await embedder.embedQuery("hello"))).toEqual(vectorOf("hello"));
    expect(provider.asked).toHaveLength(2);
    expect(provider.left()).toBe(1);
  });
});
