import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Engine } from "../../src/engines/engine.js";
import { startProbing } from "../../src/jobs/probing.js";

type Parts = Parameters<typeof startProbing>[0];

let stopping: AbortController;
let warnings: string[];
let probes: (() => void)[];
let stop: () => Promise<void>;

const start = (probeMs: number | null, probe: Engine["probe"]) => {
  const log = { warn: (_about: object, message: string) => warnings.push(message) };
  const config = { indexing: { probeMs } };
  stop = startProbing({ config, log, stopping: stopping.signal, engine: { probe } } as unknown as Parts);
};
/** A measurement that the test ends. */
const measure = () => new Promise<void>((resolve) => probes.push(resolve));
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  jest.useFakeTimers();
  stopping = new AbortController();
  [warnings, probes] = [[], []];
});
afterEach(async () => {
  await stop();
  jest.useRealTimers();
});

describe("the probe of recall", () => {
  test("measures a minute after the start, then after each pause, one at a time", async () => {
    start(600_000, measure);
    await pass(59_999);
    expect(probes).toHaveLength(0);
    await pass(1);
    expect(probes).toHaveLength(1);
    await pass(3_600_000);
    expect(probes).toHaveLength(1);
    probes[0]?.();
    await pass(600_000);
    expect(probes).toHaveLength(2);
    probes[1]?.();
  });

  test("a measurement that fails is logged, and the next one comes", async () => {
    let asked = 0;
    start(30_000, () => {
      asked += 1;
      return Promise.reject(new Error("away"));
    });
    await pass(90_000);
    expect(asked).toBe(3);
    expect(warnings).toHaveLength(3);
  });

  test.each([
    ["RECALL_PROBE_MINUTES is 0", null, measure],
    ["the engine has no index to measure", 1000, undefined],
  ])("does nothing when %s", async (_name, probeMs, probe) => {
    start(probeMs, probe);
    await pass(3_600_000);
    expect(probes).toHaveLength(0);
  });

  test("stopping waits for the current measurement, and no other comes", async () => {
    start(1000, measure);
    await pass(1000);
    stopping.abort();
    let stopped = false;
    const ended = stop().then(() => (stopped = true));
    await pass(10_000);
    expect(stopped).toBe(false);
    probes[0]?.();
    await ended;
    await pass(10_000);
    expect(probes).toHaveLength(1);
  });

  test("the service's stop ends a measurement between its steps, which is not a failure", async () => {
    const asked: unknown[] = [];
    start(1000, (bounds) => {
      asked.push(bounds);
      return measure().then(() => bounds?.signal?.throwIfAborted());
    });
    await pass(1000);
    expect(asked).toEqual([{ signal: stopping.signal }]);
    stopping.abort(new Error("the service is stopping"));
    probes[0]?.();
    await stop();
    expect(warnings).toEqual([]);
  });
});
