import { describe, expect, test } from "@jest/globals";
import { setImmediate } from "node:timers/promises";
import { type Caller, ownWork } from "../../src/words/caller.js";
import { keyOf, onBehalfOf } from "./callers.js";
import { master as admin, user } from "../support/callers.js";
import { anything } from "./everyCall.js";
import {
  type Answer,
  embeddings,
  errorOf,
  failure,
  numbers,
  sharedLitellm,
  sleepyClock,
  startHeldProvider,
  startProvider,
  vectorOf,
} from "./support.js";
import { noPrompts } from "../../src/words/prompts.js";

const trial = { model: "m", dimensions: null, prompts: noPrompts };

const ann = user("ann");
const bob = user("bob");

describe("caching and joining", () => {
  test("the same query of three accounts is embedded three times, and cached for each", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = sharedLitellm(provider);
    for (let round = 0; round < 2; round += 1) {
      const vectors = await Promise.all(
        [ann, bob, ownWork, ann, admin].map((caller) => embedder.embedQuery("hello", { caller })),
      );
      expect(numbers(vectors)).toEqual(vectors.map(() => vectorOf("hello")));
      expect(provider.asked.map((asked) => [keyOf(asked), asked.body.input]).sort()).toEqual([
        ["sk-ann", ["hello"]],
        ["sk-bob", ["hello"]],
        ["sk-service-key", ["hello"]],
      ]);
    }
  });

  test("concurrent queries share a request only within an account", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = sharedLitellm(provider);
    const asked: [Caller, string][] = [
      [ann, "a"],
      [bob, "bb"],
      [ann, "ccc"],
      [bob, "dddd"],
      [ownWork, "eeeee"],
    ];
    const vectors = await Promise.all(asked.map(([caller, text]) => embedder.embedQuery(text, { caller })));
    expect(numbers(vectors)).toEqual(asked.map(([, text]) => vectorOf(text)));
    expect(provider.asked.map((each) => [keyOf(each), each.body.input]).sort()).toEqual([
      ["sk-ann", ["a", "ccc"]],
      ["sk-bob", ["bb", "dddd"]],
      ["sk-service-key", ["eeeee"]],
    ]);
  });

  test("the cache holds 1,000 vectors of all accounts together", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = sharedLitellm(provider);
    const ask = (caller: Caller, count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => embedder.embedQuery(`query ${i}`, { caller })));
    await ask(ann, 1);
    await ask(bob, 999);
    const full = provider.asked.length;
    await ask(ann, 1);
    await ask(bob, 999);
    expect(provider.asked).toHaveLength(full);
    await ask(ownWork, 1);
    await ask(ann, 1);
    expect(provider.asked.slice(full).map(keyOf)).toEqual(["sk-service-key", "sk-ann"]);
  });

  test("an account whose requests all hang blocks no other", async () => {
    await using provider = await startHeldProvider((asked) => embeddings(asked));
    const { embedder } = sharedLitellm(provider, {}, sleepyClock());
    const hanging: Promise<unknown>[] = [];
    for (let number = 1; number <= 4; number += 1) {
      hanging.push(embedder.embedQuery(`busy ${number}`, { caller: ann }));
      await provider.arrived(number);
    }
    hanging.push(embedder.embedQuery("waits", { caller: ann }));
    const passes = embedder.embedQuery("passes", { caller: bob });
    provider.release(5);
    expect(Array.from(await passes)).toEqual(vectorOf("passes"));
    expect(provider.asked.map(({ body }) => body.input)[4]).toEqual(["passes"]);
    provider.releaseAll();
    await Promise.all(hanging);
  });

  test("each account requests its own models and their dimensions", async () => {
    await using provider = await startProvider((asked) =>
      keyOf(asked) === "sk-bob" ? failure(403, "Key not allowed to access model") : anything(asked),
    );
    const litellm = sharedLitellm(provider);
    for (let round = 0; round < 2; round += 1) {
      expect(await litellm.dimensionsOf(trial, { caller: ann })).toBe(3);
      expect(await litellm.rerankModels({ caller: ann })).toHaveLength(1);
      expect(await litellm.maxInputTokens("m", { caller: ann })).toBe(512);
      expect(await errorOf(litellm.dimensionsOf(trial, { caller: bob }))).toMatchObject({ status: 403 });
      expect(await errorOf(litellm.rerankModels({ caller: bob }))).toMatchObject({ status: 403 });
      expect(await litellm.maxInputTokens("m", { caller: bob })).toBeNull();
    }
    const asked = (key: string) => provider.asked.filter((each) => keyOf(each) === key).map(({ path }) => path);
    expect(asked("sk-ann")).toEqual(["/v1/embeddings", "/model/info"]);
    expect(asked("sk-bob")).toHaveLength(6); // a refusal is not cached
  });
});

