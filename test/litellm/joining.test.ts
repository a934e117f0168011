import { describe, expect, test } from "@jest/globals";
import { setImmediate } from "node:timers/promises";
import type { ApiError } from "../../src/words/errors.js";
import type { BoundEmbedder } from "./callers.js";
import type { Answer } from "./support.js";
import {
  embeddings,
  errorOf,
  failure,
  litellm,
  numbers,
  sleepyClock,
  startHeldProvider,
  startProvider,
  vectorOf,
} from "./support.js";

type HeldProvider = Awaited<ReturnType<typeof startHeldProvider>>;

const inputs = (provider: Pick<HeldProvider, "asked">) => provider.asked.map(({ body }) => body.input);

/** Four queries in four requests, all of them unanswered. */
async function occupy(provider: HeldProvider, embedder: BoundEmbedder, signal?: AbortSignal) {
  const vectors: Promise<Float32Array>[] = [];
  for (let number = 1; number <= 4; number += 1) {
    vectors.push(embedder.embedQuery(`busy ${number}`, signal && { signal }));
    await provider.arrived(number);
  }
  return vectors;
}
const busy = [["busy 1"], ["busy 2"], ["busy 3"], ["busy 4"]];

describe("when requests are sent", () => {
  test("at most four at once; meanwhile texts are collected, and sent together as soon as one returns", async () => {
    await using provider = await startHeldProvider();
    const clock = sleepyClock();
    const { embedder } = litellm(provider, {}, clock);
    const first = await occupy(provider, embedder);
    const later: Promise<Float32Array>[] = [];
    for (const text of ["e", "ff", "ggg"]) {
      later.push(embedder.embedQuery(text));
      await setImmediate();
    }
    provider.release(3);
    await provider.arrived(5);
    provider.releaseAll();
    expect(numbers(await Promise.all([...first, ...later]))).toEqual(
      ["busy 1", "busy 2", "busy 3", "busy 4", "e", "ff", "ggg"].map(vectorOf),
    );
    expect(inputs(provider)).toEqual([...busy, ["e", "ff", "ggg"]]);
    expect(clock.sleeping()).toBe(0);
  });

  test("no text waits longer than 250 ms, even if all four hang", async () => {
    await using provider = await startHeldProvider();
    const clock = sleepyClock();
    const { embedder } = litellm(provider, {}, clock);
    const leaving = new AbortController();
    const hanging = await occupy(provider, embedder, leaving.signal);
    const waiting = ["e", "ff"].map((text) => embedder.embedQuery(text));
    await setImmediate();
    expect(clock.sleeps).toEqual([250]);
    clock.wake();
    provider.release(5);
    expect(numbers(await Promise.all(waiting))).toEqual([vectorOf("e"), vectorOf("ff")]);
    expect(inputs(provider)).toEqual([...busy, ["e", "ff"]]);
    leaving.abort(new Error("the caller left"));
    for (const one of hanging) await expect(one).rejects.toThrow("the caller left");
  });

  test("models do not wait for each other", async () => {
    await using provider = await startHeldProvider();
    const { embedder, embedderFor } = litellm(provider, {}, sleepyClock());
    const first = await occupy(provider, embedder);
    const other = embedderFor({ model: "other", dimensions: 3, sendDimensions: false }).embedQuery("e");
    provider.release(5);
    expect(Array.from(await other)).toEqual(vectorOf("e"));
    provider.releaseAll();
    await Promise.all(first);
  });

  test("a request contains at most as many texts as the batch size", async () => {
    await using provider = await startProvider(embeddings);
    const texts = ["a", "bb", "ccc", "dddd", "eeeee"];
    const { embedder } = litellm(provider, { batchSize: 2 }, sleepyClock());
    expect(numbers(await Promise.all(texts.map((text) => embedder.embedQuery(text))))).toEqual(texts.map(vectorOf));
    expect(inputs(provider).sort()).toEqual([["a", "bb"], ["ccc", "dddd"], ["eeeee"]]);
  });
});

