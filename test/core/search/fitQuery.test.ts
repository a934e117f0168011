import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { tokenCounter } from "../../../src/chunking/tokens.js";
import { withoutMiddle } from "../../../src/core/search/fitQuery.js";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

test("a shortened query has its beginning and its end, whole characters, and about as many tokens as allowed", async () => {
  const counter = await tokenCounter();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.lorem(), fc.constantFrom("👨‍👩‍👧‍👦", "é", "한국어", "ก็", " ", "\n")), {
        minLength: 1,
        maxLength: 200,
      }),
      fc.integer({ min: 20, max: 60 }),
      async (parts, most) => {
        const text = parts.join(" ");
        const shorter = await withoutMiddle(text, most);
        if (shorter === null) {
          expect(counter.count(text)).toBeLessThanOrEqual(most);
          return;
        }
        const borders = new Set(Array.from(segmenter.segment(text), ({ index }) => index));
        const ways = Array.from(shorter.matchAll(/\n/g), ({ index }) => index).filter(
          (at) =>
            text.startsWith(shorter.slice(0, at)) &&
            text.endsWith(shorter.slice(at + 1)) &&
            borders.has(at) &&
            (at + 1 === shorter.length || borders.has(text.length - (shorter.length - at - 1))),
        );
        expect(ways.length).toBeGreaterThan(0);
        // A cut may split a token in two.
        expect(counter.count(shorter)).toBeLessThanOrEqual(most + 4);
      },
    ),
  );
});
