import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { estimateTokens, splitIntoBatches } from "../../src/litellm/batches.js";
import { embeddings, errorOf, failure, litellm, numbers, startProvider, vectorOf } from "./support.js";

const texts = (count: number) => Array.from({ length: count }, (_, index) => "x".repeat(index + 1));

describe("splitIntoBatches", () => {
  test("never loses, doubles or reorders a text, and keeps every batch within the limits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 60 }),
        fc.record({
          count: fc.integer({ min: 1, max: 10 }),
          tokens: fc.integer({ min: 1, max: 60 }),
          bytes: fc.integer({ min: 1, max: 100 }),
        }),
        (input, limits) => {
          const batches = splitIntoBatches(input, limits);
          expect(batches.flat()).toEqual(input);
          for (const batch of batches) {
            const sizes = batch.map((text) => Buffer.byteLength(text));
            const total = (each: number[]) => each.reduce((sum, value) => sum + value, 0);
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(limits.count);
            if (batch.length === 1) continue; // a single text may exceed every limit
            expect(total(sizes)).toBeLessThanOrEqual(limits.bytes);
            expect(total(sizes.map(estimateTokens))).toBeLessThanOrEqual(limits.tokens);
          }
        },
      ),
    );
  });

  test("fills batches up to the limits", () => {
    const limits = { count: 3, tokens: 100, bytes: 100 };
    expect(splitIntoBatches(["a", "b", "c", "d"], limits)).toEqual([["a", "b", "c"], ["d"]]);
    expect(splitIntoBatches([], limits)).toEqual([]);
  });
});

describe("embed", () => {
  test("splits by count and joins the answers in order", async () => {
    await using provider = await startProvider(embeddings);
    const input = texts(25);
    const vectors = await litellm(provider, { batchSize: 4 }).embedder.embed(input);
    expect(numbers(vectors)).toEqual(input.map(vectorOf));
    expect(provider.asked.map(({ body }) => body.input.length).sort()).toEqual([1, 4, 4, 4, 4, 4, 4]);
  });

  test("has at most 4 requests running", async () => {
    let now = 0;
    let most = 0;
    await using provider = await startProvider(async (asked) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return embeddings(asked);
    });
    await litellm(provider, { batchSize: 1 }).embedder.embed(texts(20));
    expect(most).toBeLessThanOrEqual(4);
    expect(provider.asked).toHaveLength(20);
  });

  test("splits by estimated tokens, well below OpenAI's 300,000 per request", async () => {
    await using provider = await startProvider(embeddings);
    const input = Array.from({ length: 5 }, () => "word ".repeat(30_000)); // an estimated 75,000 tokens each
    await litellm(provider).embedder.embed(input);
    expect(provider.asked.map(({ body }) => body.input.length).sort()).toEqual([1, 2, 2]);
  });

  test("sends nothing without texts, and a space for an empty text", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = litellm(provider);
    expect(await embedder.embed([])).toEqual([]);
    await embedder.embed([""]);
    expect(provider.asked.map(({ body }) => body.input)).toEqual([[" "]]);
  });

  test.each([
    [413, "<html>Request Entity Too Large</html>"],
    [400, "Requested 400000 tokens, max 300000 tokens per request. code: max_tokens_per_request"],
    [400, "This model's maximum context length is 8192 tokens, however you requested 9000"],
    [422, "batch size 8 > maximum allowed batch size 2"],
    [400, "Too many inputs"],
    [400, "The batch must hold at most 2 inputs"],
    [400, "input is too large to process. increase the physical batch size"],
  ])("halves a batch that is refused with %i %s", async (status, message) => {
    await using provider = await startProvider((asked) =>
      asked.body.input.length > 2 ? failure(status, message) : embeddings(asked),
    );
    const input = texts(7);
    expect(numbers(await litellm(provider).embedder.embed(input))).toEqual(input.map(vectorOf));
    expect(provider.asked.map(({ body }) => body.input.length)).toEqual([7, 4, 2, 2, 3, 2, 1]);
  });

  test("remembers a limit on the number of texts", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.input.length > 2 ? failure(400, "at most 2 inputs") : embeddings(asked),
    );
    const { embedder } = litellm(provider);
    await embedder.embed(texts(4));
    const before = provider.asked.length;
    await embedder.embed(texts(4));
    expect(provider.asked.slice(before).map(({ body }) => body.input.length)).toEqual([2, 2]);
  });

  test("but does not mistake a too long text for such a limit", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.input.includes("long")
        ? failure(400, "input is larger than the maximum batch size")
        : embeddings(asked),
    );
    const { embedder } = litellm(provider);
    expect((await errorOf(embedder.embed(["long", ...texts(7)]))).status).toBe(400);
    const before = provider.asked.length;
    await embedder.embed(texts(8));
    expect(provider.asked.slice(before).map(({ body }) => body.input.length)).toEqual([8]);
  });

  test("a single text that is too large is the caller's error, and ends the whole call", async () => {
    await using provider = await startProvider(() =>
      failure(400, "This model's maximum context length is 8192 tokens"),
    );
    const error = await errorOf(litellm(provider).embedder.embed(texts(8)));
    expect(error).toMatchObject({ status: 400, param: "input", code: "context_length_exceeded" });
    expect(error.message).toBe("The text is longer than the embedding model 'test-model' accepts.");
    expect(provider.asked.map(({ body }) => body.input.length)).toEqual([8, 4, 2, 1]);
  });

  test("the first failing batch stops the others", async () => {
    await using provider = await startProvider(({ number }) => (number === 1 ? failure(404, "no") : "hang"));
    const error = await errorOf(litellm(provider, { batchSize: 1 }).embedder.embed(texts(50)));
    expect(error.status).toBe(502);
    expect(provider.asked.length).toBeLessThanOrEqual(4);
  });
});
