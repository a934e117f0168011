import { describe, expect, test } from "@jest/globals";
import { seededRandom } from "../../bench/data.js";
import { directoryGrowth } from "../../bench/faults/directory.js";
import { problemsOf } from "../../bench/faults/fuzz.js";
import { growthOf } from "../../bench/faults/growth.js";
import { excess } from "../../bench/faults/memory.js";

/** A heap of 40 MB whose garbage rises to 60 MB and falls again, and what grows beside it, in MB per hour. */
const heap = (perHour: number, seconds = 900) => {
  const random = seededRandom(1);
  return Array.from({ length: seconds * 2 }, (_, i) => ({
    at: i / 2,
    value: 40 + ((i * 7) % 20) + random() + (perHour * i) / 7200,
  }));
};

describe("growth of memory", () => {
  test("garbage that comes and goes is no growth", () => {
    expect(excess(growthOf(heap(0)), 12)).toEqual([]);
  });

  test("a leak is seen below the garbage", () => {
    const growth = growthOf(heap(200));
    expect(growth.perHour).toBeGreaterThan(150);
    expect(growth.perHour).toBeLessThan(250);
    expect(excess(growth, 12)).toHaveLength(1);
  });

  test("a rise only while the process is warming up is no growth", () => {
    const warming = heap(0).map(({ at, value }) => ({ at, value: value - Math.max(0, 30 - at) }));
    expect(excess(growthOf(warming), 12)).toEqual([]);
  });

  test("few samples show nothing", () => {
    expect(() => growthOf(heap(0, 10))).toThrow("20 samples show nothing");
  });
});

test("a directory that grows with every upload is found; one that keeps its size is not", () => {
  expect(directoryGrowth(70, 80)).toEqual([]);
  expect(directoryGrowth(70, 190)).toHaveLength(1);
});

describe("answers to fuzzed requests", () => {
  const envelope = JSON.stringify({ error: { message: "m", type: "t", param: null, code: null } });
  const later = new Headers({ "retry-after": "1" });
  test.each([
    [200, "anything", new Headers(), 0],
    [400, envelope, new Headers(), 0],
    [503, envelope, later, 0],
    [503, envelope, new Headers(), 1],
    [500, envelope, later, 1],
    [502, envelope, new Headers(), 1],
    [400, "<html>", new Headers(), 1],
    [400, JSON.stringify({ error: "m" }), new Headers(), 1],
    [404, JSON.stringify({ error: { message: "", type: "t", param: null, code: null } }), new Headers(), 1],
  ])("%i %s: as many problems", (status, text, headers, problems) => {
    expect(problemsOf({ status, text, headers })).toHaveLength(problems);
  });
});
