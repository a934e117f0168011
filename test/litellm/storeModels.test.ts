import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { hashText } from "../../src/litellm/hashing.js";
import type { Answer } from "./support.js";
import {
  base64,
  embeddings,
  errorOf,
  failure,
  litellm,
  numbers,
  startHeldProvider,
  startProvider,
  vectorOf,
} from "./support.js";

const choice = (model: string, dimensions = 3, sendDimensions = false) => ({ model, dimensions, sendDimensions });

/** Vectors with `dimensions` numbers, or with the model's default. */
const sized = (own: number) =>
  startProvider(({ body }) => ({
    json: {
      data: body.input.map((_, index) => ({
        index,
        embedding: base64(Array.from({ length: body.dimensions ?? own }, () => 0.5)),
      })),
    },
  }));

describe("embedderFor", () => {
  test("calls the chosen model, with dimensions only if requested", async () => {
    await using provider = await sized(3);
    const { embedderFor } = litellm(provider);
    const short = embedderFor(choice("m", 2, true));
    const usual = embedderFor(choice("m"));
    expect((await short.embed(["a"]))[0]).toHaveLength(2);
    expect(await usual.embedQuery("a")).toHaveLength(3);
    expect(provider.asked.map(({ body }) => body)).toEqual([
      { model: "m", input: ["a"], encoding_format: "base64", dimensions: 2 },
      { model: "m", input: ["a"], encoding_format: "base64" },
    ]);
    expect(short).toMatchObject({ model: "m", dimensions: 2, builtIn: false });
  });

  test("is the same object for the same choice, and the default embedder for the settings' model", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder, embedderFor } = litellm(provider);
    const others = [choice("m"), choice("m", 4), choice("m", 3, true), choice("n"), choice("test-model", 4)];
    const found = others.map((each) => embedderFor(each));
    expect(new Set([embedder, ...found]).size).toBe(others.length + 1);
    expect(others.map((each) => embedderFor({ ...each }))).toEqual(found);
    others.forEach((each, i) => {
      expect(embedderFor({ ...each })).toBe(found[i]);
    });
    expect(embedderFor(choice("test-model"))).toBe(embedder);
  });

  test("the last 100 are kept, and the default one always", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder, embedderFor } = litellm(provider);
    const [first, second] = ["m0", "m1"].map((model) => embedderFor(choice(model)));
    for (let i = 2; i <= 100; i += 1) embedderFor(choice(`m${i}`));
    expect(embedderFor(choice("m1"))).toBe(second);
    expect(embedderFor(choice("m0"))).not.toBe(first);
    expect(embedderFor(choice("test-model"))).toBe(embedder);
  });

  test("vectors of one model are not used for another, or for other dimensions", async () => {
    await using provider = await startProvider(({ body }) => ({
      json: { data: [{ index: 0, embedding: base64(body.model === "m" ? [1, 0, 0] : [0, 1, 0]) }] },
    }));
    const { embedderFor } = litellm(provider);
    for (let round = 0; round < 2; round += 1) {
      expect(Array.from(await embedderFor(choice("m")).embedQuery("a"))).toEqual([1, 0, 0]);
      expect(Array.from(await embedderFor(choice("n")).embedQuery("a"))).toEqual([0, 1, 0]);
      expect((await errorOf(embedderFor(choice("m", 4)).embedQuery("a"))).status).toBe(502);
    }
    expect(provider.asked.map(({ body }) => body.model)).toEqual(["m", "n", "m", "m"]);
  });

  test("options that one model refuses are still sent to another", async () => {
    await using provider = await startProvider((asked) => {
      const { model, dimensions, encoding_format: encoding, input } = asked.body;
      if (model === "m" && dimensions !== undefined) return failure(400, "dimensions is not supported");
      if (model === "m" && encoding === "base64") return failure(400, "no base64 here");
      return model === "m" && input.length > 1 ? failure(400, "at most 1 inputs") : embeddings(asked);
    });
    const { embedderFor } = litellm(provider);
    for (const model of ["m", "n", "m"]) {
      const vectors = await embedderFor(choice(model, 3, true)).embed(["a", "b"]);
      expect(numbers(vectors)).toEqual([vectorOf("a"), vectorOf("b")]);
    }
    const sent = provider.asked.map(({ body }) => [
      body.model,
      body.dimensions,
      body.encoding_format,
      body.input.length,
    ]);
    expect(sent.filter(([model]) => model === "n")).toEqual([["n", 3, "base64", 2]]);
    expect(sent.slice(-2)).toEqual([
      ["m", undefined, "float", 1],
      ["m", undefined, "float", 1],
    ]);
  });
});

