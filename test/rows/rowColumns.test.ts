import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { fromNetworkOrder } from "../../src/numbers/float32.js";
import { momentValue, vectorFromBase64, vectorOf, withKeys } from "../../src/rows/rowColumns.js";

const moment = (value: unknown) => momentValue(value, "row 1", "created_at");
const microsOf = (iso: string) => Date.parse(iso) * 1000;

describe("a time", () => {
  test.each<[unknown, number | null]>([
    [null, null],
    [undefined, null],
    ["", null],
    [0, 0],
    [-1.5, -1_500_000],
    [1750000000.123456, 1_750_000_000_123_456],
    ["1750000000.25", 1_750_000_000_250_000],
    [" 1750000000 ", 1_750_000_000_000_000],
    ["2026-01-31", microsOf("2026-01-31T00:00:00Z")],
    ["2026-01-31 12:30", microsOf("2026-01-31T12:30:00Z")],
    ["2026-01-31T12:30:15Z", microsOf("2026-01-31T12:30:15Z")],
    ["2026-01-31t12:30:15z", microsOf("2026-01-31T12:30:15Z")],
    ["2026-01-31T12:30:15.5+02:00", microsOf("2026-01-31T10:30:15Z") + 500_000],
    ["2026-01-31 12:30:15.123456789 -0530", microsOf("2026-01-31T18:00:15Z") + 123_456],
    ["2026-01-31 12:30:15.000001+02", microsOf("2026-01-31T10:30:15Z") + 1],
    ["1969-12-31T23:59:59.25Z", -750_000],
  ])("%j is %j microseconds", (value, micros) => {
    expect(moment(value)).toBe(micros);
  });

  test.each(["yesterday", "2026-13-01", "2026-01-31T25:00", "31.01.2026", "1e3", true, {}, [], 1e12, NaN, Infinity])(
    "%j is refused",
    (value) => {
      expect(() => moment(value)).toThrow(
        /^row 1: "created_at" is neither a number of Unix seconds nor a time such as/,
      );
    },
  );

  test("any microsecond from 1900 to 2200 comes back from its number of seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_208_988_800_000_000, max: 7_258_118_400_000_000 }), (micros) => {
        expect(moment(micros / 1e6)).toBe(micros);
        expect(moment(String(micros / 1e6))).toBe(micros);
      }),
    );
  });
});

describe("keys added to metadata", () => {
  test.each<[string | null, [string, string][], string | null]>([
    [null, [], null],
    ['{"a": 1}', [], '{"a": 1}'],
    [null, [["x", "1"]], '{"x":1}'],
    ["{ }", [["x", '"y"']], '{"x":"y"}'],
    [
      ' {"a": 1e400} ',
      [
        ["x", "1"],
        ["y", "[2]"],
      ],
      '{"a": 1e400,"x":1,"y":[2]}',
    ],
    ["[1]", [["x", "1"]], '{"metadata":[1],"x":1}'],
    ["7", [['"', "null"]], '{"metadata":7,"\\"":null}'],
  ])("%j and %j are %j", (metadata, keys, result) => {
    expect(withKeys(metadata, keys)).toBe(result);
  });
});

describe("a vector", () => {
  test("takes numbers and bigints", () => {
    expect(Array.from(fromNetworkOrder(vectorOf([1, 2n, -0.5], "row 1", "v")))).toEqual([1, 2, -0.5]);
    expect(Array.from(fromNetworkOrder(vectorOf(Float64Array.of(0.1), "row 1", "v")))).toEqual([Math.fround(0.1)]);
  });

  test.each<[ArrayLike<unknown>, RegExp]>([
    [[], /^row 1: "v" is empty/],
    [[1, null], /^row 1: number 2 of "v" is missing or outside the range of float32/],
    [["1"], /^row 1: number 1 of "v" is missing/],
    [[1, 2, NaN], /^row 1: number 3 of "v" is missing/],
    [[3.5e38], /^row 1: number 1 of "v" is missing or outside/],
    [[-Infinity], /^row 1: number 1 of "v" is missing or outside/],
  ])("%j is refused", (numbers, message) => {
    expect(() => vectorOf(numbers, "row 1", "v")).toThrow(message);
  });

  test.each(["", "AAAA", "AAAAAA===", "AAAAAA-_", "AAAA AA==", "[1]"])("base64 %j is refused", (text) => {
    expect(() => vectorFromBase64(text, "row 1", "v")).toThrow(/neither an array of numbers nor base64/);
  });
});