describe("a refusal of one user's key", () => {
  const refusals: [string, Answer, object][] = [
    [
      "rate limit",
      failure(429, "Rate limit of sk-annabella reached", {}, { "retry-after": "7" }),
      { status: 429, code: "rate_limit_exceeded", retryAfter: 7, message: "Rate limit of sk-[redacted] reached" },
    ],
    [
      "key refused",
      failure(401, "Authentication Error, key is blocked", { type: "auth_error" }),
      { status: 401, code: "invalid_api_key", type: "authentication_error", message: /is blocked/ },
    ],
    [
      "model not allowed",
      failure(403, "key not allowed to access model", { type: "key_model_access_denied" }),
      { status: 403, code: "permission_denied", message: /not allowed to access/ },
    ],
    [
      "FastAPI's envelope",
      { status: 403, json: { detail: "Virtual key is not allowed to call this route" } },
      { status: 403, code: "permission_denied", message: "The LiteLLM proxy does not let your key do this." },
    ],
    [
      "budget spent",
      failure(422, "Budget has been exceeded! dimensions base64 at most 1 inputs", { type: "budget_exceeded" }),
      { status: 422, code: "budget_exceeded", message: /has been exceeded/ },
    ],
    [
      "budget spent, older LiteLLM",
      failure(400, "ExceededBudget: batch size, dimensions, encoding_format", { type: "budget_exceeded" }),
      { status: 422, code: "budget_exceeded", message: /^ExceededBudget/ },
    ],
    [
      "no database to check it",
      failure(503, "No connected db.", { type: "no_db_connection" }),
      { status: 503, code: "service_unavailable", message: /cannot check your key/ },
    ],
  ];
  const matching = (expected: object) =>
    Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [
        name,
        value instanceof RegExp ? (expect.stringMatching(value) as unknown) : (value as unknown),
      ]),
    );

  test.each(refusals)("%s: only that user gets the refusal", async (_, refusal, expected) => {
    await using provider = await startProvider((asked) => (keyOf(asked) === "sk-ann" ? refusal : embeddings(asked)));
    const litellm = sharedLitellm(provider, { dimensionsConfigured: true });
    const [annas, bobs] = [ann, bob].map((caller) => onBehalfOf(caller, litellm));
    if (annas === undefined || bobs === undefined) throw new Error("two callers");
    for (let round = 0; round < 6; round += 1) {
      const refused = [
        errorOf(annas.embedder.embedQuery("hello")),
        errorOf(annas.embedder.embedQuery("more")),
        errorOf(annas.embedder.embed(["hello", "more"])),
        errorOf(annas.dimensionsOf("test-model")),
        errorOf(annas.createEmbeddings({ input: ["hello"] })),
      ];
      const [query, texts, dimensions] = await Promise.all([
        bobs.embedder.embedQuery("hello"),
        bobs.embedder.embed(["hello", "more"]),
        bobs.dimensionsOf("test-model"),
        ...refused,
      ]);
      expect([Array.from(query), numbers(texts), dimensions]).toEqual([
        vectorOf("hello"),
        [vectorOf("hello"), vectorOf("more")],
        3,
      ]);
      for (const error of await Promise.all(refused)) {
        expect(error).toEqual(expect.objectContaining(matching(expected)));
        expect(error.message).not.toMatch(/EMBEDDING__|LITELLM_|service's/);
      }
    }
    expect(litellm.state().breaker).toBe("closed");
    // Nothing was learned: requests stay complete and are not split.
    const texts = provider.asked.filter(({ body }) => body.input.length === 2);
    expect(texts.map(({ body }) => [body.encoding_format, body.dimensions])).toEqual(texts.map(() => ["base64", 3]));
    // Nothing was cached for ann: each call is sent. Bob's query and dimensions are sent once.
    const count = (key: string) => provider.asked.filter((asked) => keyOf(asked) === key).length;
    expect([count("sk-ann"), count("sk-bob")]).toEqual([6 * 4, 1 + 6 + 1]);
  });

  test("a wait for one user's rate limit blocks no other", async () => {
    await using provider = await startProvider((asked) =>
      keyOf(asked) === "sk-ann" && asked.number <= 4 ? failure(429, "slow down") : embeddings(asked),
    );
    const clock = sleepyClock();
    const { embedder } = sharedLitellm(provider, { retryBudgetMs: 60_000 }, clock);
    const waiting: Promise<unknown>[] = [];
    for (let number = 1; number <= 4; number += 1) {
      waiting.push(embedder.embedQuery(`busy ${number}`, { caller: ann }));
      await provider.arrived(number);
      while (clock.sleeping() < number) await setImmediate();
    }
    expect(Array.from(await embedder.embedQuery("hello", { caller: bob }))).toEqual(vectorOf("hello"));
    expect(clock.sleeping()).toBe(4);
    clock.wake();
    await Promise.all(waiting);
  });
});
