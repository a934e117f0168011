import { describe, expect, test } from "@jest/globals";
import type { Answer } from "./support.js";
import { base64, embeddings, errorOf, failure, litellm, numbers, startProvider, vectorOf } from "./support.js";

const list = (...items: [index: unknown, embedding: unknown][]): Answer => ({
  json: { object: "list", data: items.map(([index, embedding]) => ({ object: "embedding", index, embedding })) },
});

describe("requests", () => {
  test("model, texts, base64 and the key; dimensions only when configured", async () => {
    await using provider = await startProvider(embeddings);
    await litellm(provider).embedder.embed(["a"]);
    await litellm(provider, { dimensionsConfigured: true }).embedder.embed(["a"]);
    expect(provider.asked.map(({ body }) => body)).toEqual([
      { model: "test-model", input: ["a"], encoding_format: "base64" },
      { model: "test-model", input: ["a"], encoding_format: "base64", dimensions: 3 },
    ]);
    const [first] = provider.asked;
    expect(first).toMatchObject({ method: "POST", path: "/v1/embeddings" });
    expect(first?.headers.authorization).toBe("Bearer sk-service-key");
    expect(first?.headers).not.toHaveProperty("openai-organization");
  });

  test("dimensions refused: repeated without them, and remembered", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.dimensions === undefined
        ? embeddings(asked)
        : failure(400, "litellm.UnsupportedParamsError: Setting dimensions is not supported for this model"),
    );
    const { embedder } = litellm(provider, { dimensionsConfigured: true });
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
    await embedder.embed(["b"]);
    expect(provider.asked.map(({ body }) => body.dimensions)).toEqual([3, undefined, undefined]);
  });

  test("base64 refused: floats, then no encoding_format at all, and remembered", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.encoding_format === undefined
        ? embeddings(asked)
        : failure(400, `encoding_format '${asked.body.encoding_format}' is not supported`),
    );
    const { embedder } = litellm(provider);
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
    await embedder.embed(["b"]);
    expect(provider.asked.map(({ body }) => body.encoding_format)).toEqual(["base64", "float", undefined, undefined]);
  });

  test("both refused", async () => {
    await using provider = await startProvider((asked) => {
      if (asked.body.dimensions !== undefined) return failure(422, "Extra inputs: dimensions");
      return asked.body.encoding_format === "base64" ? failure(400, "no base64 here") : embeddings(asked);
    });
    const { embedder } = litellm(provider, { dimensionsConfigured: true });
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
  });
});

describe("accepted answers", () => {
  test("exact float32 numbers, whatever their alignment in memory", async () => {
    const exact = [Math.fround(0.1), -1.5, 3.4028234663852886e38];
    await using provider = await startProvider(() => list([0, base64(exact)], [1, base64(exact)], [2, base64(exact)]));
    const vectors = await litellm(provider).embedder.embed(["a", "b", "c"]);
    expect(vectors[0]).toBeInstanceOf(Float32Array);
    expect(numbers(vectors)).toEqual([exact, exact, exact]);
  });

  test("answers in any order, sorted by index", async () => {
    await using provider = await startProvider(() => list([2, [3, 0, 0]], [0, [1, 0, 0]], [1, base64([2, 0, 0])]));
    expect(numbers(await litellm(provider).embedder.embed(["a", "b", "c"]))).toEqual([
      [1, 0, 0],
      [2, 0, 0],
      [3, 0, 0],
    ]);
  });

  test("arrays from a provider that ignores base64", async () => {
    await using provider = await startProvider((asked) =>
      list(...asked.body.input.map((_, i) => [i, [i, 1, 2]] as [number, number[]])),
    );
    expect(numbers(await litellm(provider).embedder.embed(["a", "b"]))).toEqual([
      [0, 1, 2],
      [1, 1, 2],
    ]);
  });
});

describe("answers refused with 502", () => {
  test.each<[string, Answer, RegExp]>([
    ["too few vectors", list([0, [1, 2, 3]]), /1 vectors for 2 texts/],
    ["too many vectors", list([0, [1, 2, 3]], [1, [1, 2, 3]], [2, [1, 2, 3]]), /3 vectors for 2 texts/],
    ["an index twice", list([0, [1, 2, 3]], [0, [1, 2, 3]]), /no vector with index 1/],
    ["an index beyond", list([0, [1, 2, 3]], [7, [1, 2, 3]]), /no vector with index 1/],
    ["no index", list([undefined, [1, 2, 3]], [1, [1, 2, 3]]), /not a list of vectors/],
    ["NaN in base64", list([0, base64([1, 2, 3])], [1, base64([1, Number.NaN, 3])]), /not finite/],
    ["infinity in base64", list([0, base64([1, 2, 3])], [1, base64([1, Infinity, 3])]), /not finite/],
    ["null in an array", list([0, [1, 2, 3]], [1, [1, null, 3]]), /not finite/],
    ["text in an array", list([0, [1, 2, 3]], [1, [1, "2", 3]]), /not finite/],
    ["a number beyond float32", list([0, [1, 2, 3]], [1, [1, 1e300, 3]]), /not finite/],
    ["half a number", list([0, [1, 2, 3]], [1, "AAAAAAA="]), /not whole float32/],
    ["no list", { json: { object: "list" } }, /not a list of vectors/],
    ["null", { json: null }, /not a list of vectors/],
    ["HTML", { text: "<html>", headers: { "content-type": "text/html" } }, /not a list of vectors/],
    ["broken JSON", { text: '{"data": [' }, /not JSON/],
  ])("%s", async (_, answer, message) => {
    await using provider = await startProvider(() => answer);
    const error = await errorOf(litellm(provider, { retryBudgetMs: 60_000 }).embedder.embed(["a", "b"]));
    expect(error).toMatchObject({ status: 502, type: "server_error", code: "bad_gateway" });
    expect(error.message).toMatch(message);
    expect(provider.asked).toHaveLength(1);
  });

  test("other dimensions, naming both numbers, the model and the setting", async () => {
    await using provider = await startProvider(() => list([0, base64([1, 2, 3, 4])]));
    const error = await errorOf(litellm(provider).embedder.embed(["a"]));
    expect(error.status).toBe(502);
    expect(error.message).toBe(
      "The model 'test-model' answers vectors of 4 dimensions, but this service is set to 3. Set EMBEDDING__DIMENSIONS to the model's number.",
    );
  });
});
