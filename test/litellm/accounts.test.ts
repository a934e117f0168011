import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { ownWork } from "../../src/words/caller.js";
import { keyOf } from "./callers.js";
import { master as admin, user } from "../support/callers.js";
import { anything, calls } from "./everyCall.js";
import { base64, embeddings, errorOf, failure, fakeClock, numbers, sharedLitellm, startProvider } from "./support.js";

const ann = user("ann");
const bob = user("bob");

describe("the key of each model call", () => {
  test.each(calls)("%s: the user's own key; the service's for the server and the administrator", async (_, call) => {
    await using provider = await startProvider(anything);
    for (const caller of [ann, ownWork, bob]) await call(sharedLitellm(provider), caller);
    const litellm = sharedLitellm(provider);
    for (const caller of [ann, admin, bob]) await call(litellm, caller);
    const keys = ["sk-ann", "sk-service-key", "sk-bob"];
    expect(provider.asked.map(keyOf)).toEqual([...keys, ...keys]);
  });

  test.each(calls)("%s: nothing is sent for nobody", async (_, call) => {
    await using provider = await startProvider(anything);
    expect(await errorOf(call(sharedLitellm(provider), { kind: "nobody" }))).toMatchObject({ status: 401 });
    expect(provider.asked).toEqual([]);
  });

  test("every attempt uses the same key", async () => {
    await using provider = await startProvider((asked) =>
      asked.number === 1 ? failure(503, "starting") : embeddings(asked),
    );
    await sharedLitellm(provider, { retryBudgetMs: 60_000 }).embedder.embed(["a"], { caller: ann });
    expect(provider.asked.map(keyOf)).toEqual(["sk-ann", "sk-ann"]);
  });

  test("the built-in embedder refuses `nobody`, too", async () => {
    const litellm = sharedLitellm(null);
    for (const name of ["embed", "embedQuery", "dimensionsOf", "createEmbeddings", "models", "rerankModels"]) {
      const call = calls.find(([each]) => each === name)?.[1];
      expect(call === undefined ? null : (await errorOf(call(litellm, { kind: "nobody" }))).status).toBe(401);
    }
  });

  test("a key that no header can carry is refused here and does not count as an outage", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder, state } = sharedLitellm(provider);
    for (const key of ["sk-a\nb", "sk-ä", "sk a", ""]) {
      const caller = user("ann", { secret: key });
      for (let call = 0; call < 5; call += 1)
        expect(await errorOf(embedder.embed(["a"], { caller }))).toMatchObject({ status: 401 });
    }
    expect(state().breaker).toBe("closed");
    expect(provider.asked).toEqual([]);
  });
});

describe("for any order of callers and texts", () => {
  const callers = [ownWork, ann, bob, admin];
  const keys = ["sk-service-key", "sk-ann", "sk-bob", "sk-service-key"];
  const call = fc.record({
    who: fc.nat(callers.length - 1),
    texts: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
    query: fc.boolean(),
    turn: fc.boolean(),
  });

  test("a request contains only texts of its key's callers, and each caller gets vectors paid with their key", async () => {
    await using provider = await startProvider(({ body, headers }) => ({
      json: {
        data: body.input.map((text, index) => ({
          index,
          embedding: base64([Number(text), keys.indexOf(keyOf({ headers }) ?? ""), 0.5]),
        })),
      },
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), async (given, batchSize) => {
        const { embedder } = sharedLitellm(provider, { batchSize }, fakeClock());
        const since = provider.asked.length;
        const results: Promise<Float32Array[]>[] = [];
        for (const { who, texts, query, turn } of given) {
          const options = { caller: callers[who] ?? ownWork };
          const named = texts.map(String);
          results.push(
            query
              ? Promise.all(named.map((text) => embedder.embedQuery(text, options)))
              : embedder.embed(named, options),
          );
          if (turn) await setImmediate();
        }
        const vectors = await Promise.all(results);
        given.forEach(({ who, texts }, i) => {
          const payer = keys.indexOf(keys[who] ?? "");
          expect(numbers(vectors[i] ?? [])).toEqual(texts.map((text) => [text, payer, 0.5]));
        });
        for (const asked of provider.asked.slice(since)) {
          const own = given.filter(({ who }) => keys[who] === keyOf(asked)).flatMap(({ texts }) => texts.map(String));
          expect(own).toEqual(expect.arrayContaining(asked.body.input));
        }
      }),
      { numRuns: 60 },
    );
  });
});
