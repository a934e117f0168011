import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Bounds, Engine, Pace } from "../../src/engines/engine.js";
import { type Upkeep, startUpkeep } from "../../src/jobs/upkeep.js";

type Parts = Parameters<typeof startUpkeep>[0];

let rounds: Pace[];
let answers: (number | Error | Promise<number>)[];
let warnings: string[];
let checks: number;
let check: () => Promise<void>;
let bounded: (Bounds | undefined)[];
let stopping: AbortController;
let upkeep: Upkeep;

const start = () => {
  const engine = {
    check: (bounds?: Bounds) => {
      checks += 1;
      bounded.push(bounds);
      return check();
    },
    upkeep: (pace: Pace, bounds?: Bounds) => {
      rounds.push(pace);
      bounded.push(bounds);
      const answer = answers.shift() ?? 0;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  } satisfies Partial<Engine>;
  const log = { warn: (_about: object, message: string) => warnings.push(message) };
  upkeep = startUpkeep({ engine, log, stopping: stopping.signal } as unknown as Parts);
};
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  jest.useFakeTimers();
  [rounds, answers, warnings, bounded, checks] = [[], [], [], [], 0];
  stopping = new AbortController();
  check = () => Promise.resolve();
});
afterEach(async () => {
  await upkeep.stop();
  jest.useRealTimers();
});

describe("upkeep", () => {
  test("checks the engine once, and only then begins its rounds", async () => {
    let checked = (): void => undefined;
    check = () => new Promise((resolve) => (checked = resolve));
    start();
    await pass(10_000);
    expect(rounds).toHaveLength(0);
    checked();
    await pass(0);
    expect(rounds).toHaveLength(1);
    await pass(10_000);
    expect(checks).toBe(1);
  });

  test("a check or a round that fails is logged, and the next round comes", async () => {
    check = () => Promise.reject(new Error("away"));
    answers = [new Error("away")];
    start();
    await pass(2000);
    expect(rounds).toHaveLength(2);
    expect(warnings).toHaveLength(2);
  });

  test("rests for two seconds after a round without work, and hardly after one with work", async () => {
    answers = [0, 3, 0];
    start();
    await pass(1999);
    expect(rounds).toHaveLength(1);
    await pass(1);
    expect(rounds).toHaveLength(2);
    await pass(50);
    expect(rounds).toHaveLength(3);
    await pass(1999);
    expect(rounds).toHaveLength(3);
  });

  test("a wake ends the rest", async () => {
    start();
    await pass(0);
    upkeep.wake();
    await pass(0);
    expect(rounds).toHaveLength(2);
  });

  test("a wake does not shorten the pause between portions, which is as long as the work before it", async () => {
    let finish: (worked: number) => void = () => undefined;
    answers = [new Promise((resolve) => (finish = resolve))];
    start();
    await pass(0);
    const goesOn = rounds[0]?.(700);
    let paused = true;
    void goesOn?.then(() => (paused = false));
    upkeep.wake();
    await pass(699);
    expect(paused).toBe(true);
    await pass(1);
    await expect(goesOn).resolves.toBe(true);
    finish(1);
  });

  test("stopping ends a pause with false, and waits for the round to end", async () => {
    let finish: (worked: number) => void = () => undefined;
    answers = [new Promise((resolve) => (finish = resolve))];
    start();
    await pass(0);
    const goesOn = rounds[0]?.(60_000);
    let stopped = false;
    const stopping = upkeep.stop().then(() => (stopped = true));
    await expect(goesOn).resolves.toBe(false);
    await pass(0);
    expect(stopped).toBe(false);
    finish(1);
    await stopping;
    await pass(10_000);
    expect(rounds).toHaveLength(1);
  });

  test("the service's stop ends a check or a round between its steps, which is not a failure", async () => {
    let fail: (error: Error) => void = () => undefined;
    answers = [new Promise((_, reject) => (fail = reject))];
    start();
    await pass(0);
    expect(bounded).toEqual([{ signal: stopping.signal }, { signal: stopping.signal }]);
    stopping.abort(new Error("the service is stopping"));
    const stopped = upkeep.stop();
    fail(new Error("the service is stopping"));
    await stopped;
    expect(warnings).toEqual([]);
  });
});