describe("callers who cancel", () => {
  test("before the request: their text is not sent, and without texts there is no request", async () => {
    await using provider = await startHeldProvider();
    const clock = sleepyClock();
    const { embedder } = litellm(provider, {}, clock);
    const first = await occupy(provider, embedder);
    const leaver = new AbortController();
    const left = embedder.embedQuery("left", { signal: leaver.signal });
    const stayed = embedder.embedQuery("stayed");
    await setImmediate();
    leaver.abort(new Error("the caller left"));
    await expect(left).rejects.toThrow("the caller left");
    provider.releaseAll();
    expect(Array.from(await stayed)).toEqual(vectorOf("stayed"));
    await Promise.all(first);
    expect(inputs(provider)).toEqual([...busy, ["stayed"]]);
    expect(clock.sleeping()).toBe(0);
  });

  test("the only one waiting: the timer ends with them", async () => {
    await using provider = await startHeldProvider();
    const clock = sleepyClock();
    const { embedder } = litellm(provider, {}, clock);
    const first = await occupy(provider, embedder);
    const leaver = new AbortController();
    const left = embedder.embedQuery("left", { signal: leaver.signal });
    await setImmediate();
    expect(clock.sleeping()).toBe(1);
    leaver.abort(new Error("the caller left"));
    await expect(left).rejects.toThrow("the caller left");
    expect(clock.sleeping()).toBe(0);
    provider.releaseAll();
    await Promise.all(first);
    expect(inputs(provider)).toEqual(busy);
  });

  test("during a shared request: it continues for the others, and ends with the last caller", async () => {
    await using provider = await startHeldProvider();
    const { embedder } = litellm(provider, {}, sleepyClock());
    const leavers = [new AbortController(), new AbortController()];
    const ask = (texts: string[]) =>
      texts.map((text, i) => embedder.embedQuery(text, { signal: (leavers[i] ?? new AbortController()).signal }));
    const [left, , stayed] = ask(["a", "bb", "ccc"]).map((vector) => vector.catch((error: unknown) => String(error)));
    await provider.arrived(1);
    leavers[0]?.abort(new Error("the caller left"));
    leavers[1]?.abort(new Error("the caller left"));
    expect(await left).toBe("Error: the caller left");
    provider.release(1);
    expect(await stayed).toEqual(Float32Array.from(vectorOf("ccc")));
    expect(provider.left()).toBe(0);

    leavers.splice(0, 2, new AbortController(), new AbortController());
    const both = ask(["d", "ee"]).map((vector) => vector.catch((error: unknown) => String(error)));
    await provider.arrived(2);
    for (const leaver of leavers) leaver.abort(new Error("the caller left"));
    expect(await Promise.all(both)).toEqual(["Error: the caller left", "Error: the caller left"]);
    provider.release(3); // requested again, because nothing was cached
    expect(Array.from(await embedder.embedQuery("d"))).toEqual(vectorOf("d"));
    expect(provider.left()).toBe(1);
  });

  test("while their half of a refused request waits: it is not sent", async () => {
    await using provider = await startHeldProvider((asked) =>
      asked.body.input.includes("bad") ? failure(400, "content filter") : embeddings(asked),
    );
    const { embedder } = litellm(provider, {}, sleepyClock());
    const first: Promise<unknown>[] = [];
    for (let number = 1; number <= 3; number += 1) {
      first.push(embedder.embedQuery(`busy ${number}`));
      await provider.arrived(number);
    }
    const leaver = new AbortController();
    const bad = errorOf(embedder.embedQuery("bad"));
    const left = embedder.embedQuery("left", { signal: leaver.signal });
    await provider.arrived(4);
    provider.release(4);
    await provider.arrived(5);
    leaver.abort(new Error("the caller left"));
    await expect(left).rejects.toThrow("the caller left");
    provider.releaseAll();
    expect((await bad).status).toBe(400);
    await Promise.all(first);
    await embedder.embedQuery("new");
    expect(inputs(provider).slice(3)).toEqual([["bad", "left"], ["bad"], ["probe"], ["new"]]);
  });
});

describe("failures of a shared request", () => {
  const texts = ["a", "bb", "bad", "dddd", "eeeee"];
  const askAll = (embedder: BoundEmbedder) =>
    Promise.all(
      texts.map((text) =>
        embedder.embedQuery(text).then(
          (vector) => Array.from(vector),
          (error: unknown) => (error as ApiError).status,
        ),
      ),
    );

  test.each<[string, Answer, number]>([
    ["a refused text", failure(400, "content filter"), 400],
    ["a text too long", failure(400, "This model's maximum context length is 8192 tokens"), 400],
    ["a text too large", failure(413, "Request Entity Too Large"), 400],
    ["an invalid text", failure(422, "not valid"), 400],
  ])("%s fails alone, and no failure is cached", async (_, refusal, status) => {
    let bad = true;
    await using provider = await startProvider((asked) =>
      bad && asked.body.input.includes("bad") ? refusal : embeddings(asked),
    );
    const { embedder } = litellm(provider, {}, sleepyClock());
    expect(await askAll(embedder)).toEqual(texts.map((text) => (text === "bad" ? status : vectorOf(text))));
    expect(inputs(provider).filter((input) => input.length === 1 && input[0] === "bad")).toHaveLength(1);
    const before = provider.asked.length;
    bad = false;
    expect(await askAll(embedder)).toEqual(texts.map(vectorOf));
    expect(inputs(provider).slice(before)).toEqual([["bad"]]);
  });

  test.each<[string, Answer, number]>([
    ["an unknown model, LiteLLM", failure(400, "/embeddings: Invalid model name passed in model=test-model"), 502],
    ["an unknown model, OpenAI", failure(404, "does not exist"), 502],
    ["a refused key", failure(401, "no"), 502],
    ["a spent budget", failure(400, "no", { type: "budget_exceeded" }), 422],
    ["a rate limit", failure(429, "slow down"), 429],
    ["an outage", failure(500, "oops"), 502],
    ["no connection", "drop", 503],
  ])("%s fails all of them, with one request", async (_, answer, status) => {
    await using provider = await startProvider(() => answer);
    expect(await askAll(litellm(provider, {}, sleepyClock()).embedder)).toEqual(texts.map(() => status));
    expect(provider.asked).toHaveLength(1);
  });

  test("a limit on the number of texts is learned", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.input.length > 2 ? failure(400, "at most 2 inputs") : embeddings(asked),
    );
    const { embedder } = litellm(provider, {}, sleepyClock());
    const ask = (each: string[]) => Promise.all(each.map((text) => embedder.embedQuery(text)));
    await ask(["a", "bb", "ccc", "dddd"]);
    expect(inputs(provider).map(({ length }) => length)).toEqual([4, 2, 2]);
    await ask(["e", "ff", "ggg", "hhhh"]);
    expect(inputs(provider).map(({ length }) => length)).toEqual([4, 2, 2, 2, 2]);
  });
});
