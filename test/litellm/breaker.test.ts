import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { ownWork } from "../../src/words/caller.js";
import { keyOf } from "./callers.js";
import { user } from "../support/callers.js";
import { anything } from "./everyCall.js";
import {
  type Answer,
  embeddings,
  errorOf,
  failure,
  fakeClock,
  gateway,
  litellm,
  numbers,
  sharedLitellm,
  startProvider,
  vectorOf,
} from "./support.js";

/** cockatiel reads Date.now itself. */
function passing(): (milliseconds: number) => void {
  const real = Date.now.bind(Date);
  let offset = 0;
  jest.spyOn(Date, "now").mockImplementation(() => real() + offset);
  return (milliseconds) => {
    offset += milliseconds;
  };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("breaker", () => {
  test("opens after 5 consecutive outages, lets one call through after 10 s, and closes if that succeeds", async () => {
    const pass = passing();
    let healthy = false;
    await using provider = await startProvider((asked) => (healthy ? embeddings(asked) : failure(500, "oops")));
    const { embedder, state } = litellm(provider);
    for (let outage = 0; outage < 5; outage += 1) {
      expect(state().breaker).toBe("closed");
      expect((await errorOf(embedder.embed([`text ${outage}`]))).status).toBe(502);
    }
    expect(state()).toEqual({ configured: true, breaker: "open" });
    const error = await errorOf(embedder.embed(["a"]));
    expect(error).toMatchObject({ status: 503, code: "service_unavailable" });
    expect(error.retryAfter).toBeGreaterThan(8);
    expect(error.retryAfter).toBeLessThanOrEqual(10);
    expect(provider.asked).toHaveLength(5);

    pass(10_001);
    expect(state().breaker).toBe("half-open");
    expect((await errorOf(embedder.embed(["a"]))).status).toBe(502);
    expect(state().breaker).toBe("open");
    expect(provider.asked).toHaveLength(6);

    pass(10_001);
    healthy = true;
    await embedder.embed(["a"]);
    expect(state().breaker).toBe("closed");
  });

  test("a running call waits for an open breaker within its time budget", async () => {
    const pass = passing();
    await using provider = await startProvider((asked) => {
      if (asked.number > 10) return embeddings(asked);
      states.push(state().breaker);
      return failure(500, "oops");
    });
    const states: string[] = [];
    const clock = fakeClock();
    const { embedder, state } = litellm(
      provider,
      { retryBudgetMs: 60_000 },
      {
        ...clock,
        sleep: (milliseconds, signal) => {
          pass(milliseconds);
          return clock.sleep(milliseconds, signal);
        },
      },
    );
    const texts = ["a", "bb", "ccc", "dddd", "eeeee"];
    const vectors = await Promise.all(texts.map((text) => embedder.embed([text])));
    expect(numbers(vectors.flat())).toEqual(texts.map(vectorOf));
    expect(states.slice(5)).toContain("half-open");
    expect(state().breaker).toBe("closed");
  });

  test("stays closed on refusals, because a refusal proves that the provider works", async () => {
    await using provider = await startProvider(({ number }) =>
      number % 5 === 0 ? failure(404, "no") : failure(500, "oops"),
    );
    const { embedder, state } = litellm(provider);
    for (let call = 0; call < 12; call += 1) await errorOf(embedder.embed([`text ${call}`]));
    expect(state().breaker).toBe("closed");
    expect(provider.asked).toHaveLength(12);
  });

  test("a broken model that a caller names does not affect the embedder's breaker", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.model === "broken" ? failure(500, "oops") : embeddings(asked),
    );
    const { embedder, createEmbeddings, state } = litellm(provider);
    for (let call = 0; call < 6; call += 1) await errorOf(createEmbeddings({ model: "broken", input: `text ${call}` }));
    expect(state().breaker).toBe("closed");
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
  });

  test("a caller that waits for the trial call can cancel", async () => {
    const pass = passing();
    const trial = gateway();
    await using provider = await startProvider(({ number }) => {
      if (number <= 5) return failure(500, "oops");
      trial.open();
      return "hang";
    });
    const { embedder } = litellm(provider);
    for (let outage = 0; outage < 5; outage += 1) await errorOf(embedder.embed([`text ${outage}`]));
    pass(10_001);
    const trying = new AbortController();
    const tried = embedder.embed(["a"], { signal: trying.signal });
    await trial.opened;
    const controller = new AbortController();
    const held = embedder.embed(["a"], { signal: controller.signal });
    controller.abort(new Error("the caller left"));
    await expect(held).rejects.toThrow("the caller left");
    trying.abort(new Error("the first left"));
    await expect(tried).rejects.toThrow("the first left");
  });
});

describe("several callers", () => {
  const ann = user("ann");
  const bob = user("bob");
  const outages = (refused: Answer) =>
    startProvider((asked) => (keyOf(asked) === "sk-ann" ? refused : failure(500, "oops")));

  test.each<[string, Answer]>([
    ["429", failure(429, "slow down")],
    ["401", failure(401, "no")],
    ["403", failure(403, "no")],
    ["422", failure(422, "no", { type: "budget_exceeded" })],
    ["503", failure(503, "no", { type: "no_db_connection" })],
  ])("a user's %s neither opens it nor resets the count of outages", async (_, refused) => {
    await using provider = await outages(refused);
    const { embedder, state } = sharedLitellm(provider);
    for (let call = 0; call < 10; call += 1) await errorOf(embedder.embed(["a"], { caller: ann }));
    expect(state().breaker).toBe("closed");
    for (let outage = 0; outage < 5; outage += 1) {
      expect(state().breaker).toBe("closed");
      await errorOf(embedder.embed([`text ${outage}`], { caller: outage % 2 === 0 ? bob : ownWork }));
      await errorOf(embedder.embed(["a"], { caller: ann }));
    }
    expect(state().breaker).toBe("open");
    const asked = provider.asked.length;
    for (const caller of [ann, bob, ownWork])
      expect(await errorOf(embedder.embed(["a"], { caller }))).toMatchObject({ status: 503 });
    expect(provider.asked).toHaveLength(asked);
  });

  test("a trial call with a refused key lets others pass, and the next outage opens it again", async () => {
    const pass = passing();
    await using provider = await outages(failure(429, "slow down"));
    const { embedder, state } = sharedLitellm(provider);
    for (let outage = 0; outage < 5; outage += 1) await errorOf(embedder.embed([`text ${outage}`], { caller: bob }));
    pass(10_001);
    expect(await errorOf(embedder.embed(["a"], { caller: ann }))).toMatchObject({ status: 429 });
    expect(state().breaker).toBe("closed");
    expect(await errorOf(embedder.embed(["a"], { caller: bob }))).toMatchObject({ status: 502 });
    expect(state().breaker).toBe("open");
  });

  test("a broken model that one caller names does not affect other models", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.model === "broken" ? failure(500, "oops") : anything(asked),
    );
    const litellm = sharedLitellm(provider);
    for (let call = 0; call < 6; call += 1)
      await errorOf(litellm.createEmbeddings({ model: "broken", input: [`text ${call}`] }, { caller: ann }));
    await litellm.createEmbeddings({ model: "m", input: ["a"] }, { caller: bob });
    await litellm.models({ caller: bob });
  });
});
