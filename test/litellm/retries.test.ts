import { describe, expect, test } from "@jest/globals";
import { readRetryAfter } from "../../src/litellm/failures.js";
import type { Answer } from "./support.js";
import {
  embeddings,
  errorOf,
  failure,
  fakeClock,
  gateway,
  litellm,
  numbers,
  startProvider,
  vectorOf,
} from "./support.js";

const budget = { retryBudgetMs: 60_000 };

/** The given answers in turn, then proper embeddings. */
const first = (...answers: Answer[]) => startProvider((asked) => answers[asked.number - 1] ?? embeddings(asked));

describe("retries", () => {
  test.each<[string, Answer]>([
    ["408", failure(408, "slow")],
    ["409", failure(409, "locked")],
    ["429", failure(429, "slow down")],
    ["500", failure(500, "oops")],
    ["502 with HTML", { status: 502, text: "<html>", headers: { "content-type": "text/html" } }],
    ["503", failure(503, "starting")],
    ["a cut connection", "drop"],
  ])("%s is retried", async (_, answer) => {
    await using provider = await first(answer, answer);
    const clock = fakeClock();
    expect(numbers(await litellm(provider, budget, clock).embedder.embed(["a"]))).toEqual([vectorOf("a")]);
    expect(clock.sleeps).toEqual([250, 500]); // half of 500 and 1,000: the random number is 0.5
  });

  test.each([400, 401, 402, 403, 404, 422])("%i is not", async (status) => {
    await using provider = await startProvider(() => failure(status, "no"));
    expect((await errorOf(litellm(provider, budget).embedder.embed(["a"]))).status).toBe(502);
    expect(provider.asked.filter(({ body }) => body.input[0] === "a")).toHaveLength(1);
  });

  test("an exhausted quota is not, despite its 429", async () => {
    await using provider = await first(failure(429, "You exceeded your quota", { type: "insufficient_quota" }));
    expect((await errorOf(litellm(provider, budget).embedder.embed(["a"]))).status).toBe(429);
    expect(provider.asked).toHaveLength(1);
  });

  test("all attempts and waits stay within the time budget", async () => {
    await using provider = await startProvider(() => failure(429, "slow down"));
    const clock = fakeClock();
    const begin = clock.now();
    expect((await errorOf(litellm(provider, budget, clock).embedder.embed(["a"]))).status).toBe(429);
    expect(clock.now() - begin).toBeLessThan(60_000);
    expect(clock.sleeps.slice(0, 7)).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(provider.asked).toHaveLength(clock.sleeps.length + 1);
  });

  test("without a budget there is one attempt", async () => {
    await using provider = await startProvider(() => failure(503, "starting"));
    expect((await errorOf(litellm(provider).embedder.embed(["a"]))).status).toBe(502);
    expect(provider.asked).toHaveLength(1);
  });
});