describe("errors of a store's own model name the store's settings", () => {
  test.each<[string, Answer, number, string]>([
    [
      "not allowed",
      failure(403, "a secret text"),
      502,
      "The embedding provider does not let the service's key use the model 'm'. Check EMBEDDING__API_KEY (or LITELLM_MASTER_KEY) and the store's embedding_model.",
    ],
    [
      "unknown",
      failure(404, "a secret text"),
      502,
      "The embedding provider refused the request for model 'm' (HTTP 404). Check that the store's embedding_model names an embedding model the proxy serves.",
    ],
    [
      "another length",
      { json: { data: [{ index: 0, embedding: base64([1, 2, 3, 4]) }] } },
      502,
      "The model 'm' answers vectors of 4 dimensions, but the store's embedding_dimensions is 3. Check which model the proxy serves by this name.",
    ],
    ["a text too long", failure(413, ""), 400, "The text is longer than the embedding model 'm' accepts."],
  ])("%s", async (_, answer, status, message) => {
    await using provider = await startProvider(() => answer);
    const embedder = litellm(provider).embedderFor(choice("m"));
    expect(await errorOf(embedder.embed(["a"]))).toMatchObject({ status, message });
    expect(await errorOf(embedder.embedQuery("a"))).toMatchObject({ status, message });
  });
});

describe("an outage of one model", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("opens only that model's breaker, for all its dimensions", async () => {
    jest.spyOn(Date, "now").mockReturnValue(Date.UTC(2026, 0, 1)); // an open breaker stays open
    await using provider = await startProvider((asked) =>
      asked.body.model === "broken" ? failure(500, "oops") : embeddings(asked),
    );
    const { embedder, embedderFor, dimensionsOf, state } = litellm(provider);
    const broken = embedderFor(choice("broken"));
    for (let outage = 0; outage < 5; outage += 1)
      expect((await errorOf(broken.embed([`text ${outage}`]))).status).toBe(502);
    expect((await errorOf(broken.embedQuery("a"))).status).toBe(503);
    expect((await errorOf(embedderFor(choice("broken", 4)).embed(["a"]))).status).toBe(503);
    expect((await errorOf(dimensionsOf("broken"))).status).toBe(503);
    expect(provider.asked).toHaveLength(5);

    expect(state()).toEqual({ configured: true, breaker: "closed" });
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
    expect(numbers(await embedderFor(choice("m")).embed(["a"]))).toEqual([vectorOf("a")]);
  });

  test("state() reports it for the settings' model", async () => {
    await using provider = await startProvider(() => failure(500, "oops"));
    const { embedderFor, state } = litellm(provider);
    for (let outage = 0; outage < 5; outage += 1)
      await errorOf(embedderFor(choice("test-model", 4)).embed([`text ${outage}`]));
    expect(state().breaker).toBe("open");
  });
});

