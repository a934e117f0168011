import { describe, expect, test } from "@jest/globals";
import type { Litellm } from "../../src/litellm/contract.js";
import { type Caller, ownWork } from "../../src/words/caller.js";
import { master as admin, user } from "../support/callers.js";
import { chat, other, rerank } from "./everyCall.js";
import type { Answer } from "./support.js";
import { embeddings, errorOf, failure, litellm, sharedLitellm, startProvider } from "./support.js";

describe("the service's own requests", () => {
  const asking = async (answer: Answer) => {
    await using provider = await startProvider(() => answer);
    return await errorOf(litellm(provider).embedder.embed(["a secret text"]));
  };

  test.each<[string, Answer, number, RegExp]>([
    ["key refused", failure(401, "Invalid API key sk-service-key"), 502, /EMBEDDING__API_KEY.*LITELLM_MASTER_KEY/],
    ["model not allowed", failure(403, "not allowed"), 502, /'test-model'.*EMBEDDING__API_KEY.*EMBEDDING__MODEL/],
    ["model unknown, LiteLLM", failure(400, "Invalid model name"), 502, /'test-model' \(HTTP 400\).*EMBEDDING__MODEL/],
    ["model unknown, OpenAI", failure(404, "does not exist"), 502, /'test-model' \(HTTP 404\).*EMBEDDING__MODEL/],
    [
      "no database",
      failure(400, "No connected db.", { type: "no_db_connection" }),
      503,
      /database.*EMBEDDING__API_KEY/,
    ],
    ["budget spent", failure(422, "Budget has been exceeded", { type: "budget_exceeded" }), 422, /budget/],
    ["budget spent, older LiteLLM", failure(400, "ExceededBudget", { type: "budget_exceeded" }), 422, /budget/],
    ["failing", failure(500, "Traceback: a secret text"), 502, /HTTP 500/],
    ["overloaded", failure(503, "a secret text"), 502, /HTTP 503/],
    ["timed out upstream", failure(408, "a secret text"), 504, /EMBEDDING__TIMEOUT_SECONDS/],
    ["rate limited", failure(429, "a secret text"), 429, /rate limit/],
    ["a plain string", { status: 400, json: { error: "a harmless text" } }, 502, /HTTP 400\): a harmless text\. /],
    ["no body", { status: 400, text: "" }, 502, /HTTP 400/],
  ])("%s", async (_, answer, status, message) => {
    const error = await asking(answer);
    expect(error.status).toBe(status);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/secret text|sk-/);
  });

  test("Retry-After of a failing provider is passed on", async () => {
    expect(await asking(failure(503, "starting", {}, { "retry-after": "7" }))).toMatchObject({ retryAfter: 7 });
  });
});

