import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ExactNumber, exactJson, parseExactJson } from "../../src/words/exactJson.js";
import { campaign } from "../support/campaign.js";

/** Digits with a point and an exponent anywhere. */
const literal = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.stringMatching(/^(0|[1-9]\d{0,25})$/),
    fc.stringMatching(/^(\.\d{1,25})?$/),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant("") },
      { arbitrary: fc.stringMatching(/^[eE][+-]?\d{1,3}$/), weight: 1 },
    ),
  )
  .map((parts) => parts.join(""));
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"12345678901234567890', "\\", "\\\\", '\\"1e400'),
);
const key = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toJSON", "text"));

/** A JSON text with every kind of value, and white space. */
const json = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: literal },
    { weight: 2, arbitrary: text.map((each) => JSON.stringify(each)) },
    { weight: 1, arbitrary: fc.constantFrom("true", "false", "null") },
    { weight: 2, arbitrary: fc.array(tie("any"), { maxLength: 4 }).map((items) => `[ ${items.join(" ,")} ]`) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.tuple(key, tie("any")), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([name, value]) => `${JSON.stringify(name)} :\n${value}`).join(",")}}`),
    },
  ),
})).any;

/** The value of a decimal times 10^2000. */
function scaled(digits: string): bigint {
  const [mantissa = "", exponent = "0"] = digits.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(2000 + Number(exponent) - fraction.length);
}

describe("JSON with exact numbers", () => {
  test("every number is the double if JavaScript writes it as the same decimal, else it keeps its text", () => {
    const seen = { exact: 0, double: 0 };
    fc.assert(
      fc.property(literal, (digits) => {
        const [value] = parseExactJson(`[${digits}]`) as [number | ExactNumber];
        const double = Number(digits);
        const isSame = Number.isFinite(double) && scaled(String(double)) === scaled(digits);
        seen[isSame ? "double" : "exact"] += 1;
        expect(value).toEqual(isSame ? double : new ExactNumber(digits));
      }),
      campaign(5000),
    );
    expect(Math.min(seen.exact, seen.double)).toBeGreaterThan(20);
  });

  test("any JSON is read as JSON.parse reads it, but for the digits; and written as it was read", () => {
    fc.assert(
      fc.property(json, (given) => {
        const value = parseExactJson(given);
        // JSON.stringify rounds, as JSON.parse does.
        expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(given)));
        const written = exactJson(value);
        expect(parseExactJson(written)).toEqual(parseExactJson(exactJson(parseExactJson(written))));
        expect(exactJson(parseExactJson(written))).toBe(written);
        for (const digits of numbersIn(value)) expect(written).toContain(digits);
      }),
      campaign(2000),
    );
  });

  test("text nested 100,000 deep is no stack overflow", () => {
    const deep = `${"[".repeat(100_000)}12345678901234567890${"]".repeat(100_000)}`;
    let value = parseExactJson(deep);
    while (Array.isArray(value)) [value] = value as unknown[];
    expect(value).toEqual(new ExactNumber("12345678901234567890"));
  });

  test("what is not JSON is refused as by JSON.parse", () => {
    for (const bad of ["", "{", "1234567890123456789012345678901234567890x", "[1e]", "01", '{"a": 1e400', "NaN"])
      expect(() => parseExactJson(bad)).toThrow(SyntaxError);
  });
});

function numbersIn(value: unknown): string[] {
  if (value instanceof ExactNumber) return [value.text];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}
