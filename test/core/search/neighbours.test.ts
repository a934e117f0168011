import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { joinTexts } from "../../../src/core/search/neighbours.js";
import { campaign } from "../../support/campaign.js";

/** Few characters, so that texts overlap by chance too; and text of any kind. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", " "), maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** The longest end of one text that begins the other, by brute force. */
function overlapOf(first: string, second: string): number {
  for (let length = Math.min(first.length, second.length); length > 0; length -= 1) {
    if (first.slice(first.length - length) === second.slice(0, length)) return length;
  }
  return 0;
}

describe("joinTexts", () => {
  test("begins with the first text, ends with the second, and has their overlap once", () => {
    fc.assert(
      fc.property(text, text, (first, second) => {
        const joined = joinTexts(first, second);
        expect(joined.startsWith(first)).toBe(true);
        expect(joined.endsWith(second)).toBe(true);
        const overlap = overlapOf(first, second);
        // A line break between texts that share fewer than eight characters, which may be chance.
        expect(joined).toHaveLength(first.length + second.length + (overlap >= 8 ? -overlap : 1));
      }),
      campaign(1000),
    );
  });

  test("restores a text that was cut in two with an overlap of eight characters or more", () => {
    const words = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
    fc.assert(
      fc.property(fc.integer({ min: 8, max: words.length }), fc.integer({ min: 8, max: 600 }), (end, overlap) => {
        const start = Math.max(0, end - overlap);
        expect(joinTexts(words.slice(0, end), words.slice(start))).toBe(words);
      }),
    );
  });

  test.each([
    ["", ""],
    ["the first text", ""],
    ["", "the second text"],
    ["seven77", "seven77"],
    ["one text", "quite another"],
  ])("puts a line break between %j and %j", (first, second) => {
    expect(joinTexts(first, second)).toBe(`${first}\n${second}`);
  });

  test.each([
    ["a text that is the other", "a text that is the other", "a text that is the other"],
    ["it ends with the second one", "the second one", "it ends with the second one"],
    ["the first one", "the first one begins it", "the first one begins it"],
    ["ends with 🙂🙂🙂🙂", "🙂🙂🙂🙂 begins", "ends with 🙂🙂🙂🙂 begins"],
  ])("%j and %j are %j", (first, second, joined) => {
    expect(joinTexts(first, second)).toBe(joined);
  });

  test("looks only at the borders of long texts", () => {
    // Each text nearly matches the other at every place: comparing all lengths would take five billion steps per pair.
    const first = "a".repeat(100_000);
    const second = `${"a".repeat(99_999)}b`;
    for (let i = 0; i < 20; i += 1) {
      // An overlap has at most 4,000 characters.
      expect(joinTexts(first, second)).toHaveLength(first.length + second.length - 4000);
      expect(joinTexts(`${first}b`, second)).toHaveLength(first.length + second.length + 2);
    }
  });
});
