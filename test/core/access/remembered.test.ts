import { describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { remember } from "../../../src/core/access/remembered.js";
import { unauthorized, unavailable } from "../../../src/words/errors.js";

const forMs = 60_000;

/** A memory on a clock that tests move, and a source that counts its questions. */
function setUp(options: { graceMs?: number; random?: () => number; endOf?: (value: string) => number | null } = {}) {
  let now = 1_000_000;
  let asked = 0;
  let answer: () => Promise<string> = () => Promise.resolve("a");
  const memory = remember<string>({ now: () => now, forMs, max: 100, random: () => 0.5, ...options });
  return {
    memory,
    of: (id = "k", graceMs?: number) =>
      memory.of(
        id,
        () => {
          asked += 1;
          return answer();
        },
        graceMs,
      ),
    say: (next: () => Promise<string>) => {
      answer = next;
    },
    advance: (ms: number) => {
      now += ms;
    },
    asked: () => asked,
  };
}
const away = () => Promise.reject(unavailable("away"));
const no = () => Promise.reject(unauthorized("no"));
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("answers", () => {
  test("callers of one moment share a question, and later ones its answer", async () => {
    const source = setUp();
    expect(await Promise.all([source.of(), source.of(), source.of()])).toEqual(["a", "a", "a"]);
    source.advance(forMs / 2);
    expect(await source.of()).toBe("a");
    expect(source.asked()).toBe(1);
  });

  test("near its end an answer is asked for again while it is still used", async () => {
    const source = setUp();
    await source.of();
    source.say(() => Promise.resolve("b"));
    source.advance(forMs * 0.93);
    expect(await source.of()).toBe("a");
    await settled();
    expect(await source.of()).toBe("b");
    expect(source.asked()).toBe(2);
  });

  test("an answer is never used after its time, nor after its own end", async () => {
    const source = setUp();
    await source.of();
    source.advance(forMs);
    source.say(() => Promise.resolve("b"));
    expect(await source.of()).toBe("b");

    const brief = setUp({ endOf: () => 1_000_000 + 5000, graceMs: 600_000 });
    await brief.of();
    brief.advance(5000);
    brief.say(away);
    await expect(brief.of()).rejects.toMatchObject({ status: 503 });
  });

  test("a forgotten answer is asked for again, even if a question is under way", async () => {
    const source = setUp();
    let tell: (value: string) => void = () => undefined;
    source.say(() => new Promise((resolve) => (tell = resolve)));
    const first = source.of();
    source.memory.forget("k");
    source.say(() => Promise.resolve("new"));
    expect(await source.of()).toBe("new");
    tell("old");
    expect(await first).toBe("old");
    expect(await source.of()).toBe("new");
  });
});

describe("refusals", () => {
  test("are remembered, and end with their time", async () => {
    const source = setUp();
    source.say(no);
    for (let i = 0; i < 3; i += 1) await expect(source.of()).rejects.toMatchObject({ status: 401 });
    expect(source.asked()).toBe(1);
    source.advance(forMs);
    source.say(() => Promise.resolve("a"));
    expect(await source.of()).toBe("a");
  });

  test("end a known answer at once when it is asked for again", async () => {
    const source = setUp({ graceMs: 600_000 });
    await source.of();
    source.say(no);
    source.advance(forMs * 0.93);
    expect(await source.of()).toBe("a");
    await settled();
    await expect(source.of()).rejects.toMatchObject({ status: 401 });
  });

  test("a flood of them does not push answers out", async () => {
    const source = setUp();
    await source.of("known");
    source.say(no);
    for (let i = 0; i < 500; i += 1) await source.of(`wrong ${i}`).catch(() => undefined);
    source.say(away);
    expect(await source.of("known")).toBe("a");
  });
});

describe("outages", () => {
  test("are not remembered", async () => {
    const source = setUp();
    source.say(away);
    await expect(source.of()).rejects.toMatchObject({ status: 503 });
    source.say(() => Promise.resolve("a"));
    expect(await source.of()).toBe("a");
  });

  test("leave an answer in use for the grace, and no longer", async () => {
    const source = setUp({ graceMs: 30_000 });
    await source.of();
    source.say(away);
    source.advance(forMs + 29_999);
    expect(await source.of()).toBe("a");
    source.advance(1);
    await expect(source.of()).rejects.toMatchObject({ status: 503 });
  });

  test("leave it in use for the grace of a call", async () => {
    const source = setUp();
    await source.of();
    source.say(away);
    source.advance(forMs + 29_999);
    expect(await source.of("k", 30_000)).toBe("a");
    await expect(source.of("k")).rejects.toMatchObject({ status: 503 });
  });

  test("a source that hangs keeps nobody waiting for more than a second who can use the answer before", async () => {
    const source = setUp({ graceMs: 30_000 });
    await source.of();
    let answer: (text: string) => void = () => undefined;
    source.say(() => new Promise((resolve) => (answer = resolve)));
    source.advance(forMs);
    jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    try {
      const asked = source.of();
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await asked).toBe("a");
    } finally {
      jest.useRealTimers();
    }
    answer("b");
    await settled();
    expect(await source.of()).toBe("b");
    expect(source.asked()).toBe(2);
  });

  test("without a grace an answer ends with its time", async () => {
    const source = setUp();
    await source.of();
    source.say(away);
    source.advance(forMs);
    await expect(source.of()).rejects.toMatchObject({ status: 503 });
  });
});

test("a busy id costs at most one question per 85 % of its time, and no answer is older than its time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 60 }),
      fc.float({ min: 0, max: Math.fround(0.99), noNaN: true }),
      async (steps, share) => {
        let now = 0;
        let asked = 0;
        const memory = remember<number>({ now: () => now, forMs, max: 10, random: () => share });
        for (const step of steps) {
          now += step;
          const answer = await memory.of("k", () => {
            asked += 1;
            return Promise.resolve(now);
          });
          expect(now - answer).toBeLessThan(forMs);
        }
        expect(asked).toBeLessThanOrEqual(1 + Math.floor(now / (forMs * 0.85)));
      },
    ),
  );
});