describe("Retry-After", () => {
  test.each<[string, Record<string, string>, number]>([
    ["in seconds", { "retry-after": "7" }, 7_000],
    ["in milliseconds", { "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
    ["passed on by LiteLLM", { "llm_provider-retry-after": "8" }, 8_000],
    ["as a date", { "retry-after": "Thu, 01 Jan 2026 00:00:20 GMT" }, 20_000],
    ["in the past: the usual wait", { "retry-after": "Thu, 01 Jan 2015 00:00:00 GMT" }, 250],
    ["zero: the usual wait", { "retry-after": "0" }, 250],
    ["unreadable: the usual wait", { "retry-after": "soon" }, 250],
  ])("%s is waited for", async (_, headers, expected) => {
    await using provider = await first(failure(429, "slow down", {}, headers));
    const clock = fakeClock();
    await litellm(provider, budget, clock).embedder.embed(["a"]);
    expect(clock.sleeps).toEqual([expected]);
  });

  test("beyond the budget, the error is returned at once", async () => {
    await using provider = await first(failure(429, "slow down", {}, { "retry-after": "61" }));
    const clock = fakeClock();
    const error = await errorOf(litellm(provider, budget, clock).embedder.embed(["a"]));
    expect(error).toMatchObject({
      status: 429,
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      retryAfter: 61,
      message: "The embedding provider's rate limit is reached. Try again later.",
    });
    expect(clock.sleeps).toEqual([]);
    expect(provider.asked).toHaveLength(1);
  });

  test("only the rest of the budget counts", async () => {
    const slow = failure(429, "slow down", {}, { "retry-after": "40" });
    await using provider = await first(slow, slow);
    const clock = fakeClock();
    expect(await errorOf(litellm(provider, budget, clock).embedder.embed(["a"]))).toMatchObject({ retryAfter: 40 });
    expect(clock.sleeps).toEqual([40_000]);
  });

  test("an attempt cut off by the budget does not hide the previous error", async () => {
    let tries = 0;
    await using provider = await startProvider(() => {
      tries += 1;
      return tries === 1 ? failure(429, "slow down", {}, { "retry-after-ms": "900" }) : "hang";
    });
    const clock = fakeClock();
    const limits = { timeoutMs: 500, retryBudgetMs: 1000 };
    expect(await errorOf(litellm(provider, limits, clock).embedder.embed(["a"]))).toMatchObject({ status: 429 });
    expect(tries).toBe(2);
  });

  test("is undefined if absent", () => {
    expect(readRetryAfter(new Headers(), 0)).toBeNull();
  });
});

describe("time limit", () => {
  test.each<["hang" | "stall", string]>([
    ["hang", "no answer"],
    ["stall", "headers without a body"],
  ])("%s (%s) → 504", async (answer) => {
    await using provider = await startProvider(() => answer);
    const error = await errorOf(litellm(provider, { timeoutMs: 40 }).embedder.embed(["a"]));
    expect(error).toMatchObject({ status: 504, code: "gateway_timeout" });
    expect(error.message).toContain("EMBEDDING__TIMEOUT_SECONDS");
  });

  test("a timeout is retried", async () => {
    await using provider = await first("hang");
    const { embedder } = litellm(provider, { timeoutMs: 300, ...budget });
    expect(numbers(await embedder.embed(["a"]))).toEqual([vectorOf("a")]);
  });

  test("no server → 503", async () => {
    const provider = await startProvider(embeddings);
    await provider[Symbol.asyncDispose]();
    const error = await errorOf(litellm(provider).embedder.embed(["a"]));
    expect(error).toMatchObject({ status: 503, code: "service_unavailable" });
  });
});

describe("abort", () => {
  test("ends the running request with the signal's reason", async () => {
    const { opened, open } = gateway();
    await using provider = await startProvider(() => {
      open();
      return "hang";
    });
    const controller = new AbortController();
    const embedding = litellm(provider, budget).embedder.embed(["a"], { signal: controller.signal });
    await opened;
    controller.abort(new Error("the caller left"));
    await expect(embedding).rejects.toThrow("the caller left");
    expect(provider.asked).toHaveLength(1);
  });

  test("ends the wait between attempts", async () => {
    await using provider = await startProvider(() => failure(500, "oops"));
    const controller = new AbortController();
    const clock = fakeClock();
    const { embedder } = litellm(provider, budget, {
      ...clock,
      sleep: (milliseconds, signal) => {
        controller.abort(new Error("the caller left"));
        return clock.sleep(milliseconds, signal);
      },
    });
    await expect(embedder.embed(["a"], { signal: controller.signal })).rejects.toThrow("the caller left");
    expect(provider.asked).toHaveLength(1);
  });

  test("sends nothing if already aborted", async () => {
    await using provider = await startProvider(embeddings);
    const { embedder } = litellm(provider);
    const signal = AbortSignal.abort(new Error("the caller left"));
    await expect(embedder.embed(["a"], { signal })).rejects.toThrow("the caller left");
    await expect(embedder.embedQuery("a", { signal })).rejects.toThrow("the caller left");
    expect(provider.asked).toHaveLength(0);
  });
});
