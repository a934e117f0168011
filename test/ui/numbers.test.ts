import { describe, expect, test } from "@jest/globals";
import { ambiguous, readNumber, writeNumber } from "../../ui/src/parts/numbers.js";

/** Numbers that people type into the web page. */

describe("a number", () => {
  test.each([
    ["", undefined, undefined],
    ["7", 7, 7],
    ["-0.5", -0.5, -0.5],
    ["−3", -3, -3],
    ["12,5", 12.5, 12.5],
    ["12.5", 12.5, 12.5],
    ["0,125", 0.125, 0.125],
    [".5", 0.5, 0.5],
    ["1e-7", 1e-7, 1e-7],
    ["1234,567", 1234.567, 1234.567],
    // Three digits after the sign of the other language may be thousands.
    ["1,000", ambiguous, 1],
    ["1.000", 1, ambiguous],
    ["-12,500", ambiguous, -12.5],
    // With more of them there is one way to read it.
    ["1,234,567", 1_234_567, 1_234_567],
    ["1.234.567", 1_234_567, 1_234_567],
    ["1,234.5", 1234.5, 1234.5],
    ["1.234,5", 1234.5, 1234.5],
    ["1 000", 1000, 1000],
    ["1’234’567,25", 1_234_567.25, 1_234_567.25],
    ...["two", "1,2,3", "1.2.3", "12,34.5", "0x10", "Infinity", "1e999", "5 000 0", ",", "--1", "1_000"].map(
      (text) => [text, Number.NaN, Number.NaN] as const,
    ),
  ])("%j is read as the language writes it, and never as another one", (text, english, german) => {
    expect([readNumber(text, "."), readNumber(text, ",")]).toEqual([english, german]);
  });

  test("is written so that it is read as the same", () => {
    for (const value of [0, 0.125, 1.125, 1000, 1234.567, 1e-7, 1e21, -0.5]) {
      expect([".", ","].map((sign) => readNumber(writeNumber(value, sign as "."), sign as "."))).toEqual([
        value,
        value,
      ]);
    }
    expect([writeNumber(null, ","), writeNumber(undefined, ".")]).toEqual(["", ""]);
  });
});
