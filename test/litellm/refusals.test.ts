import { describe, expect, test } from "@jest/globals";
import { ownWork } from "../../src/words/caller.js";
import { type Prompts, noPrompts } from "../../src/words/prompts.js";
import {
  type Asked,
  embeddings,
  errorOf,
  failure,
  fakeClock,
  litellm,
  numbers,
  sharedLitellm,
  startProvider,
  vectorOf,
} from "./support.js";

const policy = "Your text violates our content policy.";
const has = (asked: Asked, text: string) => asked.body.input.some((each) => each.includes(text));
const refusing = (status = 400, more = {}) =>
  startProvider((asked) => (has(asked, "bad") ? failure(status, policy, more) : embeddings(asked)));

describe("a refusal of one text", () => {
  test.each([400, 422])("%i names it, with the provider's sentence; the caller's fault", async (status) => {
    await using provider = await refusing(status, { code: "content_filter" });
    const { embedder, state } = sharedLitellm(provider, { batchSize: 16 });
    const texts = Array.from({ length: 40 }, (_, i) => (i === 29 ? "bad" : `text ${i}`));
    const error: unknown = await embedder.embed(texts, { caller: ownWork }).catch((reason: unknown) => reason);
    const message = `The embedding model 'test-model' refuses this text (HTTP ${status}): ${policy}`;
    expect(error).toMatchObject({ index: 29, status: 400, message, details: { code: "text_refused" } });
    expect(await errorOf(embedder.embedQuery("bad", { caller: ownWork }))).toMatchObject({ status: 400, message });
    expect(state().breaker).toBe("closed");
  });

  test("whose words sound like a parameter leaves no parameter out of later requests", async () => {
    await using provider = await startProvider((asked) =>
      has(asked, "bad") ? failure(400, "not allowed: 'a bad dimension in base64'") : embeddings(asked),
    );
    const { embedder } = litellm(provider, { dimensionsConfigured: true });
    expect((await errorOf(embedder.embed(["bad"]))).status).toBe(400);
    const before = provider.asked.length;
    await embedder.embed(["good"]);
    expect(provider.asked.slice(before).map(({ body }) => body)).toMatchObject([
      { encoding_format: "base64", dimensions: 3 },
    ]);
  });
});

describe("a refusal of every text", () => {
  test("is the operator's; it quotes what the provider says about a harmless text, never the caller's", async () => {
    await using provider = await startProvider(({ body }) =>
      failure(400, `cannot embed ${JSON.stringify(body.input)}`),
    );
    const { embedder } = litellm(provider);
    const problem = {
      status: 502,
      code: "model_refused",
      message:
        `The embedding provider refused the request for model 'test-model' (HTTP 400): cannot embed ["probe"]. ` +
        "Check that EMBEDDING__MODEL names an embedding model it serves.",
    };
    expect(await errorOf(embedder.embed(["a secret", "text"]))).toEqual(expect.objectContaining(problem));
    expect(await errorOf(embedder.embedQuery("a secret"))).toEqual(expect.objectContaining(problem));
    expect(provider.asked.map(({ body }) => body.input)).toEqual([
      ["a secret", "text"],
      ["probe"],
      ["a secret"],
      ["probe"],
    ]);
  });

  const typed: Prompts = { ...noPrompts, inputType: { query: "search_query", document: "search_document" } };
  const choice = { model: "m", dimensions: 3, sendDimensions: true, prompts: typed };
  const unsupported = "litellm.UnsupportedParamsError: does not support parameters: {'input_type': 'x'}";

  test("for its input_type says so, and what to do", async () => {
    await using provider = await startProvider((asked) =>
      "input_type" in asked.body ? failure(400, unsupported) : embeddings(asked),
    );
    const { embedderFor } = litellm(provider);
    const embedder = embedderFor(choice);
    for (const call of [() => embedder.embed(["a"]), () => embedder.embedQuery("a")]) {
      const { status, message } = await errorOf(call());
      expect(status).toBe(502);
      expect(message).toContain(`The embedding model 'm' refuses the parameter input_type (HTTP 400): ${unsupported}.`);
      expect(message).toContain("create another with input_type 'none'");
    }
    // The refusal was not mistaken for one of `dimensions`.
    expect(provider.asked.map(({ body }) => body.dimensions)).toEqual(provider.asked.map(() => 3));
  });

  test("for a missing input_type says so", async () => {
    const required = "'input_type' parameter is required";
    await using provider = await startProvider(() => failure(400, required));
    expect((await errorOf(litellm(provider).embedder.embed(["a"]))).message).toContain(required);
  });

  test.each([
    [404, "does not exist"],
    [400, "Invalid model name passed in model=test-model"],
  ])("%i %s is not looked into any further", async (status, message) => {
    await using provider = await startProvider(() => failure(status, message));
    expect(await errorOf(litellm(provider).embedder.embed(["a", "b"]))).toMatchObject({ status: 502 });
    expect(provider.asked).toHaveLength(1);
  });
});

describe("a text on which the model fails", () => {
  const failing = () => startProvider((asked) => (has(asked, "bad") ? failure(500, "oops") : embeddings(asked)));

  test("refuses nobody else, however often it is asked for", async () => {
    await using provider = await failing();
    const { embedder, state } = litellm(provider, { retryBudgetMs: 60_000 });
    for (let call = 0; call < 8; call += 1) {
      expect((await errorOf(embedder.embedQuery("bad"))).status).toBe(502);
      expect((await errorOf(embedder.embed(["bad", `text ${call}`]))).status).toBe(502);
      expect(state().breaker).toBe("closed");
    }
    expect(numbers([await embedder.embedQuery("good")])).toEqual([vectorOf("good")]);
  });
});

describe("a model that is measured", () => {
  test.each<["drop" | "hang", number | null]>([
    ["drop", null],
    ["drop", 8],
  ])("%s, for %p dimensions: gives up after 10 s", async (answer, dimensions) => {
    await using provider = await startProvider(() => answer);
    const clock = fakeClock();
    const begun = clock.now();
    const { measure } = litellm(provider, { retryBudgetMs: 60_000 }, clock);
    expect((await errorOf(measure({ model: "m", dimensions, prompts: noPrompts }))).status).toBe(503);
    expect(clock.now() - begun).toBeLessThanOrEqual(10_000);
  });
});