describe("dimensionsOf", () => {
  test("calls each model once, without dimensions, for all callers", async () => {
    await using provider = await sized(5);
    const { dimensionsOf } = litellm(provider, { dimensionsConfigured: true });
    expect(await Promise.all([dimensionsOf("m"), dimensionsOf("m"), dimensionsOf("test-model")])).toEqual([5, 5, 5]);
    expect(await dimensionsOf("m")).toBe(5);
    expect(provider.asked.map(({ body }) => [body.model, body.input.length, body.dimensions]).sort()).toEqual([
      ["m", 1, undefined],
      ["test-model", 1, undefined],
    ]);
  });

  test("also from a provider without base64", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.encoding_format === "base64" ? failure(400, "no base64 here") : embeddings(asked),
    );
    expect(await litellm(provider).dimensionsOf("m")).toBe(3);
  });

  test.each([
    [400, "/embeddings: Invalid model name passed in model=m"],
    [403, "key not allowed to access model"],
    [404, "The model `m` does not exist"],
    [422, "not an embedding model"],
  ])("%i is the caller's error", async (status, message) => {
    await using provider = await startProvider(() => failure(status, `${message} sk-abcdefghij`));
    expect(await errorOf(litellm(provider).dimensionsOf("m"))).toMatchObject({
      status: 400,
      param: "embedding_model",
      message: `embedding_model: the proxy does not embed with the model 'm' (HTTP ${status}): ${message} sk-[redacted]`,
    });
  });

  test.each<[string, Answer, number]>([
    ["our key refused", failure(401, "no"), 502],
    ["failing", failure(500, "oops"), 502],
    ["no connection", "drop", 503],
    ["rate limited", failure(429, "slow down"), 429],
    ["an empty vector", { json: { data: [{ index: 0, embedding: [] }] } }, 502],
    ["no list", { json: {} }, 502],
  ])("%s: not the caller's fault, and not remembered", async (_, answer, status) => {
    await using provider = await startProvider((asked) => (asked.number === 1 ? answer : embeddings(asked)));
    const { dimensionsOf } = litellm(provider);
    expect((await errorOf(dimensionsOf("m"))).status).toBe(status);
    expect(await dimensionsOf("m")).toBe(3);
  });

  test("a caller who cancels does not affect the others", async () => {
    await using provider = await startHeldProvider();
    const { dimensionsOf } = litellm(provider);
    const leaver = new AbortController();
    const left = dimensionsOf("m", { signal: leaver.signal });
    const stayed = dimensionsOf("m");
    await provider.arrived(1);
    leaver.abort(new Error("the caller left"));
    await expect(left).rejects.toThrow("the caller left");
    provider.releaseAll();
    expect(await stayed).toBe(3);
    await expect(dimensionsOf("m", { signal: leaver.signal })).rejects.toThrow("the caller left");
    expect(provider.asked).toHaveLength(1);
  });
});

describe("built-in", () => {
  const { embedder, embedderFor, dimensionsOf } = litellm(null);

  test("hashes to the chosen dimensions, under its own name and the settings'", async () => {
    for (const model of ["built-in-hashing", "test-model"]) {
      const eight = embedderFor(choice(model, 8));
      expect(eight).toMatchObject({ model: "built-in-hashing", dimensions: 8, builtIn: true });
      expect(await eight.embed(["one two"])).toEqual([hashText("one two", 8)]);
      expect(await eight.embedQuery("one two")).toEqual(hashText("one two", 8));
      expect(embedderFor(choice(model, 8))).toBe(eight);
      expect(embedderFor(choice(model))).toBe(embedder);
      expect(await dimensionsOf(model)).toBe(3);
    }
  });

  test("no other model", async () => {
    const refused = {
      status: 400,
      param: "embedding_model",
      message:
        "embedding_model: 'other' needs a proxy, and none is configured (LITELLM_PROXY_URL); without one only 'built-in-hashing' exists",
    };
    expect(await errorOf(Promise.resolve().then(() => embedderFor(choice("other"))))).toMatchObject(refused);
    expect(await errorOf(dimensionsOf("other"))).toMatchObject(refused);
  });

  test("stores that were created with it keep it when a proxy is added", async () => {
    await using provider = await startProvider(embeddings);
    const proxied = litellm(provider);
    const begun = proxied.embedderFor(choice("built-in-hashing", 8));
    expect(await begun.embed(["one two"])).toEqual([hashText("one two", 8)]);
    expect(await proxied.dimensionsOf("built-in-hashing")).toBe(3);
    expect(provider.asked).toEqual([]);
  });
});