describe("createEmbeddings", () => {
  const asking = async (answer: Answer) => {
    await using provider = await startProvider(() => answer);
    return await errorOf(litellm(provider).createEmbeddings({ model: "theirs", input: "hello" }));
  };

  test("passes body and answer through as they are", async () => {
    const json = {
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: "AAAAAA==", further: 1 }],
      model: "upstream/theirs",
      usage: { prompt_tokens: 2, total_tokens: 2, prompt_tokens_details: null },
      provider_specific: { kept: true },
    };
    await using provider = await startProvider(() => ({ json }));
    const { createEmbeddings } = litellm(provider, { dimensionsConfigured: true });
    const body = { model: "theirs", input: [[1, 2], [3]], dimensions: 5, user: "someone" };
    expect(JSON.stringify(await createEmbeddings(body))).toBe(JSON.stringify(json));
    expect(provider.asked[0]?.body).toEqual(body);
  });

  test("the default is the configured model", async () => {
    await using provider = await startProvider(embeddings);
    await litellm(provider).createEmbeddings({ input: ["a"], encoding_format: "float" });
    expect(provider.asked[0]?.body).toEqual({ model: "test-model", input: ["a"], encoding_format: "float" });
  });

  test.each([
    [400, "Invalid model name passed in model=theirs", "model_not_found"],
    [403, "Key not allowed to access model", "permission_denied"],
    [404, "The model `theirs` does not exist", "model_not_found"],
    [422, "input is not a list", null],
  ])("keeps %i and the provider's message", async (status, message, code) => {
    expect(await asking(failure(status, message))).toMatchObject({ status, message, code });
  });

  test("keeps param and code", async () => {
    const answer = failure(400, "bad", { param: "dimensions", code: "invalid_value" });
    expect(await asking(answer)).toMatchObject({ status: 400, param: "dimensions", code: "invalid_value" });
  });

  test("keeps 429 with its Retry-After", async () => {
    const error = await asking(failure(429, "Rate limit reached for theirs", {}, { "retry-after": "3" }));
    expect(error).toMatchObject({
      status: 429,
      message: "Rate limit reached for theirs",
      code: "rate_limit_exceeded",
      retryAfter: 3,
    });
  });

  test("limits the message to 500 characters, without stack and keys", async () => {
    const { message } = await asking(failure(400, `bad sk-abcdefghijkl ${"x".repeat(1_000)}`));
    expect(message).toHaveLength(500);
    expect(message).toMatch(/^bad sk-\[redacted\] x+…$/);
    const stack = await asking(failure(400, "bad\nTraceback (most recent call last):\n  File x"));
    expect(stack.message).toBe("bad");
  });

  test.each<[string, Answer, number]>([
    ["our key refused", failure(401, "Invalid API key"), 502],
    ["failing", failure(500, "oops"), 502],
    ["no connection", "drop", 503],
    ["budget spent", failure(422, "Budget has been exceeded", { type: "budget_exceeded" }), 422],
    ["no list", { json: { ok: true } }, 502],
  ])("%s", async (_, answer, status) => {
    expect((await asking(answer)).status).toBe(status);
  });

  test("is retried and limited like other calls", async () => {
    await using provider = await startProvider((asked) =>
      asked.number === 1 ? failure(503, "starting") : embeddings(asked),
    );
    await litellm(provider, { retryBudgetMs: 60_000 }).createEmbeddings({ input: ["a"] });
    expect(provider.asked).toHaveLength(2);
  });
});

describe("messages that name the settings", () => {
  const ann = user("ann");
  const { signal } = new AbortController();
  const named = /EMBEDDING__API_KEY|LITELLM_MASTER_KEY/;
  test.each<[string, (litellm: Litellm, caller: Caller) => Promise<unknown>]>([
    ["embeddings", ({ embedder }, caller) => embedder.embed(["a"], { caller })],
    ["a store's model", (litellm, caller) => litellm.embedderFor(other).embed(["a"], { caller })],
    ["chat", (litellm, caller) => litellm.chat.complete(chat, { caller, signal })],
    ["rerank", (litellm, caller) => litellm.rerank({ ...rerank, namedBy: "settings" }, { caller, signal })],
  ])("%s: for the service's key alone", async (_, call) => {
    for (const status of [401, 403]) {
      await using provider = await startProvider(() => failure(status, "no"));
      const litellm = sharedLitellm(provider);
      for (const caller of [ownWork, admin]) {
        expect(await errorOf(call(litellm, caller))).toMatchObject({
          status: 502,
          message: expect.stringMatching(named) as unknown,
        });
      }
      expect(await errorOf(call(litellm, ann))).toMatchObject({ status, message: "no" });
    }
  });

  test("a configured model that the proxy lacks is the operator's error, whoever calls", async () => {
    await using provider = await startProvider(() => failure(404, "does not exist"));
    const error = await errorOf(sharedLitellm(provider).embedder.embed(["a"], { caller: ann }));
    expect(error).toMatchObject({ status: 502, message: expect.stringContaining("EMBEDDING__MODEL") as unknown });
  });
});
